package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestTail_GoesOn has a server whose streams break: tail takes each up where it was, and says what it did not get.
func TestTail_GoesOn(t *testing.T) {
	var tries atomic.Int32
	failure := func(n int) string {
		return fmt.Sprintf("id: 1.%d\nevent: failure\ndata: {\"failure\":{\"id\":\"rec_%d\",\"time\":\"2026-11-22T12:00:0%dZ\",\"client_id\":\"c\",\"cause\":\"scope_gap\",\"status\":401}}\n\n", n, n, n)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer aw_key" || r.URL.Query().Get("q") != "client:c" || r.URL.Query().Get("about") != "failures" {
			t.Errorf("%s with %q", r.URL, got)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		switch last := r.Header.Get("Last-Event-ID"); tries.Add(1) {
		case 1:
			if last != "" {
				t.Errorf("it begins at %q", last)
			}
			fmt.Fprint(w, "id: 1.0\nevent: heartbeat\ndata: {}\n\n"+failure(1)+"event: skipped\ndata: {\"count\":7}\n\n")
		case 2:
			if last != "1.1" {
				t.Errorf("it goes on at %q", last)
			}
			fmt.Fprint(w, "event: reset\ndata: {\"reason\":\"too old\\u001b[2J\"}\n\n"+failure(2)+strings.Replace(failure(2), "event: failure", "event: failure_revised", 1)+failure(3))
		default:
			t.Error("asked once more")
		}
	}))
	defer server.Close()
	var stdout, stderr buffer
	env := func(name string) string { return map[string]string{"AUTHWATCH_KEY": "aw_key"}[name] }
	status := run(context.Background(), []string{"tail", "--url", server.URL, "-q", "client:c", "-n", "4"}, env, nil, &stdout, &stderr)
	if status != exitOK {
		t.Errorf("exit status %d", status)
	}
	want := "2026-11-22T12:00:01.000Z  -  c  scope_gap ()  401  \n2026-11-22T12:00:02.000Z  -  c  scope_gap ()  401  \n" +
		"2026-11-22T12:00:02.000Z  -  c  scope_gap ()  401  revised  \n2026-11-22T12:00:03.000Z  -  c  scope_gap ()  401  \n"
	if stdout.String() != want {
		t.Errorf("shows %q", stdout.String())
	}
	for _, need := range []string{"7 more at once", "the server has ended the stream; trying again", "connected again", `a gap: too old\x1b[2J`} {
		if !strings.Contains(stderr.String(), need) {
			t.Errorf("does not say %q: %s", need, stderr.String())
		}
	}
}

// TestTail_Refused ends where asking again would not help.
func TestTail_Refused(t *testing.T) {
	for body, media := range map[string]string{"<html>": "text/html", "{}": "application/json"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			fmt.Fprint(w, body)
		}))
		var stdout, stderr buffer
		env := func(string) string { return "aw_key" }
		if status := run(context.Background(), []string{"tail", "--url", server.URL}, env, nil, &stdout, &stderr); status == exitOK || !strings.Contains(stderr.String(), "does not stream as authwatch does") {
			t.Errorf("%d: %s", status, stderr.String())
		}
		server.Close()
	}
}
