package api

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestWindowOf(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 7, 30, 0, time.UTC)
	for _, tt := range []struct {
		query    string
		from, to string
		step     time.Duration
		shift    time.Duration
		words    string
	}{
		{"", "2026-11-21T12:08:00Z", "2026-11-22T12:08:00Z", 30 * time.Minute, week, "in the last 24 hours"},
		{"range=1h", "2026-11-22T11:08:00Z", "2026-11-22T12:08:00Z", time.Minute, week, "in the last hour"},
		{"range=7d", "2026-11-15T13:00:00Z", "2026-11-22T13:00:00Z", 3 * time.Hour, week, "in the last 7 days"},
		{"range=30d", "2026-10-23T13:00:00Z", "2026-11-22T13:00:00Z", 12 * time.Hour, 5 * week, "in the last 30 days"},
		{"from=2026-11-20T00:30:00Z&to=2026-11-20T01:00:00Z", "2026-11-20T00:30:00Z", "2026-11-20T01:00:00Z", time.Minute, week, "from 20 Nov 2026 00:30 to 20 Nov 2026 01:00"},
		{"from=2026-11-22T10:00", "2026-11-22T10:00:00Z", "2026-11-22T12:10:00Z", 5 * time.Minute, week, "from 22 Nov 2026 10:00 to 22 Nov 2026 12:10"},
		{"from=2026-11-20T02:00:00%2B02:00&to=2026-11-20T03:00:00%2B02:00", "2026-11-20T00:00:00Z", "2026-11-20T01:00:00Z", time.Minute, week, "from 20 Nov 2026 00:00 to 20 Nov 2026 01:00"},
	} {
		q, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		w, err := windowOf(q, now, "24h")
		if err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		if w.From.Format(time.RFC3339) != tt.from || w.To.Format(time.RFC3339) != tt.to || w.Step != tt.step || w.Shift != tt.shift || w.words() != tt.words {
			t.Errorf("%s: %+v %q", tt.query, w, w.words())
		}
	}
	for _, query := range []string{"range=2h", "from=yesterday", "from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z", "to=2026-11-22T09:00:00Z", "from=1900-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z"} {
		q, _ := url.ParseQuery(query)
		if w, err := windowOf(q, now, "24h"); err == nil {
			t.Errorf("%s: %+v, want an error", query, w)
		}
	}
}

func TestWindow_Earlier(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 7, 30, 0, time.UTC)
	w, err := windowOf(url.Values{"range": {"7d"}}, now, "24h")
	if err != nil {
		t.Fatal(err)
	}
	// The last step is not over: comparing it with a whole one would look like an improvement.
	from, to := w.earlier()
	if !from.Equal(w.From.Add(-week)) || !to.Equal(now.Add(-week)) {
		t.Errorf("earlier: %s to %s", from, to)
	}
	if w.then() != "last week" || (window{Shift: 5 * week}).then() != "5 weeks earlier" {
		t.Errorf("then: %q", w.then())
	}
}

func TestRangeView_KeepsFilters(t *testing.T) {
	q := url.Values{"cause": {"jti_reuse"}, "range": {"7d"}, "cursor": {"abc"}}
	w, err := windowOf(q, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), "24h")
	if err != nil {
		t.Fatal(err)
	}
	v := w.view("/incidents", q)
	current := 0
	for _, p := range v.Presets {
		if !strings.Contains(p.URL, "cause=jti_reuse") || strings.Contains(p.URL, "cursor") {
			t.Errorf("preset %s: %s", p.Label, p.URL)
		}
		if p.Current {
			current++
		}
	}
	if current != 1 || len(v.Keep) != 1 || v.Keep[0] != (pair{"cause", "jti_reuse"}) {
		t.Errorf("%d current, kept %v", current, v.Keep)
	}
	if q.Get("cursor") != "abc" {
		t.Error("the query of the request was changed")
	}
}
