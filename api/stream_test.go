package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A listener is one client of the stream.
type listener struct {
	t    *testing.T
	resp *http.Response
	from *bufio.Reader
}

type heard struct{ id, event, data string }

// listen opens a stream; query is "" or begins with a question mark.
func (s *site) listen(t *testing.T, query, last string) *listener {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.keys["read"])
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	return &listener{t, resp, bufio.NewReader(resp.Body)}
}

// next reads one event.
func (l *listener) next() heard {
	l.t.Helper()
	var e heard
	for {
		line, err := l.from.ReadString('\n')
		if err != nil {
			l.t.Fatalf("the stream ended: %v", err)
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			return e
		default:
			l.t.Fatalf("a line %q", line)
		}
	}
}

// until returns the names of events up to one with that name. A heartbeat may come between any others.
func (l *listener) until(event string) (names []string, last heard) {
	l.t.Helper()
	for last.event != event {
		if last = l.next(); last.event == event || last.event != "heartbeat" {
			names = append(names, last.event)
		}
	}
	return names, last
}

// soon is the next event but for heartbeats.
func (l *listener) soon() heard {
	l.t.Helper()
	for {
		if e := l.next(); e.event != "heartbeat" {
			return e
		}
	}
}

// leave closes the stream, and returns when the server has noticed.
func (l *listener) leave(s *site) {
	l.t.Helper()
	_ = l.resp.Body.Close()
	h := s.api.streams
	for left := true; left; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		left = len(h.clients) > 0
		h.mu.Unlock()
	}
}

func TestStream(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "before")
	l := s.listen(t, "", "")
	if first := l.next(); first.event != "heartbeat" || first.id != "2.0" {
		t.Fatalf("it begins with %+v", first)
	}
	f := s.addFailures(t, 2, classify.ScopeGap, "prod", "client-b")
	names, e := l.until("failure")
	if !slices.Equal(names, []string{"incident_opened", "failure"}) {
		t.Errorf("%q", names)
	}
	var got feedJSON
	if err := json.Unmarshal([]byte(e.data), &got); err != nil || got.ID != e.id || got.FailureID != f[0].ID || got.IncidentID != f[0].IncidentID || got.Failure.Verdict.Cause != classify.ScopeGap {
		t.Errorf("%v: %s", err, e.data)
	}
	if a := s.do(t, ask{method: "PATCH", path: "/api/v1/incidents/" + f[0].IncidentID, who: "respond", body: `{"state":"resolved"}`, header: map[string]string{"Content-Type": "application/json"}}); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	_, e = l.until("incident_resolved")
	if err := json.Unmarshal([]byte(e.data), &got); err != nil || got.Incident.State != store.StateResolved {
		t.Errorf("%v: %s", err, e.data)
	}
}

func TestStream_Filter(t *testing.T) {
	s := newSite(t)
	l := s.listen(t, "?about=failures&cause=scope_gap&"+url.Values{"q": {"client:b* -status:403"}}.Encode(), "")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "b1")
	s.addFailures(t, 1, classify.ScopeGap, "prod", "a1")
	s.addFailures(t, 1, classify.ScopeGap, "prod", "b2")
	l.until("heartbeat")
	if e := l.soon(); e.event != "failure" || !strings.Contains(e.data, `"client_id":"b2"`) {
		t.Errorf("%+v", e)
	}
	for query, parameter := range map[string]string{"?q=nofield:x": "q", "?cause=none": "cause", "?colour=red": "colour", "?after=1": "after", "?about=all": "about"} {
		p := problemIn(t, s.do(t, ask{path: "/api/v1/stream" + query, who: "read"}), http.StatusBadRequest)
		if len(p.Errors) != 1 || p.Errors[0].Parameter != parameter {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

func TestStream_Resumes(t *testing.T) {
	s := newSite(t)
	l := s.listen(t, "?about=failures", "")
	s.addFailures(t, 3, classify.ScopeGap, "prod", "client-b")
	l.until("failure")
	second := l.soon()
	l.leave(s)                                                       // else the hub goes on from where it was, and the rest comes as news
	s.addFailures(t, 500, classify.TokenExpired, "prod", "client-c") // more than waits for anybody
	l = s.listen(t, "?about=failures&after=1.0", second.id)          // the header counts
	clients := map[string]int{}
	for range 501 {
		e := l.soon()
		for _, client := range []string{"client-b", "client-c"} {
			if strings.Contains(e.data, `"client_id":"`+client+`"`) {
				clients[client]++
			}
		}
	}
	if clients["client-b"] != 1 || clients["client-c"] != 500 {
		t.Errorf("%v", clients)
	}
	if e := l.next(); e.event != "heartbeat" {
		t.Errorf("after what was missed: %+v", e)
	}
	if e := s.listen(t, "?after=1.0&about=failures", "").next(); e.event != "failure" {
		t.Errorf("after in the address: %+v", e)
	}
	if e := s.listen(t, "", "77.0").next(); e.event != "reset" {
		t.Errorf("a place that is not there: %+v", e)
	}
}

// TestStream_Slow has the hub hand out more than waits for a client that does not take it.
func TestStream_Slow(t *testing.T) {
	c := &streamClient{wake: make(chan struct{}, 1)}
	some := func(n int) []streamEvent {
		return slices.Repeat([]streamEvent{{id: "1.1", name: "failure", data: []byte("{}")}}, n)
	}
	c.offer(some(streamBuffer-1), 0, false, store.FeedPosition{})
	c.offer(some(5), 0, false, store.FeedPosition{})
	c.offer(some(1), 7, false, store.FeedPosition{})
	b := c.take()
	if len(b.events) != streamBuffer || b.skipped != 4+1+7 || b.unread != 7 {
		t.Errorf("%d events, %d skipped, %d unread", len(b.events), b.skipped, b.unread)
	}
	if b := c.take(); len(b.events) != 0 || b.skipped != 0 {
		t.Errorf("taken twice: %+v", b)
	}
	var out strings.Builder
	rec := httptest.NewRecorder()
	e := newSite(t).api.echo.NewContext(httptest.NewRequest(http.MethodGet, "/", nil), rec)
	w, err := newEventWriter(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.batch(b); err != nil {
		t.Fatal(err)
	}
	out.WriteString(rec.Body.String())
	if !strings.HasSuffix(out.String(), `event: skipped`+"\n"+`data: {"count":12,"unread":7,"after":"1.1"}`+"\n\n") {
		t.Errorf("%s", out.String()[max(0, out.Len()-200):])
	}
}

// TestStream_Behind has a hub that cannot read as fast as others write: it skips to the end and says so.
func TestStream_Behind(t *testing.T) {
	s := newSite(t)
	m, err := newMetrics(testOptions(s.store, s.log, nil).Registry)
	if err != nil {
		t.Fatal(err)
	}
	h := newStreamHub(s.store, s.api.Logger, m)
	start, err := s.store.FeedEnd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &streamClient{wake: make(chan struct{}, 1)}
	h.clients[c], h.position = true, start
	s.addFailures(t, followSize+500, classify.ScopeGap, "prod", "client-b")
	if full, err := h.advance(t.Context(), false); err != nil || !full {
		t.Fatalf("%v, %v", full, err)
	}
	s.addFailures(t, followSize+700, classify.ScopeGap, "prod", "client-b")
	if full, err := h.advance(t.Context(), true); err != nil || full {
		t.Fatalf("%v, %v", full, err)
	}
	b := c.take()
	if want := 501 + 1700 - followSize; b.unread != want {
		t.Errorf("%d were not read, want %d", b.unread, want)
	}
	if end, err := s.store.FeedEnd(t.Context()); err != nil || h.position != end {
		t.Errorf("it is at %v of %v: %v", h.position, end, err)
	}
}

func TestStream_Limits(t *testing.T) {
	s := newSite(t)
	for range streamsOfOne {
		s.listen(t, "", "").until("heartbeat")
	}
	a := s.do(t, ask{path: "/api/v1/stream", who: "read"})
	problemIn(t, a, http.StatusTooManyRequests)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if a := s.do(t, ask{method: http.MethodHead, path: "/api/v1/stream", who: "read"}); a.status != http.StatusOK || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %+v", a)
	}
	for n := len(s.api.streams.clients); n < streamClients; n++ {
		if _, err := s.api.streams.join(t.Context(), store.FeedFilter{}, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.api.streams.join(t.Context(), store.FeedFilter{}, "one more")
	var p *problem
	if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
		t.Errorf("%v", err)
	}
}

func TestStream_EndsWithTheServer(t *testing.T) {
	s := newSite(t)
	l := s.listen(t, "", "")
	l.until("heartbeat")
	s.api.EndStreams()
	if _, err := l.from.ReadByte(); err == nil {
		t.Error("it goes on")
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/stream", who: "read"}), http.StatusServiceUnavailable)
}

// TestStream_OutlivesTheLimitsOfRequests: the server's limits of reading and answering a request are lifted, and each event has
// one of its own.
func TestStream_OutlivesTheLimitsOfRequests(t *testing.T) {
	s := newSite(t)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limits := &limits{ResponseWriter: w, t: t, read: time.Now(), write: time.Now()}
		s.api.ServeHTTP(limits, r)
		if !limits.read.IsZero() {
			t.Errorf("what a client sends is read until %v", limits.read)
		}
	}))
	t.Cleanup(s.Close)
	l := s.listen(t, "?about=failures", "")
	l.until("heartbeat")
	for range 2 {
		s.addFailures(t, 1, classify.ScopeGap, "prod", "client-b")
		l.until("failure")
	}
	l.leave(s)
}

// limits are those of a connection, and whether that of writing was set anew for what is written.
type limits struct {
	http.ResponseWriter
	t           *testing.T
	read, write time.Time
	anew        bool
}

func (l *limits) SetReadDeadline(to time.Time) error {
	l.read = to
	return nil
}

func (l *limits) SetWriteDeadline(to time.Time) error {
	l.anew = to.Sub(l.write) > 0 && time.Until(to) <= streamPatience
	l.write = to
	return nil
}

func (l *limits) Write(b []byte) (int, error) {
	if !l.anew {
		l.t.Errorf("%q has the limit of what was written before it, %v", b, l.write)
	}
	l.anew = false
	return l.ResponseWriter.Write(b)
}

func (l *limits) Flush() { l.ResponseWriter.(http.Flusher).Flush() }

// TestStream_Revoked ends a stream whose key was revoked, and calls that no error.
func TestStream_Revoked(t *testing.T) {
	s := newSite(t)
	for who, want := range map[string]bool{"read": true, "ingest": false, "revoked": false} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/stream", nil)
		r.Header.Set("Authorization", "Bearer "+s.keys[who])
		if stays, err := s.api.mayStay(s.api.echo.NewContext(r, httptest.NewRecorder())); err != nil || stays != want {
			t.Errorf("%s: %v, %v", who, stays, err)
		}
	}
}

// TestStream_LastClient leaves nothing behind that reads the database.
func TestStream_LastClient(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := s.api.streams.join(ctx, store.FeedFilter{}, "one")
	if err != nil {
		t.Fatal(err)
	}
	if s.api.streams.stop == nil {
		t.Error("nobody reads")
	}
	s.api.streams.leave(c)
	if s.api.streams.stop != nil || len(s.api.streams.clients) != 0 {
		t.Error("somebody still reads")
	}
}
