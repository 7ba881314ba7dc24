package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server under measurement. It says on standard error where it listens, as authwatch does or as VictoriaLogs does.
type process struct {
	cmd    *exec.Cmd
	url    string
	log    string        // path of its standard error
	logged chan struct{} // closed when standard error has ended
}

// startTime is how long a server may take until it listens: opening a large database is measured elsewhere.
const startTime = time.Minute

// startProcess starts a server and waits until it listens; its standard error goes to a file in dir.
func startProcess(ctx context.Context, dir, binary string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, binary, args...), log: filepath.Join(dir, "stderr"), logged: make(chan struct{})}
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		file.Close()
		return nil, fmt.Errorf("start %s: %w", filepath.Base(binary), err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(p.logged)
		defer file.Close()
		findAddress(io.TeeReader(pipe, file), address)
	}()
	select {
	case found, ok := <-address:
		if ok {
			p.url = "http://" + found
			return p, nil
		}
	case <-time.After(startTime):
	}
	p.kill()
	text, _ := os.ReadFile(p.log) // whatever is there explains more than an error about it
	return nil, fmt.Errorf("%s does not listen: %s", filepath.Base(binary), text)
}

// findAddress reads a server's log to its end and hands over the address that it listens on.
func findAddress(log io.Reader, address chan<- string) {
	defer close(address)
	pattern := regexp.MustCompile(`"address":"([^"]+)"|started server at http://([^/]+)/`)
	lines := bufio.NewReader(log)
	for found := false; ; {
		line, err := lines.ReadString('\n')
		if m := pattern.FindStringSubmatch(line); m != nil && !found {
			found = true
			address <- m[1] + m[2]
		}
		if err != nil {
			return
		}
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.logged
	_ = p.cmd.Wait()
}

// stop asks the server to end and waits until it has.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	<-p.logged
	if err := p.cmd.Wait(); err != nil {
		text, _ := os.ReadFile(p.log)
		return fmt.Errorf("server ended badly: %w: %s", err, text)
	}
	return nil
}

// clockTick is the unit of times in /proc/PID/stat: 1/100 s on every platform that Go runs Linux on.
const clockTick = 10 * time.Millisecond

// cpu is the processor time used so far, in user mode and in the kernel, of all threads.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The program's name in brackets may hold blanks; utime and stime are fields 14 and 15 (proc(5)).
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is short", p.cmd.Process.Pid)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return 0, err
	}
	return time.Duration(user+system) * clockTick, nil
}

// peakMemory is the largest resident set so far, in bytes.
func (p *process) peakMemory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmHWM", p.cmd.Process.Pid)
}
