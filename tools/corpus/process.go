package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A starter brings up one server for each setup and returns their base URLs, in order, and what ends them. That is never
// nil.
type starter func(ctx context.Context, setups []Setup) (bases []string, stop func(), err error)

// node starts node/<adapter>.mjs: one process for all setups.
func node(adapter string) starter {
	return func(ctx context.Context, setups []Setup) ([]string, func(), error) {
		return startProgram(ctx, setups, "node", filepath.Join("node", "serve.mjs"), adapter)
	}
}

// python starts python/<adapter>.py with Debian's Python: a process for each setup, because frameworks keep their settings
// in globals.
func python(adapter string) starter {
	return eachByItself("/usr/bin/python3", filepath.Join("python", "serve.py"), adapter)
}

// ruby starts ruby/<adapter>.rb.
func ruby(adapter string) starter {
	return eachByItself("/usr/bin/ruby", filepath.Join("ruby", "serve.rb"), adapter)
}

// perl starts perl/<adapter>.psgi.
func perl(adapter string) starter {
	return eachByItself("/usr/bin/perl", filepath.Join("perl", "serve.pl"), adapter)
}

func eachByItself(program string, args ...string) starter {
	return each(func(ctx context.Context, setup Setup) (string, func(), error) {
		bases, stop, err := startProgram(ctx, []Setup{setup}, program, args...)
		if err != nil {
			return "", stop, err
		}
		return bases[0], stop, nil
	})
}

// each starts the setups one by one with start.
func each(start func(context.Context, Setup) (string, func(), error)) starter {
	return func(ctx context.Context, setups []Setup) ([]string, func(), error) {
		var bases []string
		var stops []func()
		stop := func() {
			for _, f := range stops {
				f()
			}
		}
		for _, setup := range setups {
			base, end, err := start(ctx, setup)
			stops = append(stops, end)
			if err != nil {
				return nil, stop, err
			}
			bases = append(bases, base)
		}
		return bases, stop, nil
	}
}

// startProgram runs a program that reads the setups as one line of JSON, starts a server for each, prints their ports as one
// line of JSON, and ends when its input is closed.
func startProgram(ctx context.Context, setups []Setup, program string, args ...string) ([]string, func(), error) {
	name := filepath.Base(program) + " " + strings.Join(args, " ")
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, func() {}, fmt.Errorf("start %s: %w", name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, func() {}, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, func() {}, fmt.Errorf("start %s: %w", name, err)
	}
	stop := func() {
		_ = in.Close()
		_ = cmd.Wait() // it was told to end: how it ends says nothing
	}
	if _, err := io.WriteString(in, marshal(setups)+"\n"); err != nil {
		return nil, stop, fmt.Errorf("set up %s: %w", name, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, stop, fmt.Errorf("%s did not start: %w", name, err)
	}
	var ports []int
	if err := json.Unmarshal([]byte(line), &ports); err != nil {
		return nil, stop, fmt.Errorf("%s printed %q instead of its ports: %w", name, strings.TrimSpace(line), err)
	}
	if len(ports) != len(setups) {
		return nil, stop, fmt.Errorf("%s printed %d ports for %d setups", name, len(ports), len(setups))
	}
	var bases []string
	for _, port := range ports {
		bases = append(bases, localURL(port))
	}
	return bases, stop, nil
}

// startDaemon runs a server that has a configuration file and no notion of a free port, and waits until it answers at port.
func startDaemon(ctx context.Context, port int, program string, args ...string) (string, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		return "", func() {}, fmt.Errorf("start %s: %w", program, err)
	}
	stop := func() {
		cancel()
		_ = cmd.Wait() // it was told to end: how it ends says nothing
	}
	for range 100 {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return localURL(port), stop, conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", stop, errors.New(program + " does not listen")
}

// freePort is a port that nobody listens on at this moment.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

func localURL(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }

func silentLog() *log.Logger { return log.New(io.Discard, "", 0) }
