package ingest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"authwatch/store"
)

// A wire is one protocol as its shippers speak it.
type wire struct {
	name   string
	method string // "" is POST
	path   string
	header map[string]string
	key    func(key string) (name, value string)        // how a shipper carries its key
	wrap   func(t testing.TB, records ...string) string // puts native records into one body
	ok     int                                          // status of a body that was taken
	said   string                                       // what the answer must hold then
	partly string                                       // what it must hold when the second of three records was not taken
	junk   string                                       // a body that is not of the protocol
	refuse int                                          // its status
	wrong  int                                          // status of an unknown key
}

func bearer(key string) (name, value string) { return "Authorization", "Bearer " + key }

func basic(key string) (name, value string) {
	return "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("shipper:"+key))
}

func (w wire) request(t testing.TB, base, key, body string) *http.Request {
	t.Helper()
	method := w.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, base+w.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range w.header {
		req.Header.Set(name, value)
	}
	if key != "" {
		req.Header.Set(w.key(key))
	}
	return req
}

// ship sends a body by the protocol.
func (s *service) ship(w wire, key, body string) (*http.Response, string) {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(w.request(s.t, s.server.URL, key, body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

// mustShip sends a body that the protocol must take.
func (s *service) mustShip(w wire, body string) string {
	s.t.Helper()
	resp, text := s.ship(w, s.key, body)
	if resp.StatusCode != w.ok || !strings.Contains(text, w.said) {
		s.t.Fatalf("status %d: %q", resp.StatusCode, text)
	}
	return text
}

// wires lists every protocol of shippers. A protocol that is not here is not tested for what all of them promise.
func wires() []wire {
	return []wire{
		otlpJSONWire(), otlpProtoWire(), elasticWire(), lokiJSONWire(), lokiProtoWire(), splunkWire(), splunkRawWire(),
		datadogWire(), firehoseWire(), logpushWire(), journalWire(),
	}
}

// eachWire runs a test for each protocol, each with a service of its own.
func eachWire(t *testing.T, test func(t *testing.T, s *service, w wire)) {
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) { test(t, newService(t, testProfile()), w) })
	}
}

// shippedRecords are two failures and a success, without ids, so that what they have in common is their content.
func shippedRecords() []string {
	without := func(record, id string) string { return strings.Replace(record, fmt.Sprintf(`"id":%q,`, id), "", 1) }
	return []string{
		without(tokenRequest(1, "a", 401, `,"client_assertion":`+assertionAt(1, "j1", "https://api.lab.test")), "a"),
		without(apiCall(2, "b", 401, "t1", second(-60)), "b"),
		without(apiCall(3, "c", 200, "t2", second(3000)), "c"),
	}
}

func TestShippers_EqualNative(t *testing.T) {
	native := newService(t, testProfile())
	records := shippedRecords()
	native.post(responses, strings.Join(records, "\n"))
	want := native.snapshot()
	if len(want.Incidents) != 2 {
		t.Fatalf("the native route shows %d incidents", len(want.Incidents))
	}
	eachWire(t, func(t *testing.T, s *service, w wire) {
		s.mustShip(w, w.wrap(t, records...))
		if got := s.snapshot(); !reflect.DeepEqual(got, want) {
			t.Errorf("by the protocol\n%+v\nby the native route\n%+v", got, want)
		}
	})
}

// The same records again, in the same body, one by one, and by the native route, change nothing.
func TestShippers_Redelivery(t *testing.T) {
	eachWire(t, func(t *testing.T, s *service, w wire) {
		records := shippedRecords()
		s.mustShip(w, w.wrap(t, records...))
		want := s.snapshot()
		s.mustShip(w, w.wrap(t, records...))
		s.mustShip(w, w.wrap(t, records[2], records[0]))
		s.mustShip(w, w.wrap(t, records[1]))
		if a := s.post(responses, strings.Join(records, "\n")); a.Duplicates != 3 {
			t.Errorf("the native route takes them for others: %+v", a)
		}
		if got := s.snapshot(); !reflect.DeepEqual(got, want) {
			t.Errorf("after redelivery\n%+v\nbefore\n%+v", got, want)
		}
	})
}

// A bad record costs only itself, and log lines that are no exchange cost nothing.
func TestShippers_BadRecord(t *testing.T) {
	eachWire(t, func(t *testing.T, s *service, w wire) {
		records := shippedRecords()
		records[1] = `{"time":"1926-11-22T03:00:00Z","response":{"status":401}}`
		resp, text := s.ship(w, s.key, w.wrap(t, records...))
		if resp.StatusCode != w.ok || !strings.Contains(text, w.partly) {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
		if n := len(s.failures()); n != 1 {
			t.Errorf("%d failures, want the one beside the bad record", n)
		}
		s.mustShip(w, w.wrap(t, `{"time":"2026-11-22T03:00:00Z","level":"info","user":"u1"}`))
	})
}

func TestShippers_Keys(t *testing.T) {
	eachWire(t, func(t *testing.T, s *service, w wire) {
		body := w.wrap(t, shippedRecords()...)
		for key, status := range map[string]int{"": 401, "aw_ingest_00000000_x": w.wrong, s.newKey(store.ScopeRead): 403} {
			resp, text := s.ship(w, key, body)
			if resp.StatusCode != status {
				t.Errorf("with %q: %d %s", key, resp.StatusCode, text)
			}
			if strings.Contains(text, s.key) || key != "" && strings.Contains(text, key) {
				t.Errorf("the answer quotes a key: %s", text)
			}
		}
		if n := len(s.failures()); n != 0 {
			t.Errorf("%d failures are stored", n)
		}
		name, value := bearer(s.key)
		w.key = func(string) (string, string) { return name, value }
		s.mustShip(w, body)
	})
}

func TestShippers_UnreadableBody(t *testing.T) {
	eachWire(t, func(t *testing.T, s *service, w wire) {
		resp, text := s.ship(w, s.key, w.junk)
		if resp.StatusCode != w.refuse {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
		w.method = http.MethodDelete
		if resp, _ := s.ship(w, s.key, w.junk); resp.StatusCode != 405 || resp.Header.Get("Allow") == "" {
			t.Errorf("DELETE: %d", resp.StatusCode)
		}
	})
}

// Whether there is no room for one more request, or for its records in the store, shippers must come again.
func TestShippers_Overload(t *testing.T) {
	eachWire(t, func(t *testing.T, s *service, w wire) {
		in, err := New(Options{
			Store: s.store, Profiles: testProfile(), Redactor: testRedactor(t), Registerer: newRegistry(), Now: testNow, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		body := w.wrap(t, shippedRecords()...)
		in.quota.slots = 0
		rec := httptest.NewRecorder()
		in.Handler().ServeHTTP(rec, w.request(t, "", s.key, body))
		if wait, err := strconv.Atoi(rec.Header().Get("Retry-After")); rec.Code != 503 || err != nil || wait < 1 || wait > 3 {
			t.Errorf("all slots taken: %d, Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
		}
		release := s.fillStore()
		resp, text := s.ship(w, s.key, body)
		release()
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("store full: %d %s", resp.StatusCode, text)
		}
		s.mustShip(w, body)
		if n := len(s.failures()); n != 2 {
			t.Errorf("%d failures after the shipper came again", n)
		}
	})
}

// Clients that lose what is answered with an error get no answer when they have to come again.
func TestShippers_CutOff(t *testing.T) {
	rsyslog, needle := elasticWire(), splunkWire()
	rsyslog.path, rsyslog.header["User-Agent"] = "/_bulk", ""
	needle.header["User-Agent"] = "Needle/3.3.1 (Node.js v20.20.2; linux x64)"
	for _, w := range []wire{rsyslog, needle} {
		s := newService(t, testProfile())
		body := w.wrap(t, shippedRecords()...)
		release := s.fillStore()
		resp, err := http.DefaultClient.Do(w.request(t, s.server.URL, s.key, body))
		release()
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s was answered: %s", w.name, resp.Status)
		}
		s.mustShip(w, body)
	}
}

// fillStore makes the store refuse writes until release is called.
func (s *service) fillStore() (release func()) {
	s.t.Helper()
	ctx, held, started, full := context.Background(), make(chan struct{}), make(chan struct{}), make(chan struct{})
	var blocked, waiting sync.WaitGroup
	var once, refused sync.Once
	blocked.Go(func() {
		s.store.Write(ctx, func(context.Context, *store.Tx) error {
			once.Do(func() { close(started) })
			<-held
			return nil
		})
	})
	<-started
	for range 300 { // more than wait in the store's queue
		waiting.Go(func() {
			err := s.store.Write(ctx, func(context.Context, *store.Tx) error { return nil })
			if errors.Is(err, store.ErrBusy) {
				refused.Do(func() { close(full) })
			}
		})
	}
	<-full
	return func() {
		close(held)
		blocked.Wait()
		waiting.Wait()
	}
}

// quoted is a text as a JSON string.
func quoted(t testing.TB, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What a vector forbids reaches no file, no log line and no answer, by whichever protocol its record comes, whole or broken.
func TestShippers_NothingLeaks(t *testing.T) {
	var records, broken, forbidden []string
	for _, v := range vectors(t) {
		record := oneLine(string(v.Record))
		records = append(records, record)
		broken = append(broken, strings.Replace(record, "2026-", "1926-", 1), record[:len(record)-2])
		forbidden = append(forbidden, v.Forbid...)
	}
	eachWire(t, func(t *testing.T, s *service, w wire) {
		var answers strings.Builder
		for _, body := range []string{w.wrap(t, records...), w.wrap(t, records...), w.wrap(t, broken...), strings.Join(broken, "\n"), w.wrap(t, records...)[1:]} {
			_, text := s.ship(w, s.key, body)
			answers.WriteString(text)
		}
		if len(s.failures()) == 0 {
			t.Error("nothing was stored")
		}
		s.assertClean([]byte(answers.String()), forbidden)
	})
}
