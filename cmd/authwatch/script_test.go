package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"authwatch": main})
}

// TestScript runs the command line as people do. The scripts' own commands: exits STATUS COMMAND…, freeport VARIABLE,
// ready URL, http METHOD URL KEY|- [FILE], which prints the status and then the body, keyenv VARIABLE FILE, field VARIABLE FILE EXPRESSION,
// revoke DATABASE NAME, and sigterm DATABASE, which stops the process that serves it.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else every command takes a second to end: the race detector waits for other goroutines' races
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":    scriptExits,
			"freeport": freePorts(),
			"ready":    scriptReady,
			"http":     scriptHTTP,
			"keyenv":   scriptKeyEnv,
			"field":    scriptField,
			"revoke":   scriptRevoke,
			"sigterm":  scriptSigterm,
		},
	})
}

func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exited %d, want %d\n%s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stderr"))
	}
}

// freePorts sets variables to ports for servers that are started later. They are below those that the system gives to whoever
// asks for any, so that nobody is given one meanwhile, and no two are the same.
func freePorts() func(*testscript.TestScript, bool, []string) {
	const first, count = 12_000, 8_000
	var next atomic.Int64
	next.Store(int64(os.Getpid()) * 37)
	return func(ts *testscript.TestScript, _ bool, args []string) {
		for range count {
			port := strconv.FormatInt(first+next.Add(1)%count, 10)
			if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
				ts.Check(l.Close())
				ts.Setenv(args[0], port)
				return
			}
		}
		ts.Fatalf("no port is free")
	}
}

func scriptReady(ts *testscript.TestScript, _ bool, args []string) {
	last := "no answer"
	for range 1200 {
		resp, err := http.Get(args[0] + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			last = resp.Status
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s is not ready: %s", args[0], last)
}

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	var body io.Reader
	if len(args) > 3 {
		file, err := os.Open(ts.MkAbs(args[3]))
		ts.Check(err)
		defer file.Close()
		body = file
	}
	req, err := http.NewRequest(args[0], args[1], body)
	ts.Check(err)
	if args[2] != "-" {
		req.Header.Set("Authorization", "Bearer "+args[2])
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	fmt.Fprintln(ts.Stdout(), resp.StatusCode)
	for _, name := range []string{"Content-Type", "WWW-Authenticate", "Retry-After"} {
		if v := resp.Header.Get(name); v != "" {
			fmt.Fprintf(ts.Stdout(), "%s: %s\n", name, v)
		}
	}
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}

// scriptKeyEnv puts a printed key into a variable.
func scriptKeyEnv(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// scriptField sets a variable to what the group of an expression matches in a file: field NAME FILE EXPRESSION.
func scriptField(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if m == nil {
		ts.Fatalf("%s does not hold %s", args[1], args[2])
	}
	ts.Setenv(args[0], m[1])
}

// scriptRevoke revokes the key of that name.
func scriptRevoke(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("authwatch", "key", "list", "--db", args[0]))
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == args[1] {
			ts.Check(ts.Exec("authwatch", "key", "revoke", "--db", args[0], fields[0]))
			return
		}
	}
	ts.Fatalf("no key %s", args[1])
}

// scriptSigterm stops a server as an init system does; it is found as a second server finds it, by the lock.
func scriptSigterm(ts *testscript.TestScript, _ bool, args []string) {
	var pid int
	_, err := fmt.Sscanf(ts.ReadFile(args[0]+".lock"), "process %d", &pid)
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
}
