package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// startNode runs node/serve.mjs with an adapter, which starts one server for each setup and prints their ports. It ends
// when its input is closed.
func startNode(ctx context.Context, adapter string, setups []Setup) ([]string, func(), error) {
	cmd := exec.CommandContext(ctx, "node", filepath.Join("node", "serve.mjs"), adapter)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, func() {}, fmt.Errorf("start node: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, func() {}, fmt.Errorf("start node: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, func() {}, fmt.Errorf("start node: %w", err)
	}
	stop := func() {
		_ = in.Close()
		_ = cmd.Wait() // it was told to end: how it ends says nothing
	}
	if _, err := io.WriteString(in, marshal(setups)+"\n"); err != nil {
		return nil, stop, fmt.Errorf("set up adapter %s: %w", adapter, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, stop, fmt.Errorf("adapter %s did not start: %w", adapter, err)
	}
	var ports []int
	if err := json.Unmarshal([]byte(line), &ports); err != nil {
		return nil, stop, fmt.Errorf("adapter %s printed %q instead of its ports: %w", adapter, strings.TrimSpace(line), err)
	}
	var bases []string
	for _, port := range ports {
		bases = append(bases, fmt.Sprintf("http://127.0.0.1:%d", port))
	}
	return bases, stop, nil
}

func silentLog() *log.Logger { return log.New(io.Discard, "", 0) }
