package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func sourceContract() []contractTest {
	return []contractTest{
		{"what a source delivered adds up by minute", testSourceMinutes},
		{"sources are keys, and requests without one", testListSources},
		{"rejects are kept once and counted", testRejects},
		{"rejects are bounded", testRejectsBounded},
		{"answers are kept until they expire", testAnswered},
		{"writes done together are one", testWriteTogether},
		{"of writes done together one whose context has ended never runs", testTogetherEnded},
		{"old figures of sources are forgotten", testForgetSources},
	}
}

func lags(of ...time.Duration) (l Lags) {
	for _, lag := range of {
		l.Add(lag)
	}
	return l
}

func (w *world) count(t *testing.T, list ...SourceCounts) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) error {
		for _, c := range list {
			if err := tx.CountSource(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func testSourceMinutes(t *testing.T, w *world) {
	w.count(t,
		SourceCounts{Source: "s", At: at(40), Accepted: 3, Duplicates: 1, Lags: lags(time.Second, 2*time.Second, time.Hour)},
		SourceCounts{Source: "s", At: at(5), Rejected: 2, Other: 7, Codes: map[string]int64{"not_json": 2}},
		SourceCounts{Source: "s", At: at(61), Refused: 1, Codes: map[string]int64{"body_too_large": 1, "not_json": 3}},
		SourceCounts{Source: "t", At: at(5), Accepted: 100},
	)
	list, err := w.SourceMinutes(t.Context(), "s", at(0), at(120))
	if err != nil {
		t.Fatal(err)
	}
	want := []SourceMinute{
		{Start: at(0), LastAt: at(40), Accepted: 3, Duplicates: 1, Other: 7, Rejected: 2, Lags: lags(time.Second, 2*time.Second, time.Hour)},
		{Start: at(60), LastAt: at(61), Refused: 1},
	}
	equal(t, "minutes", fmt.Sprint(list), fmt.Sprint(want))
	codes, err := w.SourceCodes(t.Context(), "s", at(0), at(120))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "codes", fmt.Sprint(codes), "[{not_json 5} {body_too_large 1}]")
}

func testListSources(t *testing.T, w *world) {
	key, _, err := w.CreateKey(t.Context(), ScopeIngest, "web-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.CreateKey(t.Context(), ScopeRead, "reader"); err != nil {
		t.Fatal(err)
	}
	names := func() string {
		list, err := w.ListSources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range list {
			out = append(out, fmt.Sprintf("%q %d", s.Key.Name, len(s.Minutes)))
		}
		return strings.Join(out, ", ")
	}
	equal(t, "before anything came", names(), `"web-1" 0`)
	w.count(t, SourceCounts{Source: key.ID, At: at(0), Accepted: 1}, SourceCounts{At: at(0), Refused: 4, Codes: map[string]int64{"invalid_key": 4}})
	equal(t, "after", names(), `"" 1, "web-1" 1`)
	if err := w.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	w.clock = noon().Add(2 * 24 * time.Hour)
	equal(t, "revoked, two days later", names(), `"web-1" 1`)
	w.clock = noon().Add(9 * 24 * time.Hour)
	equal(t, "revoked, nine days later", names(), "")
	if _, err := w.GetSource(t.Context(), "nobody"); err != ErrNotFound {
		t.Errorf("unknown source: %v", err)
	}
}

func reject(source, id string, seconds int, body string) Reject {
	return Reject{Source: source, ID: id, FirstAt: at(seconds), LastAt: at(seconds), Count: 1, Route: "/ingest/v1/responses",
		Code: "missing_time", Pointer: "/time", Detail: "time is missing", Bytes: 10, DeliveryKey: "content:1", Body: body}
}

func (w *world) keep(t *testing.T, list ...Reject) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.KeepRejects(ctx, list) })
}

func testRejects(t *testing.T, w *world) {
	w.keep(t, reject("s", "a", 0, "{}"), reject("s", "b", 1, ""), reject("t", "a", 2, "{}"))
	w.keep(t, reject("s", "a", 9, "{}"))
	list, next, err := w.ListRejects(t.Context(), "s", "", Page{Limit: 1})
	if err != nil || len(list) != 1 || next == "" {
		t.Fatalf("%v %q %v", list, next, err)
	}
	again := reject("s", "a", 0, "{}")
	again.LastAt, again.Count = at(9), 2
	equal(t, "the one that came again", list[0], again)
	list, next, err = w.ListRejects(t.Context(), "s", "missing_time", Page{Limit: 1, Cursor: next})
	if err != nil || len(list) != 1 || next != "" {
		t.Fatalf("%v %q %v", list, next, err)
	}
	equal(t, "the other", list[0], reject("s", "b", 1, ""))
	if list, _, err := w.ListRejects(t.Context(), "s", "not_json", Page{}); err != nil || len(list) != 0 {
		t.Errorf("of another code: %v %v", list, err)
	}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.RemoveReject(ctx, "s", "a") })
	if _, err := w.GetReject(t.Context(), "s", "a"); err != ErrNotFound {
		t.Errorf("removed: %v", err)
	}
	if r, err := w.GetReject(t.Context(), "t", "a"); err != nil || r.Source != "t" {
		t.Errorf("of the other source: %v %v", r, err)
	}
}

func testRejectsBounded(t *testing.T, w *world) {
	var list []Reject
	for n := range rejectsOfSource + 10 {
		list = append(list, reject("s", fmt.Sprint(n), n, "{}"))
	}
	w.keep(t, list...)
	held := func() (n int64) {
		if err := w.readers.QueryRow(`select count(*) from reject`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	equal(t, "by number", held(), rejectsOfSource)
	if _, err := w.GetReject(t.Context(), "s", "9"); err != ErrNotFound {
		t.Errorf("the oldest stayed: %v", err)
	}
	large := strings.Repeat("x", rejectBytesOfSource/4)
	for n := range 6 {
		w.keep(t, reject("s", fmt.Sprint("large", n), 10_000+n, large))
	}
	equal(t, "by size", held(), 4)
	for n := range rejectBytesOfAll/rejectBytesOfSource + 2 {
		w.keep(t, reject(fmt.Sprint("source", n), "a", 20_000+n, large+large+large+large))
	}
	equal(t, "of all", held(), rejectBytesOfAll/rejectBytesOfSource)
}

func testAnswered(t *testing.T, w *world) {
	a := Answered{Source: "s", Name: "key", BodyPrint: "p", Answer: "{}", ExpiresAt: at(60)}
	for _, answer := range []string{"{}", "another"} {
		again := a
		again.Answer = answer
		w.write(t, func(ctx context.Context, tx *Tx) error {
			first, err := tx.KeepAnswered(ctx, again)
			equal(t, "first", first, answer == "{}")
			return err
		})
	}
	got, err := w.GetAnswered(t.Context(), "s", "key")
	if err != nil || got != a {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := w.GetAnswered(t.Context(), "t", "key"); err != ErrNotFound {
		t.Errorf("of another source: %v", err)
	}
	w.clock = at(60)
	if _, err := w.GetAnswered(t.Context(), "s", "key"); err != ErrNotFound {
		t.Errorf("expired: %v", err)
	}
}

func testForgetSources(t *testing.T, w *world) {
	w.count(t, SourceCounts{Source: "s", At: at(0), Rejected: 1, Codes: map[string]int64{"not_json": 1}}, SourceCounts{Source: "s", At: at(3600), Accepted: 1})
	w.clock = at(0).Add(sourceKept + time.Minute)
	if err := w.ForgetSources(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := w.SourceMinutes(t.Context(), "s", at(0), at(7200))
	if err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if codes, err := w.SourceCodes(t.Context(), "s", at(0), at(7200)); err != nil || len(codes) != 0 {
		t.Errorf("%v %v", codes, err)
	}
}

func TestLags(t *testing.T) {
	for _, tt := range []struct {
		lags   Lags
		median time.Duration
	}{
		{lags(), 0},
		{lags(-time.Hour), 0},
		{lags(300 * time.Millisecond), 300 * time.Millisecond},
		{lags(time.Second, 2*time.Second, time.Hour), 4 * time.Second},
		{lags(time.Second, 2*time.Second, time.Hour, 2*time.Hour), 4 * time.Second},
		{lags(time.Second, time.Hour, 2*time.Hour), 2 * time.Hour},
		{lags(100*24*time.Hour, 200*24*time.Hour), 200 * 24 * time.Hour},
	} {
		if got := tt.lags.Median(); got != tt.median {
			t.Errorf("%v: %v, want %v", tt.lags, got, tt.median)
		}
	}
}

// sourceOf is a source that was heard in these minutes after noon, one record in each.
func sourceOf(minutes ...int) Source {
	s := Source{Key: APIKey{ID: "k"}}
	for _, n := range minutes {
		s.Minutes = append(s.Minutes, SourceMinute{Start: at(60 * n), LastAt: at(60*n + 30), Accepted: 1, Lags: lags(time.Second)})
	}
	return s
}

func span(from, to int) (minutes []int) {
	for n := from; n < to; n++ {
		minutes = append(minutes, n)
	}
	return minutes
}

func TestSource_State(t *testing.T) {
	late := sourceOf(span(0, 20)...)
	for n := range late.Minutes {
		late.Minutes[n].Lags = lags(time.Hour)
	}
	revoked := sourceOf(span(0, 20)...)
	revoked.Key.RevokedAt = at(0)
	refused := sourceOf(span(0, 30)...)
	for n := range 10 {
		refused.Minutes[20+n].Accepted, refused.Minutes[20+n].Refused = 0, 1
	}
	for name, tt := range map[string]struct {
		source Source
		at     int // minute after noon
		want   SourceState
		gaps   string
	}{
		"steady":                                {sourceOf(span(0, 60)...), 61, SourceOK, ""},
		"steady, then nothing for 4 minutes":    {sourceOf(span(0, 60)...), 63, SourceOK, ""},
		"steady, then nothing":                  {sourceOf(span(0, 60)...), 70, SourceSilent, "60-70"},
		"a file sent in nine minutes":           {sourceOf(span(0, 9)...), 700, SourceOK, ""},
		"every quarter of an hour":              {sourceOf(0, 15, 30, 45, 60, 75, 90, 105, 120, 135), 160, SourceOK, ""},
		"every quarter of an hour, then silent": {sourceOf(0, 15, 30, 45, 60, 75, 90, 105, 120, 135), 170, SourceSilent, "136-170"},
		"a gap":                                 {sourceOf(append(span(0, 30), span(41, 60)...)...), 60, SourceOK, "30-41"},
		"two minutes are no gap":                {sourceOf(append(span(0, 30), span(32, 60)...)...), 60, SourceOK, ""},
		"late":                                  {late, 20, SourceLagging, ""},
		"revoked":                               {revoked, 100, SourceOK, ""},
		"refused requests are no records":       {refused, 30, SourceSilent, "20-30"},
		"nothing":                               {Source{}, 0, SourceOK, ""},
	} {
		now := at(60 * tt.at)
		if got, _ := tt.source.State(now); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		var gaps []string
		for _, g := range tt.source.Gaps(now) {
			gaps = append(gaps, fmt.Sprintf("%v-%v", g.From.Sub(noon()).Minutes(), g.To.Sub(noon()).Minutes()))
		}
		if got := strings.Join(gaps, " "); got != tt.gaps {
			t.Errorf("%s: gaps %s, want %s", name, got, tt.gaps)
		}
	}
	_, since := sourceOf(span(0, 60)...).State(at(70 * 60))
	wantTime(t, "silent since", since, at(59*60+30))
}
