package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	maxBatch      = 5000    // records that the server takes in one request
	maxBatchBytes = 4 << 20 // before compression
)

// A lineBatch is lines that go out in one request.
type lineBatch struct {
	path  string
	body  []byte
	lines []int // number of each line in its file, from 1
	ends  []int // where each ends in body
}

func (b *lineBatch) add(number int, text []byte) {
	b.body = append(append(b.body, text...), '\n')
	b.lines = append(b.lines, number)
	b.ends = append(b.ends, len(b.body))
}

// halves splits a batch that is too large for the server.
func (b *lineBatch) halves() (first, second *lineBatch) {
	n := len(b.lines) / 2
	cut := b.ends[n-1]
	first = &lineBatch{path: b.path, body: b.body[:cut], lines: b.lines[:n], ends: b.ends[:n]}
	second = &lineBatch{path: b.path, body: b.body[cut:], lines: b.lines[n:]}
	for _, end := range b.ends[n:] {
		second.ends = append(second.ends, end-cut)
	}
	return first, second
}

// A sentAnswer is what the server says about a batch, and what a refusal of all of it says.
type sentAnswer struct {
	Received, Accepted, Duplicates, Rejected int
	Errors                                   []sentError
	Title, Detail                            string
}

type sentError struct {
	Index         int
	Code, Pointer string
	Detail        string
}

// A batchSender posts batches to one server, patiently.
type batchSender struct {
	url, key string
	compress string
	giveUp   time.Duration // without an answer; 0 is never
	client   *http.Client
	waiting  func(why string, wait time.Duration)
	shortest time.Duration // wait after the first failure
}

func newBatchSender(url, key, compress string, giveUp time.Duration) *batchSender {
	return &batchSender{
		url: url, key: key, compress: compress, giveUp: giveUp, shortest: time.Second,
		waiting: func(string, time.Duration) {},
		client: &http.Client{
			Timeout:       3 * time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key goes nowhere else
		},
	}
}

// errTooLarge says that the server takes no body of this size.
var errTooLarge = errors.New("the server takes no request of this size")

// send posts a batch until the server has answered for its records.
func (s *batchSender) send(ctx context.Context, b *lineBatch) (sentAnswer, error) {
	body, encoding, err := s.pack(b.body)
	if err != nil {
		return sentAnswer{}, err
	}
	start, pause := time.Now(), s.shortest
	for {
		a, again, wait, err := s.post(ctx, body, encoding)
		if !again || ctx.Err() != nil {
			return a, err
		}
		if s.giveUp > 0 && time.Since(start) > s.giveUp {
			return a, fmt.Errorf("the server took nothing for %s: %w; the same command goes on here", s.giveUp, err)
		}
		if wait == 0 {
			wait = pause/2 + time.Duration(rand.Int64N(int64(pause/2)+1)) // spread, so that not all come back at once
			pause = min(2*pause, time.Minute)
		}
		s.waiting(err.Error(), wait)
		if err := sleep(ctx, wait); err != nil {
			return a, err
		}
	}
}

func (s *batchSender) pack(body []byte) (packed []byte, encoding string, err error) {
	var out bytes.Buffer
	var w io.WriteCloser
	switch s.compress {
	case "none":
		return body, "", nil
	case "zstd":
		if w, err = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, "", fmt.Errorf("compress a batch: %w", err)
		}
	default:
		w = gzip.NewWriter(&out)
	}
	if _, err := w.Write(body); err != nil {
		return nil, "", fmt.Errorf("compress a batch: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("compress a batch: %w", err)
	}
	return out.Bytes(), s.compress, nil
}

// post makes one attempt; again says that a later one may succeed, after wait if the server named it.
func (s *batchSender) post(ctx context.Context, body []byte, encoding string) (a sentAnswer, again bool, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/ingest/v1/responses", bytes.NewReader(body))
	if err != nil {
		return a, false, 0, fmt.Errorf("send a batch: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return a, true, 0, fmt.Errorf("send a batch: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return a, true, 0, fmt.Errorf("read the server's answer: %w", err)
	}
	unreadable := json.Unmarshal(text, &a)
	switch {
	case resp.StatusCode == http.StatusOK && unreadable != nil:
		return a, false, 0, fmt.Errorf("%s does not answer as authwatch does: %w", s.url, unreadable)
	case resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusUnprocessableEntity && len(a.Errors) > 0:
		return a, false, 0, nil
	case resp.StatusCode == http.StatusRequestEntityTooLarge:
		return a, false, 0, errTooLarge
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		return a, true, retryAfter(resp.Header.Get("Retry-After"), time.Now()), errors.New(answerText(resp.Status, a))
	}
	return a, false, 0, errors.New("the server refuses: " + answerText(resp.Status, a))
}

func answerText(status string, a sentAnswer) string {
	return strings.TrimSpace(strings.Join([]string{status, a.Detail}, " "))
}

// retryAfter reads the two forms of the field (RFC 9110 section 10.2.3), at most ten minutes; 0 when there is none.
func retryAfter(field string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(strings.TrimSpace(field)); err == nil {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	} else if at, err := http.ParseTime(field); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), 10*time.Minute)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err() // both may have come
	}
}
