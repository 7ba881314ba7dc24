package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// serverFlag says which server a command asks, and with which key.
type serverFlag struct {
	URL          string `default:"http://127.0.0.1:8080" help:"The server (default: ${default})."`
	KeyFile      string `placeholder:"FILE" help:"File with an API key (default: the variable AUTHWATCH_KEY)."`
	InsecureHTTP bool   `name:"insecure-http" help:"Ask without TLS beyond this machine: the key then crosses the network in clear."`
}

// remote checks the address and reads the key.
func (f serverFlag) remote(p *program, scope string) (*remote, error) {
	base, err := checkServerURL(f.URL, f.InsecureHTTP)
	if err != nil {
		return nil, err
	}
	key, err := readKey(p, f.KeyFile, scope)
	if err != nil {
		return nil, err
	}
	return &remote{base: base, key: key, client: &http.Client{Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil // the key goes nowhere else
}

// checkServerURL returns the address without a slash at its end.
func checkServerURL(text string, insecure bool) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return "", usageError("--url: expected http:// or https:// and a host, without user and password")
	}
	ip := net.ParseIP(u.Hostname())
	if local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(); u.Scheme == "http" && !local && !insecure {
		return "", usageError("--url %s: the key and what is said with it would cross the network in clear: use https://, or add --insecure-http", text)
	}
	return strings.TrimSuffix(text, "/"), nil
}

// readKey never takes a key from the command line, where other users see it.
func readKey(p *program, file, scope string) (string, error) {
	key := p.getenv("AUTHWATCH_KEY")
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", usageError("read the key: %w", err)
		}
		key = string(text)
	}
	if key = strings.TrimSpace(key); key == "" || strings.ContainsAny(key, " \t\r\n") {
		return "", usageError("a key is missing: --key-file FILE or the variable AUTHWATCH_KEY; authwatch key create --scope %s NAME makes one", scope)
	}
	return key, nil
}

// A remote asks a server's REST API.
type remote struct {
	base, key string
	client    *http.Client
}

// A refusal is a server's answer that is none to what was asked.
type refusal struct {
	status int
	detail string
}

func (e *refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the server answers %d %s: %s", e.status, http.StatusText(e.status), e.detail))
}

// maxAnswer bounds what is read of one answer.
const maxAnswer = 64 << 20

// ask sends a request, with a body unless it is nil, and reads the JSON of the answer into into.
func (r *remote) ask(ctx context.Context, method, path string, query url.Values, body, into any) error {
	address := r.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		var problem struct{ Detail string }
		_ = json.Unmarshal(text, &problem) // a proxy's page has no detail
		return &refusal{resp.StatusCode, problem.Detail}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s does not answer as authwatch does: %w", r.base, err)
	}
	return nil
}

// rows reads a list, page after page, until most rows were read; more says that there are others.
func rows[T any](ctx context.Context, r *remote, path string, query url.Values, most int) (list []T, more bool, err error) {
	query.Set("limit", strconv.Itoa(min(most, 200)))
	for {
		var page struct {
			Data []T
			Next string
		}
		if err := r.ask(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return nil, false, err
		}
		list = append(list, page.Data...)
		if page.Next == "" || len(list) >= most {
			return list, page.Next != "", nil
		}
		query.Set("cursor", page.Next)
	}
}

// isFinal is true of an answer that will be the same next time.
func isFinal(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && refused.status < 500 && refused.status != http.StatusTooManyRequests && refused.status != http.StatusRequestTimeout
}

// placeFlag selects by what incidents and failures have in common.
type placeFlag struct {
	Cause       []string `placeholder:"CODE" help:"Only this cause; may be repeated."`
	Client      []string `help:"Only this client; may be repeated."`
	Provider    []string `help:"Only this provider; may be repeated."`
	Environment []string `help:"Only this environment; may be repeated."`
}

func (f placeFlag) query() url.Values {
	q := url.Values{}
	for name, values := range map[string][]string{"cause": f.Cause, "client": f.Client, "provider": f.Provider, "environment": f.Environment} {
		if len(values) > 0 {
			q[name] = values
		}
	}
	return q
}

// A span is a length of time in days or as Go writes it.
type span time.Duration

// UnmarshalText reads 24h, 90s or 7d.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if days, found := strings.CutSuffix(string(text), "d"); found {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(n, 401)) * 24 * time.Hour // more is refused below, and must not overflow before
	}
	if err != nil || d < 0 || d > 400*24*time.Hour {
		return fmt.Errorf("%q is no length of time: write 90s, 24h or 7d, and at most 400d", text)
	}
	*s = span(d)
	return nil
}
