package api

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestQuery_Refuses: a parameter that is not understood is a 400 that names it, never a filter that selects everything.
func TestQuery_Refuses(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct{ path, parameter, code string }{
		{"incidents?limit=-1", "limit", "out_of_range"}, {"incidents?limit=0", "limit", "out_of_range"}, {"incidents?limit=201", "limit", "out_of_range"},
		{"incidents?limit=1e9", "limit", "out_of_range"}, {"incidents?limit=NaN", "limit", "out_of_range"},
		{"incidents?limit=99999999999999999999", "limit", "out_of_range"}, {"incidents?limit=1&limit=2", "limit", "repeated"},
		{"incidents?casue=token_expired", "casue", "unknown_parameter"}, {"incidents?cause=invalid_grant", "cause", "not_allowed"},
		{"incidents?cause=token_expired&cause=%27+OR+1%3D1--", "cause", "not_allowed"},
		{"incidents?state=closed", "state", "not_allowed"}, {"incidents?fault=me", "fault", "not_allowed"}, {"incidents?sort=id", "sort", "not_allowed"},
		{"incidents?from=yesterday", "from", "not_a_time"}, {"incidents?from=1795316340", "from", "not_a_time"}, {"incidents?to=now%2B1h", "to", "not_a_time"},
		{"incidents?from=now-99999999d", "from", "not_a_time"}, {"incidents?from=now--1h", "from", "not_a_time"}, {"incidents?from=now&to=now-1h", "from", "empty_window"},
		{"incidents?cursor=forged", "cursor", "invalid_cursor"}, {"failures?cursor=%00%ff", "cursor", "not_text"}, {"failures?cursor=%F0%9F%92%A5", "cursor", "invalid_cursor"}, {"clients?cursor=e30", "cursor", "invalid_cursor"},
		{"failures?status=abc", "status", "out_of_range"}, {"failures?status=-1", "status", "out_of_range"},
		{"trends?step=30s", "step", "not_whole_minutes"}, {"trends?step=0m", "step", "not_a_duration"}, {"trends?step=-5m", "step", "not_a_duration"},
		{"trends?step=1m&from=now-7d", "step", "too_many_steps"}, {"trends?from=0001-01-01T00:00:00Z", "from", "not_a_time"}, {"trends?from=1970-01-01T00:00:00Z", "step", "too_many_steps"},
		{"trends?group_by=jti", "group_by", "not_allowed"}, {"trends?compare=lots", "compare", "not_a_duration"}, {"trends?compare=90s", "compare", "not_whole_minutes"},
		{"trends?from=now&to=now", "from", "empty_window"}, {"trends?from=2030-01-01T00:00:00Z", "from", "empty_window"},
		{"failures?client=%00", "client", "not_text"}, {"clients?client=%ff", "client", "not_text"},
		{"causes?limit=5", "limit", "unknown_parameter"}, {"profiles?q=x", "q", "unknown_parameter"}, {"environments?q=x", "q", "unknown_parameter"},
		{"causes/token_expired?x=1", "x", "unknown_parameter"}, {"clients/a?x=1", "x", "unknown_parameter"}, {"incidents/a?x=1", "x", "unknown_parameter"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			p := problemIn(t, s.do(t, ask{path: "/api/v1/" + tt.path, who: "read"}), http.StatusBadRequest)
			if len(p.Errors) != 1 || p.Errors[0].Parameter != tt.parameter || p.Errors[0].Code != tt.code || p.Errors[0].Detail == "" {
				t.Errorf("%+v, want %s %s", p.Errors, tt.parameter, tt.code)
			}
		})
	}
	p := problemIn(t, s.do(t, ask{path: "/api/v1/incidents?zzz=1&state=closed&limit=x", who: "read"}), http.StatusBadRequest)
	if len(p.Errors) != 3 || !slices.Contains(p.Errors[2].Allowed, "cause") || !slices.Contains(p.Errors[1].Allowed, "acknowledged") {
		t.Errorf("all faults at once, with what is allowed: %+v", p.Errors)
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "3650d": 3650 * 24 * time.Hour,
		"": 0, "d": 0, "0d": 0, "-1d": 0, "1.5d": 0, "4000d": 0, "9223372036854775807d": 0, "106751991167300w": 0, "7": 0, "1e9h": 0, "NaN": 0,
	} {
		got, err := parseSpan(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("parseSpan(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"now": now, "now-24h": now.Add(-24 * time.Hour), "now-7d": now.AddDate(0, 0, -7), "2026-11-22T03:00:00.5Z": time.Date(2026, 11, 22, 3, 0, 0, 5e8, time.UTC),
		"2026-11-22T03:00:00+01:00": time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), "2026-11-22T03:00:00 01:00": time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC),
		"2026-11-22": {}, "now+1h": {}, "now1h": {}, "NOW": {}, "": {}, "99999-01-01T00:00:00Z": {},
	} {
		got, err := parseMoment(text, now)
		if !got.Equal(want) || (err == nil) != !want.IsZero() {
			t.Errorf("parseMoment(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestStepFor(t *testing.T) {
	for window, want := range map[time.Duration]time.Duration{
		time.Hour: time.Minute, 6 * time.Hour: 5 * time.Minute, 24 * time.Hour: 10 * time.Minute, 7 * 24 * time.Hour: 3 * time.Hour,
		30 * 24 * time.Hour: 6 * time.Hour, 366 * 24 * time.Hour: 24 * time.Hour,
	} {
		if got := stepFor(window); got != want {
			t.Errorf("stepFor(%v) = %v, want %v", window, got, want)
		}
	}
}
