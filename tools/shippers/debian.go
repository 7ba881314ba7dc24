package shippers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// debian makes a command of a program that scripts/shippers.sh unpacked, with the libraries that came with it.
func debian(ctx context.Context, set, program string, args ...string) (*exec.Cmd, error) {
	root, err := filepath.Abs(filepath.Join("debian", set, "root"))
	if err != nil {
		return nil, err
	}
	var libraries []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu", "lib/*-linux-gnu", "usr/lib/syslog-ng", "lib/systemd"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		libraries = append(libraries, found...)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, program), args...)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	return cmd, nil
}

// plugins finds the folder of a daemon's modules.
func plugins(set, pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join("debian", set, "root", pattern))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s is not unpacked as expected: run scripts/shippers.sh: %w", set, err)
	}
	return filepath.Abs(found[0])
}

// configure writes conf/NAME with the job's own places in the place of the example's.
func (j job) configure(name string, places ...string) (path string, err error) {
	example, err := os.ReadFile(filepath.Join("conf", name))
	if err != nil {
		return "", err
	}
	path = filepath.Join(j.dir, name)
	return path, os.WriteFile(path, []byte(strings.NewReplacer(places...).Replace(string(example))), 0o600)
}

// daemon runs a command until done says so, and then asks it to end.
func (j job) daemon(ctx context.Context, cmd *exec.Cmd, done func() bool) error {
	said, err := os.Create(filepath.Join(j.dir, filepath.Base(cmd.Path)+".log"))
	if err != nil {
		return err
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(time.Minute)
	for !done() && time.Now().Before(deadline) && ctx.Err() == nil {
		time.Sleep(pause / 2)
	}
	ended := cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("run %s: %w", filepath.Base(cmd.Path), err)
	}
	return ended
}

// grow writes the records to a file as a service would, line after line.
func (j job) grow() (path string, wait func() error, err error) {
	path = filepath.Join(j.dir, "crates.log")
	file, err := os.Create(path)
	if err != nil {
		return "", nil, err
	}
	done := make(chan error, 1)
	go func() {
		defer file.Close()
		for n, r := range j.records {
			if _, err := file.Write(append(r.JSON[:len(r.JSON):len(r.JSON)], '\n')); err != nil {
				done <- err
				return
			}
			if n%50 == 49 {
				time.Sleep(300 * time.Millisecond)
			}
		}
		done <- nil
	}()
	return path, func() error { return <-done }, nil
}

// syslogNG follows a file of lines. Its word is its statistics: written is acknowledged by the other side.
func syslogNG(ctx context.Context, j job) ([]string, error) {
	file, written, err := j.grow()
	if err != nil {
		return nil, err
	}
	conf, err := j.configure("syslog-ng.conf", "/var/log/crates.log", file, "http://authwatch.example", j.url, "KEY", j.key)
	if err != nil {
		return nil, err
	}
	modules, err := plugins("syslog-ng", "usr/lib/syslog-ng/[0-9]*")
	if err != nil {
		return nil, err
	}
	control := filepath.Join(j.dir, "ctl")
	cmd, err := debian(ctx, "syslog-ng", "usr/sbin/syslog-ng", "--foreground", "--no-caps", "--module-path", modules, "--cfgfile", conf,
		"--persist-file", filepath.Join(j.dir, "persist"), "--control", control, "--pidfile", filepath.Join(j.dir, "pid"))
	if err != nil {
		return nil, err
	}
	taken := ""
	err = j.daemon(ctx, cmd, func() bool {
		ask, err := debian(ctx, "syslog-ng", "usr/sbin/syslog-ng-ctl", "stats", "--control", control)
		if err != nil {
			return true
		}
		out, _ := ask.Output() // an error says that it has not begun to listen
		for line := range strings.Lines(string(out)) {
			if f := strings.Split(strings.TrimSpace(line), ";"); len(f) == 6 && f[0] == "dst.http" && f[4] == "written" {
				taken = f[5]
			}
		}
		return taken == fmt.Sprint(len(j.records))
	})
	if err := errors.Join(err, written()); err != nil {
		return nil, err
	}
	if taken != fmt.Sprint(len(j.records)) {
		return nil, fmt.Errorf("syslog-ng says that %q of %d lines are written", taken, len(j.records))
	}
	return requestIDs(j.records), nil
}

// rsyslog follows a file of lines. Its word is its statistics, and the file in which it puts what was refused.
func rsyslog(ctx context.Context, j job) ([]string, error) {
	file, written, err := j.grow()
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(j.url)
	if err != nil {
		return nil, err
	}
	errorFile, stats := filepath.Join(j.dir, "errors.json"), filepath.Join(j.dir, "stats.json")
	conf, err := j.configure("rsyslog.conf", "/var/log/crates.log", file, "/var/log/errors.json", errorFile, "/var/log/stats.json", stats,
		"/var/spool/rsyslog", j.dir, "authwatch.example", target.Hostname(), "443", target.Port(), "KEY", j.key)
	if err != nil {
		return nil, err
	}
	modules, err := plugins("rsyslog", "usr/lib/*-linux-gnu/rsyslog")
	if err != nil {
		return nil, err
	}
	cmd, err := debian(ctx, "rsyslog", "usr/sbin/rsyslogd", "-n", "-f", conf, "-M", modules, "-i", filepath.Join(j.dir, "pid"))
	if err != nil {
		return nil, err
	}
	err = j.daemon(ctx, cmd, func() bool { return drained(stats, len(j.records)) })
	if err := errors.Join(err, written()); err != nil {
		return nil, err
	}
	refused, err := os.ReadFile(errorFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var held []string
	for _, id := range requestIDs(j.records) {
		if !strings.Contains(string(refused), id) {
			held = append(held, id)
		}
	}
	return held, nil
}

// drained is true when rsyslog has processed so many lines and none waits.
func drained(stats string, want int) bool {
	text, err := os.ReadFile(stats)
	if err != nil {
		return false
	}
	processed, waiting := 0, -1
	for line := range strings.Lines(string(text)) {
		var s struct {
			Name, Origin    string
			Processed, Size int
		}
		if json.Unmarshal([]byte(line[max(0, strings.IndexByte(line, '{')):]), &s) != nil {
			continue
		}
		if s.Origin == "core.action" && s.Processed > processed {
			processed = s.Processed
		}
		if strings.HasPrefix(s.Name, "action-0") && s.Origin == "core.queue" {
			waiting = s.Size
		}
	}
	return processed >= want && waiting == 0
}

// journalUpload uploads a journal in which the records are messages. Its word is its exit status; it is started again after an
// error, as systemd does, and goes on at the cursor that it has saved.
func journalUpload(ctx context.Context, j job) ([]string, error) {
	export := filepath.Join(j.dir, "export")
	var text strings.Builder
	for n, r := range j.records {
		fmt.Fprintf(&text, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\nSYSLOG_IDENTIFIER=crates\nPRIORITY=6\nMESSAGE=%s\n\n",
			time.Now().UnixMicro(), n+1, 7, r.JSON)
	}
	if err := os.WriteFile(export, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	journal := filepath.Join(j.dir, "crates.journal")
	write, err := debian(ctx, "journal", "lib/systemd/systemd-journal-remote", "--output", journal, export)
	if err != nil {
		return nil, err
	}
	if _, err := j.output(write); err != nil {
		return nil, err
	}
	return supervised(func(ctx context.Context, j job) ([]string, error) {
		upload, err := debian(ctx, "journal", "lib/systemd/systemd-journal-upload", "--url", strings.Replace(j.url, "://", "://shipper:"+j.key+"@", 1)+"/ingest/journal",
			"--file", journal, "--follow=no", "--save-state="+filepath.Join(j.dir, "state"))
		if err != nil {
			return nil, err
		}
		_, err = j.output(upload)
		return requestIDs(j.records), err
	})(ctx, j)
}
