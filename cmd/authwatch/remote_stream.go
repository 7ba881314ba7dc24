package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxEvent bounds one line of a stream.
const maxEvent = 8 << 20

// A stream reads server-sent events.
type stream struct {
	body  io.Closer
	lines *bufio.Scanner
}

// A streamed is one event.
type streamed struct {
	id, name string
	data     []byte
}

// stream begins to follow events after the place, or from now on when that is "".
func (r *remote) stream(ctx context.Context, path string, query url.Values, place string) (*stream, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Accept", "text/event-stream")
	if place != "" {
		req.Header.Set("Last-Event-ID", place)
	}
	client := *r.client
	client.Timeout = 0 // the caller's context ends it
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	if media := resp.Header.Get("Content-Type"); resp.StatusCode == http.StatusOK && strings.HasPrefix(media, "text/event-stream") {
		s := &stream{body: resp.Body, lines: bufio.NewScanner(resp.Body)}
		s.lines.Buffer(nil, maxEvent)
		return s, nil
	}
	defer resp.Body.Close()
	var problem struct{ Detail string }
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxEvent))
	_ = json.Unmarshal(text, &problem) // a proxy's page has no detail
	if resp.StatusCode < http.StatusMultipleChoices {
		return nil, &refusal{resp.StatusCode, r.base + " does not stream as authwatch does"}
	}
	return nil, &refusal{resp.StatusCode, problem.Detail}
}

var errStreamEnded = errors.New("the server has ended the stream")

// next waits for an event.
func (s *stream) next() (e streamed, err error) {
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			if e.data != nil {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, value...)
		case "":
			if s.lines.Text() == "" && e.data != nil {
				return e, nil
			}
		}
	}
	if err := s.lines.Err(); err != nil {
		return e, fmt.Errorf("follow the server: %w", err)
	}
	return e, errStreamEnded
}

func (s *stream) close() { _ = s.body.Close() }
