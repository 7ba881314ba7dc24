package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A server is the real program on a database of its own, at one address through all its lives.
type server struct {
	binary string
	dir    string
	listen string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended
}

func newServer(binary, dir string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return &server{binary: binary, dir: dir, listen: l.Addr().String()}, nil
}

func (s *server) database() string { return filepath.Join(s.dir, "aw.db") }
func (s *server) url() string      { return "http://" + s.listen }

// startTime is how long a start may take before it counts as failed.
const startTime = time.Minute

// start starts the process and returns how long it took until it was ready.
func (s *server) start(ctx context.Context) (time.Duration, error) {
	log, err := os.OpenFile(filepath.Join(s.dir, "stderr"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	begin := time.Now()
	// What is there is counted by reading all of it, faster than anybody else would.
	s.cmd, s.ended = exec.Command(s.binary, "serve", "--db", s.database(), "--listen", s.listen, "--api-rate", "1000000"), make(chan struct{})
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return 0, fmt.Errorf("start server: %w", err)
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // it ends by the signal that it was sent
		close(ended)
	}(s.cmd, s.ended)
	for time.Since(begin) < startTime {
		if resp, err := http.Get(s.url() + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return time.Since(begin), nil
			}
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(log.Name()) // whatever is there explains more than an error about it
			return 0, fmt.Errorf("server ended: %s", text)
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return 0, errors.New("server is not ready")
}

// kill sends SIGKILL and waits until the process is gone.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // one that has ended already is what is wanted
	<-s.ended
}

// key makes an API key with the command line, as an operator does.
func (s *server) key(ctx context.Context, scope, name string) (string, error) {
	out, err := exec.CommandContext(ctx, s.binary, "key", "create", "--db", s.database(), "--scope", scope, name).Output()
	if err != nil {
		return "", fmt.Errorf("create key: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
