package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// An assertionMaker runs the user's command that prints an assertion.
type assertionMaker struct {
	command string
	timeout time.Duration // of one run
	pause   time.Duration // between the runs, more than a second: iat counts whole ones
	now     func() time.Time
}

// twice runs the command two times. Its own words are never repeated, not in errors either: they may hold the token.
func (m assertionMaker) twice(ctx context.Context) ([]assertionSample, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // so that an interrupt ends the command too
	defer stop()
	first, err := m.once(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(m.pause):
	}
	second, err := m.once(ctx)
	if err != nil {
		return nil, err
	}
	return []assertionSample{first, second}, nil
}

func (m assertionMaker) once(ctx context.Context) (assertionSample, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", m.command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // what the shell started as well
	cmd.WaitDelay = time.Second
	out := &head{limit: maxAssertion + 1}
	cmd.Stdout = out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return assertionSample{}, usageError("the command of --exec took longer than %v", m.timeout)
	case ctx.Err() != nil:
		return assertionSample{}, ctx.Err()
	case errors.As(err, &exit):
		return assertionSample{}, usageError("the command of --exec ended with %s; its output is not shown, as it may hold the token", exit.ProcessState)
	case err != nil:
		return assertionSample{}, usageError("the command of --exec could not be run: %w", err)
	}
	text, err := cleanAssertion(out.Bytes())
	return assertionSample{text: text, at: m.now()}, err
}

// A head keeps the beginning of what is written to it and takes the rest without complaint.
type head struct {
	bytes.Buffer
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), h.limit-h.Len())])
	return len(p), nil
}
