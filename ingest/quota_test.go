package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"authwatch/store"
)

func keyNamed(id string) store.APIKey { return store.APIKey{ID: id} }

// Noisy keys leave room: each takes half of what is left at most.
func TestQuota_Fair(t *testing.T) {
	q := newQuota(0, time.Now)
	var held []*share
	for n, want := range []int{32, 16, 8, 4, 2, 1, 1} {
		key, got := keyNamed(fmt.Sprint(n)), 0
		for range maxRequests {
			s, p := q.admit(key)
			if p != nil {
				if p.Status != http.StatusServiceUnavailable {
					t.Errorf("status %d", p.Status)
				}
				break
			}
			held = append(held, s)
			got++
		}
		if got != want {
			t.Errorf("key %d took %d slots, want %d", n, got, want)
		}
	}
	for _, s := range held {
		s.release()
	}
	if q.slots != maxRequests || q.bytes != maxBodies || len(q.keys) != 0 {
		t.Errorf("%d slots, %d bytes, %d keys", q.slots, q.bytes, len(q.keys))
	}
}

func TestQuota_Bytes(t *testing.T) {
	q := newQuota(0, time.Now)
	a, _ := q.admit(keyNamed("a"))
	b, _ := q.admit(keyNamed("b"))
	if !a.hold(maxInflated) {
		t.Error("the largest body finds no room where nothing else is")
	}
	if a.hold(maxBodies) || b.hold(maxInflated) {
		t.Error("more was held than there is")
	}
	if !b.hold((maxBodies-maxInflated)/2) || !a.hold(1<<20) || !b.hold(40<<20) {
		t.Error("what was given back is not to be had")
	}
	a.release()
	b.release()
	if q.bytes != maxBodies {
		t.Errorf("%d bytes", q.bytes)
	}
}

func TestQuota_Rate(t *testing.T) {
	now := time.Unix(0, 0)
	q := newQuota(100, func() time.Time { return now })
	own := store.APIKey{ID: "own", Rate: 10}
	send := func(key store.APIKey, records int) int {
		s, p := q.admit(key)
		if p != nil {
			return p.retryAfter
		}
		s.charge(records)
		s.release()
		return 0
	}
	for _, step := range []struct {
		key     store.APIKey
		records int
		wait    int // seconds; 0: taken
		after   time.Duration
	}{
		{keyNamed("a"), 1500, 0, 0}, // ten seconds' worth at once, and what is above is a debt
		{keyNamed("a"), 1, 6, 0},
		{keyNamed("b"), 1, 0, 0},
		{keyNamed("a"), 1, 3, 3 * time.Second},
		{keyNamed("a"), 1, 0, 2100 * time.Millisecond},
		{own, 1000, 0, 0},
		{own, 1, 60, 0},
		{own, 1, 60, 10 * time.Second},
		{own, 1, 0, 81 * time.Second},
	} {
		now = now.Add(step.after)
		if got := send(step.key, step.records); got != step.wait {
			t.Errorf("%+v: wait %d", step, got)
		}
	}
}

// A key over its rate hears so and when to come again; another key's records go on.
func TestQuota_OverRate(t *testing.T) {
	s := newService(t, nil)
	noisy, quiet := s.key, s.newKey(store.ScopeIngest)
	if err := s.store.SetKeyRate(context.Background(), s.source().Key.ID, 1); err != nil {
		t.Fatal(err)
	}
	list, err := s.store.ListKeys(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range list { // the two were made at the same moment: set the one that is noisy
		if strings.Contains(noisy, k.ID) {
			err = s.store.SetKeyRate(context.Background(), k.ID, 1)
		} else {
			err = s.store.SetKeyRate(context.Background(), k.ID, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.key = noisy
	s.post(responses, strings.Repeat(goodRecord+"\n", 100))
	resp, text := s.send(responses, goodRecord)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "60" || !strings.Contains(text, "records a second") {
		t.Errorf("%d %q %s", resp.StatusCode, resp.Header.Get("Retry-After"), text)
	}
	s.key = quiet
	s.post(responses, goodRecord)
}

func TestGuessGuard(t *testing.T) {
	now := time.Unix(0, 0)
	g := newGuessGuard(func() time.Time { return now })
	for n := range guesses {
		if wait := g.wrong("192.0.2.1:1234"); wait != 0 {
			t.Fatalf("guess %d waits %v", n, wait)
		}
	}
	if g.wrong("192.0.2.1:99") == 0 || g.wrong("192.0.2.2:99") != 0 {
		t.Error("not by address")
	}
	now = now.Add(guessEvery)
	if g.wrong("192.0.2.1:99") != 0 || g.wrong("192.0.2.1:99") == 0 {
		t.Error("not one more after the time")
	}
	for n := range guesses {
		g.wrong(fmt.Sprintf("[2001:db8::%x]:1", n))
	}
	if g.wrong("[2001:db8::ffff:1]:1") == 0 || g.wrong("[2001:db8:0:1::1]:1") != 0 {
		t.Error("not by /64")
	}
	for n := range guessNetworks * 2 {
		g.wrong(fmt.Sprintf("10.%d.%d.%d:1", n>>16, n>>8&255, n&255))
	}
	if len(g.networks) > guessNetworks {
		t.Errorf("%d networks", len(g.networks))
	}
}

// Wrong keys are slowed down, and a right key from the same address is not.
func TestHandler_Guessing(t *testing.T) {
	s := newService(t, nil)
	for n := range guesses + 5 {
		resp, _ := s.send(responses, goodRecord, "Authorization", "Bearer aw_ingest_00000000_"+strings.Repeat("x", 43))
		if want := map[bool]int{true: 401, false: 429}[n < guesses]; resp.StatusCode != want || (want == 429) != (resp.Header.Get("Retry-After") != "") {
			t.Fatalf("guess %d: %d, Retry-After %q", n, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
	s.post(responses, goodRecord)
}

// bomb is a gzip of that many blanks.
func bomb(t testing.TB, size int) string {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	blank := make([]byte, 1<<20)
	for left := size; left > 0; left -= len(blank) {
		w.Write(blank[:min(left, len(blank))])
	}
	w.Close()
	return out.String()
}

// Bodies of every encoding are read whole, also those that are inflated in two goes and those without a length.
func TestReadBody_Sizes(t *testing.T) {
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, directly - 1, directly, directly + 1, 5<<20 + 3} {
		body := strings.Repeat("abcdefg ", size/8+1)[:size]
		for _, encoding := range []string{"", "gzip"} {
			sent := body
			if encoding != "" {
				sent = zip(body)
			}
			for _, length := range []int64{int64(len(sent)), -1} {
				r, err := http.NewRequest("POST", "/", io.NopCloser(strings.NewReader(sent)))
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = length
				r.Header.Set("Content-Encoding", encoding)
				q := newQuota(0, time.Now)
				s, _ := q.admit(keyNamed("a"))
				got, err := readBody(nil, r, maxInflated, s)
				if err != nil || string(got) != body {
					t.Errorf("%d bytes, %q, length %d: %d bytes, %v", size, encoding, length, len(got), err)
				}
				if s.bytes < len(got) {
					t.Errorf("%d bytes are held of %d", s.bytes, len(got))
				}
			}
		}
	}
}

// A body for which there is no room is refused before it costs anything.
func TestReadBody_NoRoom(t *testing.T) {
	for name, tt := range map[string]struct {
		body, encoding string
	}{"as sent": {strings.Repeat(" ", 8<<20), ""}, "inflated": {bomb(t, 32<<20), "gzip"}} {
		r, err := http.NewRequest("POST", "/", io.NopCloser(strings.NewReader(tt.body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Encoding", tt.encoding)
		q := newQuota(0, time.Now)
		q.bytes = 6 << 20
		s, _ := q.admit(keyNamed("a"))
		if _, err := readBody(nil, r, maxInflated, s); err == nil || err.(*problem).Status != 503 {
			t.Errorf("%s: %v", name, err)
		}
		if s.release(); q.bytes != 6<<20 {
			t.Errorf("%s: %d bytes are left", name, q.bytes)
		}
	}
}

// The deadline moves with what has come: a slow but steady body is read, one that hardly comes is not.
func TestPatientReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name  string
			size  int
			pause time.Duration // between bytes
			cut   bool
		}{
			{"a byte a second", 200, time.Second, true},
			{"at once", 200, 0, false},
			{"a small one in 20 seconds", 20, time.Second, false},
		} {
			server, client := net.Pipe()
			go func() {
				for range tt.size {
					time.Sleep(tt.pause)
					if _, err := client.Write([]byte("x")); err != nil {
						return
					}
				}
				client.Close()
			}()
			var until time.Time
			_, err := io.ReadAll(newPatientReader(deadlines{conn: server, until: &until}, server))
			if left := time.Until(until); !tt.cut && left < answerTime {
				t.Errorf("%s: %v are left for the answer", tt.name, left)
			}
			if cut := err != nil; cut != tt.cut || cut && !isTimeout(err) {
				t.Errorf("%s: %v", tt.name, err)
			}
			server.Close()
		}
	})
}

func isTimeout(err error) bool {
	known, _ := bodyProblem(err).(*problem)
	return known != nil && known.Status == http.StatusRequestTimeout
}

// deadlines is a response writer that has no more than the deadlines of its connection.
type deadlines struct {
	http.ResponseWriter
	conn  net.Conn
	until *time.Time
}

func (d deadlines) SetReadDeadline(t time.Time) error {
	*d.until = t
	return d.conn.SetReadDeadline(t)
}
func (d deadlines) SetWriteDeadline(t time.Time) error { return nil }

// Gzips inside a body are limited together.
func TestFirehose_BombInside(t *testing.T) {
	s := newService(t, nil)
	inner := base64.StdEncoding.EncodeToString([]byte(bomb(t, 40<<20)))
	body := `{"requestId":"r","timestamp":1,"records":[{"data":"` + inner + `"},{"data":"` + inner + `"},{"data":"` + base64.StdEncoding.EncodeToString([]byte(zip(goodRecord))) + `"}]}`
	resp, text := s.send("/ingest/firehose", body)
	if resp.StatusCode != 200 || !strings.Contains(text, "larger than") || len(s.failures()) != 1 {
		t.Errorf("%d %s, %d failures", resp.StatusCode, text, len(s.failures()))
	}
}

// A bomb is measured without being kept: the test reads the process's own largest size.
func TestBomb_Memory(t *testing.T) {
	s := newService(t, nil)
	sent := bomb(t, 256<<20)
	if len(sent) > 300<<10 {
		t.Fatalf("the bomb has %d bytes", len(sent))
	}
	s.post(responses, goodRecord)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil { // the peak counts from here
		t.Fatal(err)
	}
	before := peakKiB(t)
	for _, path := range []string{responses, "/ingest/otlp/v1/logs", "/_bulk", "/ingest/firehose"} {
		if resp, text := s.send(path, sent, "Content-Encoding", "gzip"); resp.StatusCode != 413 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
	if resp, text := s.send("/ingest/logpush", sent); resp.StatusCode != 413 {
		t.Errorf("logpush: %d %s", resp.StatusCode, text)
	}
	if grown := peakKiB(t) - before; grown > 64<<10 {
		t.Errorf("memory grew by %d KiB", grown)
	}
}

// peakKiB is the largest resident set of this process so far (proc(5)).
func peakKiB(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscanf(strings.TrimSpace(value), "%d kB", &kib); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kib
}
