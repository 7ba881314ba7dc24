package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

// equalRecord is a failure without an id whose time is told by the second.
func equalRecord(n int) string {
	return fmt.Sprintf(`{"time":%q,"client_id":"client-e","request":{"method":"GET","url":"https://api.lab.test/v1/orders","headers":{"accept":"*/*"}},"response":{"status":401,"headers":{"www-authenticate":"Bearer"}}}`,
		second(n).Format(time.RFC3339))
}

// Two equal lines of one body are two events; the same lines sent again, in any body, are none.
func TestEquals(t *testing.T) {
	a, b := equalRecord(1), equalRecord(2)
	for name, tt := range map[string]struct {
		bodies   []string // records of each by letter
		accepted []int
	}{
		"equal lines count":               {[]string{"aab"}, []int{3}},
		"a repetition does not":           {[]string{"aab", "aab", "baa"}, []int{3, 0, 0}},
		"nor split":                       {[]string{"aab", "a", "a", "b"}, []int{3, 0, 0, 0}},
		"nor merged":                      {[]string{"ab", "abab", "aabb"}, []int{2, 0, 0}},
		"merged with what is new":         {[]string{"a", "aabb"}, []int{1, 2}},
		"of a part, then whole":           {[]string{"a", "aa"}, []int{1, 0}},
		"more copies than before are old": {[]string{"aa", "aaaa"}, []int{2, 0}},
	} {
		s := newService(t, testProfile())
		for n, letters := range tt.bodies {
			body := strings.NewReplacer("a", a+"\n", "b", b+"\n").Replace(letters)
			if got := s.post(responses, body); got.Accepted != tt.accepted[n] || got.Accepted+got.Duplicates != len(letters) {
				t.Errorf("%s: body %d %s: %+v", name, n, letters, got)
			}
		}
	}
}

// A deliverer sends records in bodies of any make-up.
type deliverer struct {
	*service
	random *rand.Rand
}

func (d deliverer) send(records []string) {
	body := strings.Join(records, "\n")
	if d.random.IntN(2) == 0 {
		body = "[" + strings.Join(records, ",") + "]"
	}
	if d.random.IntN(3) == 0 {
		d.post(responses, zip(body), "Content-Encoding", "gzip")
		return
	}
	d.post(responses, body)
}

func zip(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, text)
	w.Close()
	return out.String()
}

// pieces cuts records into bodies at random places.
func (d deliverer) pieces(records []string) (bodies [][]string) {
	for len(records) > 0 {
		n := 1 + d.random.IntN(len(records))
		bodies = append(bodies, records[:n])
		records = records[n:]
	}
	return bodies
}

// Whatever way records come again, three times and more: reordered, split, merged, in gzip, after a restart; the database
// is as after the first time, and no jti becomes reused by it.
func TestRedelivery_Property(t *testing.T) {
	for seed := range uint64(6) {
		d := deliverer{newService(t, testProfile()), rand.New(rand.NewPCG(seed, 7))}
		records := append(mixedBatch(), equalRecord(100), equalRecord(100), equalRecord(101))
		slices.SortStableFunc(records, func(a, b string) int { return strings.Compare(a[:30], b[:30]) })
		var bodies [][]string
		for _, body := range d.pieces(records) {
			if n := len(bodies); n > 0 && bodies[n-1][len(bodies[n-1])-1] == body[0] { // equal lines come in one body at first
				bodies[n-1] = append(bodies[n-1], body...)
				continue
			}
			bodies = append(bodies, slices.Clone(body))
		}
		for _, body := range bodies {
			d.send(body)
		}
		want := d.snapshot()
		if n := strings.Count(fmt.Sprint(want.Verdicts), "jti_reuse"); n != 1 {
			t.Fatalf("%d verdicts of jti_reuse in %v", n, want.Verdicts)
		}
		for round := range 3 {
			again := slices.Concat(records, records)
			d.random.Shuffle(len(again), func(a, b int) { again[a], again[b] = again[b], again[a] })
			for _, body := range d.pieces(again) {
				d.send(body)
			}
			d.restart()
			for n := range bodies {
				d.send(bodies[n])
			}
			d.assertSame(fmt.Sprintf("seed %d, round %d", seed, round), want)
		}
	}
}

// What came of a source is counted in the transaction of its records, and requests that were refused are too.
func TestAccount(t *testing.T) {
	s := newService(t, testProfile())
	late := strings.Replace(equalRecord(0), "2026-11-22T03", "2026-11-22T01", 1)
	s.post(responses, equalRecord(0)+"\n"+equalRecord(1)+"\n"+late+"\n{oops}\n"+`{"status":401}`)
	s.post(responses, equalRecord(0)+"\n"+equalRecord(1))
	s.send(responses, `{"message":"hello"}`)
	s.send("/ingest/otlp/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}},{"body":{"stringValue":"you"}}]}]}]}`)
	s.send(responses, "not a record")
	s.send(responses, goodRecord, "Authorization", "Bearer aw_ingest_00000000_x")
	source := s.source()
	m := s.settled(source.Key.ID, func(m store.SourceMinute) bool { return m.Refused == 1 && m.Other == 3 })
	if m.Accepted != 3 || m.Duplicates != 2 || m.Other != 3 || m.Rejected != 2 || m.Refused != 1 || m.Lags.Total() != 3 || m.Lags.Longest != 3*time.Hour {
		t.Errorf("%+v", m)
	}
	nobody := s.settled("", func(m store.SourceMinute) bool { return m.Refused > 0 })
	if nobody.Refused != 1 {
		t.Errorf("without a key: %+v", nobody)
	}
	codes, err := s.store.SourceCodes(context.Background(), source.Key.ID, testNow().Add(-time.Hour), testNow().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(codes); got != "[{missing_time 1} {not_json 1} {nothing_readable 1}]" {
		t.Errorf("%s", got)
	}
}

// counter is a counter without labels.
func (s *service) counter(name string) float64 {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	s.t.Fatalf("no metric %s", name)
	return 0
}

// source is the one source of the service.
func (s *service) source() store.Source {
	s.t.Helper()
	list, err := s.store.ListSources(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, source := range list {
		if source.Key.ID != "" {
			return source
		}
	}
	s.t.Fatal("no source")
	return store.Source{}
}

// settled waits until what is written in the background is there.
func (s *service) settled(source string, there func(store.SourceMinute) bool) (m store.SourceMinute) {
	s.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		list, err := s.store.SourceMinutes(context.Background(), source, testNow().Add(-time.Hour), testNow().Add(time.Hour))
		if err != nil {
			s.t.Fatal(err)
		}
		if len(list) > 0 && there(list[0]) {
			return list[0]
		}
		if len(list) > 0 {
			m = list[0]
		}
		time.Sleep(20 * time.Millisecond)
	}
	return m
}

// The gauges tell states and never names.
func TestSourceGauges(t *testing.T) {
	s := newService(t, nil)
	id := s.source().Key.ID
	for n := range 20 {
		at := testNow().Add(time.Duration(n-40) * time.Minute)
		err := s.store.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			return tx.CountSource(ctx, store.SourceCounts{Source: id, At: at, Accepted: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "authwatch_source") {
			for _, m := range f.GetMetric() {
				name := f.GetName()
				for _, l := range m.GetLabel() {
					name += " " + l.GetValue()
				}
				got[name] = m.GetGauge().GetValue()
			}
		}
	}
	text, _ := json.Marshal(got)
	if want := `{"authwatch_source_silence_seconds":1260,"authwatch_sources lagging":0,"authwatch_sources ok":0,"authwatch_sources silent":1}`; string(text) != want {
		t.Errorf("%s", text)
	}
}
