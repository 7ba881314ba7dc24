package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func failureContract() []contractTest {
	return []contractTest{
		{"what was stored comes back, to the millisecond and in UTC", testFailureWhole},
		{"filters of failures", testFailureFilters},
		{"pages of failures are whole and stable", testFailurePages},
		{"a page never has more than 200 rows", testPageLimit},
		{"failures are found by request and by trace", testByRequest},
		{"an id that every request repeats pulls in only so much", testByRequestBounded},
	}
}

func testFailureWhole(t *testing.T, w *world) {
	zone := time.FixedZone("CET", 3600)
	f := fail(0, requestID("r-1"))
	f.RecordID, f.TraceID = "rec-1", "t-1"
	f.ReceivedAt = at(3).Add(1234567 * time.Nanosecond).In(zone)
	f.Record = json.RawMessage(`{"b": 1.10, "a": [12345678901234567890]}`)
	f.Verdict.Time = at(1).Add(9876543 * time.Nanosecond).In(zone)
	f.Verdict.Evidence = []classify.Evidence{{Witness: classify.WitnessToken, Path: "client_assertion.claims.exp",
		Observed: json.Number("12345678901234567890"), Expected: "a time", Detail: "exp is far ahead."}}
	f.Verdict.Checks = []*classify.Check{{Check: "audience", Result: classify.Fail, Detail: "aud <b>"}}
	f.Verdict.Alternatives = []classify.Alternative{}
	f.Verdict.Fix = classify.Fix{Edits: []classify.Edit{{Op: "remove", Path: "x"}}, Verified: true, Steps: []string{"do it"}}
	want := w.add(t, f)[0]
	got, err := w.GetFailure(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if !strings.HasPrefix(got.ID, "rec_") || !strings.HasPrefix(got.IncidentID, "inc_") || got.Verdict.ID != got.ID {
		t.Errorf("ids: %s, %s, %s", got.ID, got.IncidentID, got.Verdict.ID)
	}
	equal(t, "event time", got.Verdict.Time, at(1).Add(9*time.Millisecond))
	equal(t, "receipt", got.ReceivedAt, at(3).Add(time.Millisecond))
}

func testFailureFilters(t *testing.T, w *world) {
	list := w.add(t, fail(0), fail(10, client("client-b"), cause(classify.TokenExpired), endpoint("GET /")),
		fail(20, environment("staging"), func(f *Failure) { f.Status = 403 }), fail(30, func(f *Failure) { f.Verdict.Provider = "clinic" }))
	for name, tt := range map[string]struct {
		filter FailureFilter
		want   string // the seconds of the failures
	}{
		"all":           {FailureFilter{}, "[30 20 10 0]"},
		"incident":      {FailureFilter{IncidentID: list[1].IncidentID}, "[10]"},
		"cause":         {FailureFilter{Causes: []classify.Code{classify.TokenExpired, classify.JTIReuse}}, "[10]"},
		"provider":      {FailureFilter{Providers: []string{"clinic"}}, "[30]"},
		"environment":   {FailureFilter{Environments: []string{"production"}}, "[30 10 0]"},
		"client":        {FailureFilter{Clients: []string{"client-a"}}, "[30 20 0]"},
		"endpoint":      {FailureFilter{Endpoints: []string{"GET /"}}, "[10]"},
		"status":        {FailureFilter{Statuses: []int{403, 500}}, "[20]"},
		"window":        {FailureFilter{From: at(10), To: at(30)}, "[20 10]"},
		"fields add up": {FailureFilter{Clients: []string{"client-a"}, Statuses: []int{401}, From: at(1)}, "[30]"},
		"nothing":       {FailureFilter{IncidentID: "inc_none"}, "[]"},
	} {
		got, _, err := w.ListFailures(t.Context(), tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		seconds := []int{}
		for _, f := range got {
			seconds = append(seconds, int(f.Verdict.Time.Sub(noon())/time.Second))
		}
		equal(t, name, fmt.Sprint(seconds), tt.want)
	}
}

func testFailurePages(t *testing.T, w *world) {
	var list []Failure
	for i := range 20 {
		list = append(list, fail(i/5, client(fmt.Sprint(i%3)))) // five share every time
	}
	w.add(t, list...)
	for _, f := range []FailureFilter{{}, {Clients: []string{"0", "1", "2"}}} {
		f.Limit = 3
		seen := map[string]bool{}
		last := at(100)
		for {
			page, next, err := w.ListFailures(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range page {
				if seen[row.ID] || row.Verdict.Time.After(last) {
					t.Errorf("%s is repeated or out of order", row.ID)
				}
				seen[row.ID], last = true, row.Verdict.Time
			}
			if f.Cursor == "" {
				w.add(t, fail(50, client("1"))) // newer than the page: it disturbs nobody
			}
			if next == "" {
				break
			}
			f.Cursor = next
		}
		if len(seen) < 20 {
			t.Errorf("saw %d of 20", len(seen))
		}
	}
	if _, _, err := w.ListFailures(t.Context(), FailureFilter{Page: Page{Cursor: "x"}}); !errors.Is(err, ErrInvalidCursor) {
		t.Errorf("got %v, want ErrInvalidCursor", err)
	}
}

func testPageLimit(t *testing.T, w *world) {
	var list []Failure
	for i := range 203 {
		list = append(list, fail(i, client(fmt.Sprint(i))))
	}
	w.add(t, list...)
	for limit, want := range map[int]int{0: 50, -1: 50, 200: 200, 201: 200, 1 << 30: 200} {
		page := Page{Limit: limit}
		failures, _, err := w.ListFailures(t.Context(), FailureFilter{Page: page})
		if err != nil {
			t.Fatal(err)
		}
		clients, _, err := w.ListClients(t.Context(), ClientFilter{Page: page})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "failures", len(failures), want)
		equal(t, "incidents", len(w.incidents(t, IncidentFilter{Page: page})), want)
		equal(t, "clients", len(clients), want)
	}
}

func (w *world) byRequest(t *testing.T, requests, traces []string) (list []Failure) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) (err error) {
		list, err = tx.FailuresByRequest(ctx, requests, traces)
		return err
	})
	return list
}

func testByRequest(t *testing.T, w *world) {
	both := fail(0, requestID("r-1"))
	both.TraceID = "t-1"
	stored := w.add(t, both, fail(1, requestID("r-2")), fail(2, requestID("t-1")), fail(3))
	got := w.byRequest(t, []string{"r-1", "r-2", "", "r-2"}, []string{"t-1", ""})
	if want := stored[:2]; !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	equal(t, "of no ids", len(w.byRequest(t, nil, nil)), 0)
}

func testByRequestBounded(t *testing.T, w *world) {
	var list []Failure
	for i := range joinLimit + 5 {
		list = append(list, fail(i, requestID("-")))
	}
	stored := w.add(t, list...)
	got := w.byRequest(t, []string{"-"}, nil)
	equal(t, "failures", len(got), joinLimit)
	equal(t, "newest", got[len(got)-1].ID, stored[len(stored)-1].ID)
}

func hostileContract() []contractTest {
	return []contractTest{
		{"hostile text is kept as text", testHostileText},
	}
}

// testHostileText puts every kind of text into every field. The batch must pass whole, and filters must find it again.
func testHostileText(t *testing.T, w *world) {
	hostile := []string{"'; drop table failure; --", `" or 1=1`, "nul\x00byte", "broken \xff\xfe utf-8", "\u202egnp.exe", "$1 ? :x @y",
		strings.Repeat("x", 9000), incompressible(9000), strings.Repeat("𝕏", 4000), "%_\\", "line\r\nbreak", "🙂", " ", ""}
	for i, text := range hostile {
		f := fail(i, client(text), endpoint(text), summary(text), requestID(text), environment(text), cause(classify.Code("unclassified")))
		f.Source, f.RecordID, f.TraceID, f.Service, f.Method, f.URL = text, text, text, text, text, text
		f.Verdict.Provider = text
		w.write(t, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.Claim(ctx, at(i), []Delivery{{Source: text, Key: text}}); err != nil {
				return err
			}
			if err := tx.Observe(ctx, []classify.Fact{{Key: key(text), FirstExchange: text, FirstTokenPrint: text, Count: 1}}); err != nil {
				return err
			}
			if err := tx.PutPending(ctx, []Pending{{JoinKey: text, Side: "token", Kind: "access_token", Body: json.RawMessage(`"` + "\xff" + `"`), ExpiresAt: at(600)}}); err != nil {
				return err
			}
			if err := tx.AddTraffic(ctx, []Traffic{{Count: 1, First: at(i), Last: at(i), Provider: text, Environment: text, ClientID: text}}); err != nil {
				return err
			}
			return tx.AddFailures(ctx, []Failure{f})
		})
		one := []string{text}
		got, _, err := w.ListFailures(t.Context(), FailureFilter{Providers: one, Environments: one, Clients: one, Endpoints: one})
		if err != nil || len(got) != 1 {
			t.Fatalf("failures of %.20q: got %d, %v", text, len(got), err)
		}
		equal(t, "service", got[0].Service, cleanText(text))
		if n := len(got[0].Verdict.ClientID); n > keyLength {
			t.Errorf("the client id is kept with %d bytes", n)
		}
		equal(t, "incidents", len(w.incidents(t, IncidentFilter{Providers: one, Environments: one, Clients: one})), 1)
		equal(t, "facts", len(w.history(t, key(text))), 1)
		equal(t, "halves of joins", len(w.take(t, "token", text)), 1)
		if text != "" {
			equal(t, "by request", len(w.byRequest(t, one, nil)), 1)
		}
		totals, err := w.Totals(t.Context(), at(-60), at(60), one, one)
		if err != nil || totals.Failures != 1 || totals.Successes != 1 {
			t.Errorf("totals of %.20q: %+v, %v", text, totals, err)
		}
		for _, id := range []string{text, got[0].ID} {
			if _, err := w.GetIncident(t.Context(), id); err != ErrNotFound {
				t.Errorf("incident %.20q: got %v, want ErrNotFound", id, err)
			}
		}
	}
	equal(t, "failures", len(w.allFailures(t)), len(hostile))
}

// incompressible text is what makes PostgreSQL refuse a long index row; repetition it would compress.
func incompressible(n int) string {
	random := rand.New(rand.NewPCG(5, 6))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%016x", random.Uint64())
	}
	return b.String()
}

func (w *world) allFailures(t *testing.T) []Failure {
	t.Helper()
	list, _, err := w.ListFailures(t.Context(), FailureFilter{Page: Page{Limit: maxLimit}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestCleanText: a byte that cannot be kept is found wherever it stands, and nothing else is changed.
func TestCleanText(t *testing.T) {
	for size := range 20 {
		for at := range size {
			for b := range 256 {
				text := bytes.Repeat([]byte("\x7f"), size)
				text[at] = byte(b)
				want := strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "\uFFFD")
				if got := cleanText(string(text)); got != want {
					t.Fatalf("%q became %q, want %q", text, got, want)
				}
			}
		}
	}
	equal(t, "beyond ASCII", cleanText("naïve plain text \x00 é"), "naïve plain text \uFFFD é")
}
