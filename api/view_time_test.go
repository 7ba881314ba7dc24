package api

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDurationWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		340 * time.Millisecond: "340 ms", 12 * time.Second: "12 s", 4*time.Minute + 12*time.Second: "4 min 12 s", 5 * time.Minute: "5 min",
		3*time.Hour + 5*time.Minute + 59*time.Second: "3 h 5 min", 26 * time.Hour: "1 d 2 h", 3 * 365 * day: "3.0 years", -9 * time.Second: "9 s",
	} {
		if got := durationWords(d); got != want {
			t.Errorf("durationWords(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestClaimTimeWords(t *testing.T) {
	request := time.Date(2026, 11, 22, 3, 14, 2, 0, time.UTC)
	for _, tt := range []struct {
		claim string
		after time.Duration
		want  string
	}{
		{"exp", -252 * time.Second, "expired 4 min 12 s before this request"},
		{"exp", -26600 * time.Millisecond, "expired 27 s before this request"},
		{"exp", 0, "expired 0 ms before this request"},
		{"exp", 90 * time.Second, "valid for another 1 min 30 s"},
		{"iat", -3 * time.Second, "issued 3 s before this request"},
		{"iat", 9 * time.Second, "issued 9 s after this request"},
		{"nbf", 9 * time.Second, "not valid until 9 s after this request"},
		{"nbf", -time.Hour, "valid since 1 h before this request"},
		{"auth_time", -26 * time.Hour, "1 d 2 h before this request"},
		{"auth_time", time.Minute, "1 min after this request"},
	} {
		if got := claimTimeWords(tt.claim, request.Add(tt.after), request); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.claim, tt.after, got, tt.want)
		}
	}
}

func TestNumericDate(t *testing.T) {
	for text, want := range map[string]string{
		"1795316340": "2026-11-22T02:59:00Z", "1795316340.5": "2026-11-22T02:59:00.5Z", "0": "1970-01-01T00:00:00Z",
		"1795316340000": "", "1e300": "", "-1": "", "1e999": "",
	} {
		got := ""
		if when, ok := numericDate(json.Number(text), time.Second); ok {
			got = when.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("numericDate(%s) = %q, want %q", text, got, want)
		}
	}
	for _, claim := range []any{"1795316340", nil, true, []any{}, map[string]any{}} {
		if when, ok := numericDate(claim, time.Second); ok {
			t.Errorf("numericDate(%v) = %s, want none", claim, when)
		}
	}
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		got  moment
		want string
	}{
		{at(now.Add(-time.Hour), now, "–"), "11:00:00"},
		{at(now.Add(-25*time.Hour), now, "–"), "21 Nov 11:00:00"},
		{at(now.AddDate(-1, 0, 0), now, "–"), "22 Nov 2025 12:00:00"},
		{at(time.Time{}, now, "–"), "–"},
		{ago(now.Add(-90*time.Second), now, "never"), "1 min ago"},
		{ago(now.Add(9*time.Second), now, "never"), "in 9 s"},
		{ago(time.Time{}, now, "never"), "never"},
	} {
		if tt.got.Text != tt.want {
			t.Errorf("%+v, want %q", tt.got, tt.want)
		}
		if (tt.got.ISO == "") != (tt.want == "–" || tt.want == "never") {
			t.Errorf("%+v: datetime", tt.got)
		}
	}
	if got := at(now.In(time.FixedZone("", 3600)), now, "").ISO; got != "2026-11-22T12:00:00.000Z" {
		t.Errorf("not UTC: %s", got)
	}
}
