package shippers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A service is the real authwatch in a process of its own, with a SQLite file in dir.
type service struct {
	binary  string
	dir     string
	url     string // changes with each start
	ingest  string // key
	read    string // key
	process *exec.Cmd
	ended   chan error
}

// newService starts authwatch with a new database and makes its keys.
func newService(ctx context.Context, binary, dir string) (*service, error) {
	s := &service{binary: binary, dir: dir}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	for scope, key := range map[string]*string{"ingest": &s.ingest, "read": &s.read} {
		text, err := exec.CommandContext(ctx, binary, "key", "create", "--db", s.database(), "--scope", scope, scope).Output()
		if err != nil {
			s.kill()
			return nil, fmt.Errorf("make key of scope %s: %w", scope, err)
		}
		*key = strings.TrimSpace(string(text))
	}
	return s, nil
}

func (s *service) database() string { return filepath.Join(s.dir, "authwatch.db") }

// start runs authwatch on the database of the run before and returns when it is ready.
func (s *service) start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "authwatch.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of authwatch: %w", err)
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the end of the log of authwatch: %w", err)
	}
	s.process = exec.CommandContext(ctx, s.binary, "serve", "--db", s.database(), "--listen", "127.0.0.1:0", "--profile", "profile.yaml")
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start authwatch: %w", err)
	}
	s.ended = make(chan error, 1)
	go func(process *exec.Cmd, ended chan<- error) { ended <- process.Wait() }(s.process, s.ended)
	if err := s.await(ctx, log.Name(), from); err != nil {
		s.kill()
		return err
	}
	return nil
}

// await reads from the log where authwatch listens, and asks until it is ready.
func (s *service) await(ctx context.Context, log string, from int64) error {
	address := regexp.MustCompile(`"address":"([^"]+)"`)
	for {
		text, err := os.ReadFile(log)
		if err != nil {
			return fmt.Errorf("read the log of authwatch: %w", err)
		}
		if found := address.FindSubmatch(text[from:]); found != nil {
			s.url = "http://" + string(found[1])
			if resp, err := http.Get(s.url + "/readyz"); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("authwatch ended (%w) and said: %s", err, text[from:])
		case <-ctx.Done():
			return fmt.Errorf("authwatch is not ready: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// kill ends authwatch as a crash would: whatever is not durable is lost.
func (s *service) kill() {
	_ = s.process.Process.Kill() // an error says that it has ended
	s.ended <- <-s.ended
}

// An ingested answer is what the native route says of a body.
type ingested struct {
	Received   int
	Accepted   int
	Duplicates int
	Rejected   int
	Errors     json.RawMessage
}

// post sends records by the native route.
func (s *service) post(ctx context.Context, records []record) (ingested, error) {
	var body bytes.Buffer
	for _, r := range records {
		body.Write(r.JSON)
		body.WriteByte('\n')
	}
	var out ingested
	err := s.call(ctx, http.MethodPost, "/ingest/v1/responses", s.ingest, &body, &out)
	if err == nil && out.Rejected > 0 {
		err = fmt.Errorf("%d records were rejected: %s", out.Rejected, out.Errors)
	}
	return out, err
}

// get asks the REST API.
func (s *service) get(ctx context.Context, path string, out any) error {
	return s.call(ctx, http.MethodGet, path, s.read, nil, out)
}

func (s *service) call(ctx context.Context, method, path, key string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", method, path, err, text)
	}
	return nil
}
