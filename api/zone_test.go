package api

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

func TestZoneNamed(t *testing.T) {
	for name, east := range map[string]int{"UTC": 0, "UTC+05:30": 19800, "UTC-03:00": -10800, "Europe/Berlin": 3600} {
		zone, ok := zoneNamed(name)
		if !ok {
			t.Errorf("%s is unknown", name)
			continue
		}
		if _, got := time.Date(2026, 11, 22, 12, 0, 0, 0, zone).Zone(); got != east {
			t.Errorf("%s is %d s east", name, got)
		}
	}
	for _, name := range []string{"", "Local", "UTC+15:00", "UTC+1", "UTC+01:60", "../../etc/passwd", "Mars/Olympus", strings.Repeat("a", 100)} {
		if zone, ok := zoneNamed(name); ok {
			t.Errorf("%q is %v", name, zone)
		}
	}
	if got := zoneName(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)); got != "UTC" {
		t.Error(got)
	}
}

func TestOwnPath(t *testing.T) {
	for back, want := range map[string]string{"/incidents?q=a%20b&state=all": "/incidents?q=a%20b&state=all", "": "/", "https://evil.example/": "/", "//evil.example/x": "/",
		"/\\\\evil.example": "/", "javascript:alert(1)": "/", "incidents": "/", "%zz": "/"} {
		if got := ownPath(back); got != want {
			t.Errorf("%q: %q, want %q", back, got, want)
		}
	}
}

// The reader's zone is in every text and in the fields of the range, never in the addresses and not in the machine's form of a time.
func TestZone_OnPages(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, "token_expired", "prod", "a-client")
	set := s.postForm(t, "session viewer", "/zone", url.Values{"zone": {"UTC+05:30"}, "back": {"/incidents?range=24h"}})
	if set.status != http.StatusSeeOther || set.header.Get("Location") != "/incidents?range=24h" {
		t.Fatalf("%d %s %s", set.status, set.header.Get("Location"), set.body)
	}
	cookie, _, _ := strings.Cut(set.header.Get("Set-Cookie"), ";")
	read := func(path string) string {
		a := s.do(t, ask{path: path, header: map[string]string{"Cookie": cookie + "; aw_session=" + s.cookies["viewer"]}})
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		return html.UnescapeString(a.body)
	}
	page := read("/incidents?range=24h")
	for _, want := range []string{"all times are UTC+05:30", `datetime="2026-11-22T11:57:00.000Z" title="2026-11-22T11:57:00.000Z">17:27:00<`, "From (UTC+05:30)", `value="2026-11-22T17:30"`,
		"from=2026-11-21T12%3A00%3A00Z", ">17:30:00</time> UTC+05:30"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if page := read("/incidents?from=2026-11-22T17:00&to=2026-11-22T17:30"); !strings.Contains(page, "from=2026-11-22T11%3A30%3A00Z&to=2026-11-22T12%3A00%3A00Z") {
		t.Error("what a field holds is not read in the reader's zone")
	}
	if page := s.page(t, "/incidents?range=24h", "session viewer"); !strings.Contains(page, "all times are UTC ") || !strings.Contains(page, ">11:57:00<") {
		t.Error("without a choice times are not in UTC")
	}
	if bad := s.do(t, ask{method: http.MethodPost, path: "/zone", who: "session viewer", body: "zone=Mars", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}}); bad.status != http.StatusBadRequest {
		t.Errorf("%d", bad.status)
	}
}

// A chosen theme is in the page as the server writes it, so that no script has to run before the first paint.
func TestTheme(t *testing.T) {
	s := newSite(t)
	for cookie, want := range map[string]string{"": `<html lang="en">`, "; aw_theme=dark": `<html lang="en" data-theme="dark">`, "; aw_theme=light": `<html lang="en" data-theme="light">`, "; aw_theme=x": `<html lang="en">`} {
		for _, path := range []string{"/causes", "/incidents/none"} {
			if a := s.do(t, ask{path: path, header: map[string]string{"Cookie": "aw_session=" + s.cookies["viewer"] + cookie}}); !strings.Contains(a.body, want) {
				t.Errorf("%s%s: %.80s", path, cookie, a.body)
			}
		}
	}
}

// The comparison with last week is there unless somebody switches it off; a permalink has absolute times.
func TestOverview_CompareAndPermalink(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, "token_expired", "prod", "a-client")
	if err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Claim(ctx, s.now, []store.Delivery{{Source: "test", Key: "1"}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	usual, alone := s.page(t, "/?range=24h", "session viewer"), s.page(t, "/?range=24h&compare=off", "session viewer")
	if !strings.Contains(usual, "last week") || !strings.Contains(usual, `<a href="/?compare=off&amp;range=24h">Without last week</a>`) {
		t.Error("nothing is compared, or it cannot be switched off")
	}
	if strings.Contains(alone, "none last week") || !strings.Contains(alone, `<a href="/?range=24h">Compare with last week</a>`) || strings.Contains(alone, `class="ghost"`) {
		t.Error("the comparison is still there, or it cannot be switched on")
	}
	if !strings.Contains(usual, `<a href="/?from=2026-11-21T12%3A00%3A00Z&amp;to=2026-11-22T12%3A00%3A00Z" data-permalink`) {
		t.Error("no permalink")
	}
	for _, want := range []string{`<dd class="value"><a href="/failures?range=24h">3</a>`, `href="/incidents?cause=token_expired&amp;range=24h&amp;state=all"`} {
		if !strings.Contains(usual, want) {
			t.Errorf("a number does not lead to its records in the same time: %s", want)
		}
	}
	if a := s.do(t, ask{path: "/?compare=maybe", who: "session viewer"}); a.status != http.StatusBadRequest {
		t.Errorf("compare=maybe: %d", a.status)
	}
}
