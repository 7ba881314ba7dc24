package api

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"authwatch/classify"
	"authwatch/classify/profile"
	"authwatch/store"
)

func settingsRouteAccess() map[string]access {
	return map[string]access{
		"GET /settings": pageViewer, "GET /settings/profiles": pageViewer, "POST /settings/profiles": pageViewer, "GET /settings/profiles/:id": pageViewer, "GET /settings/storage": pageViewer,
		"GET /settings/redaction": pageViewer, "POST /settings/redaction": pageViewer,
		"GET /settings/keys": pageAdmin, "POST /settings/keys": pageAdmin, "GET /settings/keys/:id/revoke": pageAdmin, "POST /settings/keys/:id/revoke": pageAdmin,
		"GET /settings/users": pageAdmin, "POST /settings/users": pageAdmin, "POST /settings/users/:id/link": pageAdmin, "GET /settings/audit": pageAdmin,
		"GET /unclassified": pageViewer, "GET /unclassified/:id": pageViewer,
	}
}

func testSettings() Settings {
	return Settings{
		Retention: store.Retention{Records: 30 * day, Summaries: 396 * day}, ProfileFiles: map[string]string{"exchange": "exchange.yaml"},
		ParseProfile:  func(text []byte) (*classify.Profile, error) { return profile.Parse("profile", text) },
		FormatProfile: profile.Format,
	}
}

// holdsMarkup fails when hostile text stands in a page as anything but text; values of form fields come back as they were.
func holdsMarkup(t *testing.T, path, body string) {
	t.Helper()
	body = regexp.MustCompile(`\s(value|data-copy)="[^"]*"`).ReplaceAllString(body, "")
	body = regexp.MustCompile(`(?s)<textarea[^>]*>[^<]*</textarea>`).ReplaceAllString(body, "")
	for _, raw := range []string{"<script>", "<img", "<svg/", "<!--", "\u202e", "\u0000", "\u001b", "onfocus=\"alert"} {
		if strings.Contains(body, raw) {
			t.Errorf("%.60s holds %q unescaped", path, raw)
		}
	}
}

func TestSettings_Profiles(t *testing.T) {
	s := newSite(t)
	body := s.page(t, "/settings", "session viewer")
	for _, want := range []string{"exchange.yaml", "prod, preprod", `href="/settings/profiles/exchange"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	for _, admins := range []string{"/settings/keys", "/settings/users", "/settings/audit"} {
		if strings.Contains(body, admins) {
			t.Errorf("a viewer is offered %s", admins)
		}
	}
	body = s.page(t, "/settings/profiles/exchange", "session viewer")
	if !strings.Contains(body, "jwks_file: jwks.json") || strings.Contains(body, "/etc/authwatch") || !strings.Contains(body, "audience: token_endpoint") {
		t.Errorf("the profile: %s", body)
	}
	whole, err := s.api.profileText(s.api.profile("exchange"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		status     int
		want       []string
	}{
		{"the same", whole, 200, []string{"says the same as the one"}},
		{"as Windows sends it", strings.ReplaceAll(whole, "\n", "\r\n"), 200, []string{"says the same as the one"}},
		{"another", strings.Replace(whole, "RS256", "ES256", 1), 200, []string{"It differs", `<span class="check-fail">-     - RS256</span>`, `<span class="check-pass">&#43;     - ES256</span>`}},
		{"a new one", "provider: acme\n", 200, []string{"No profile with the id acme is in force"}},
		{"wrong in two lines", "provider: acme\nfoo: 1\nassertion:\n  max_age: soon\n", 422, []string{"<li>Line 2: ", "foo", "<li>Line 4: ", "soon"}},
		{"no YAML", "provider: [", 422, []string{"cannot be used", "line 1"}},
		{"nothing", " ", 422, []string{"at most 64 KiB"}},
		{"too much", strings.Repeat("#", profileLimit+1), 422, []string{"at most 64 KiB"}},
		{"with a secret", "provider: hunter2\n", 422, []string{"taken out", "[secret]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.postForm(t, "session viewer", "/settings/profiles", url.Values{"text": {tt.text}})
			checkMarkup(t, "/settings/profiles", got)
			for _, want := range tt.want {
				if !strings.Contains(got.body, want) {
					t.Errorf("lacks %q", want)
				}
			}
			if got.status != tt.status || strings.Contains(got.body, "hunter2") || strings.Contains(s.log.String(), "hunter2") {
				t.Errorf("%d, want %d, or the secret is shown", got.status, tt.status)
			}
		})
	}
	for _, text := range hostile() {
		for _, given := range []string{text, "provider: acme\ntitle: '" + text + "'\n", "provider: exchange\ntitle: \"" + strings.ReplaceAll(text, `"`, "") + "\"\n" + text + ": 1\n"} {
			got := s.postForm(t, "session viewer", "/settings/profiles", url.Values{"text": {given}})
			checkMarkup(t, "/settings/profiles", got)
			holdsMarkup(t, "/settings/profiles", got.body)
		}
	}
}

func TestSettings_Storage(t *testing.T) {
	s := newSite(t)
	if body := s.page(t, "/settings/storage", "session viewer"); !strings.Contains(body, "30 d") || !strings.Contains(body, "no failure yet") {
		t.Error("an empty database")
	}
	s.addFailures(t, 60, classify.TokenExpired, "prod", "a")
	for range 2 {
		if _, err := s.store.Fold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	body := s.page(t, "/settings/storage", "session viewer")
	for _, want := range []string{"<dd>60</dd>", `30 d <span class="badge">set</span>`, "failures a day", "365 d"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	s.api.Settings.Retention = store.Retention{Records: 45 * day, Bytes: 1000}
	body = s.page(t, "/settings/storage", "session viewer")
	for _, want := range []string{`45 d <span class="badge">set</span>`, "for ever", "The bound of 1.0 kB will be reached before failures are 45 d old"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
}

func TestSettings_Redaction(t *testing.T) {
	s := newSite(t)
	try := func(text string) answer {
		got := s.postForm(t, "session viewer", "/settings/redaction", url.Values{"text": {text}})
		checkMarkup(t, "/settings/redaction", got)
		return got
	}
	got := try(`{"time":"2026-11-22T12:00:00Z","response":{"status":401}}` + "\n{broken")
	if got.status != 200 || !strings.Contains(got.body, "&#34;status&#34;: 401") || !strings.Contains(got.body, "Record 2: not a JSON object (not_json).") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := try("a line password=hunter2"); strings.Contains(got.body, "hunter2") || !strings.Contains(got.body, "cannot be read") {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, text := range []string{"", " ", strings.Repeat("x", pasteLimit+1)} {
		if got := try(text); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%.10q: %d", text, got.status)
		}
	}
	for n, text := range hostile() {
		if got := try(string(hostileFailure(s.now, n, text).Record)); got.status == 200 {
			holdsMarkup(t, "/settings/redaction", got.body)
		}
	}
	if list, _, err := s.store.ListFailures(t.Context(), store.FailureFilter{}); err != nil || len(list) != 0 {
		t.Errorf("something was stored: %v %v", list, err)
	}
}

func TestSettings_AuditOfMany(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "a")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "b")
	body := s.page(t, "/incidents?range=24h", "session responder")
	ids := regexp.MustCompile(`name="id" value="(inc_[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d incidents", len(ids))
	}
	if got := s.postForm(t, "session responder", "/incidents/change", url.Values{"state": {"acknowledged"}, "id": {ids[0][1], "inc_none"}}); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	got := s.do(t, ask{method: http.MethodPost, path: "/api/v1/incidents/change", who: "respond",
		body: `{"ids":["` + ids[0][1] + `","` + ids[1][1] + `"],"change":{"state":"resolved","note":"done"}}`, header: map[string]string{"Content-Type": "application/json"}})
	if got.status != 200 {
		t.Fatal(got.status, got.body)
	}
	list, _, err := s.store.ListAudit(t.Context(), store.Page{Limit: 2})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if e := list[1]; e.Actor != (store.Actor{Name: "a responder", Via: store.ViaPage}) || e.Subject != "1 incident" || e.Note != "acknowledged" {
		t.Errorf("by page: %+v", e)
	}
	if e := list[0]; e.Actor != (store.Actor{Name: "test respond", Via: store.ViaAPI}) || e.Subject != "2 incidents" || e.Note != "resolved, note added" {
		t.Errorf("by the API: %+v", e)
	}
}

func TestSettings_HostileNames(t *testing.T) {
	s := newSite(t)
	for _, text := range hostile() {
		if len(text) > nameLength {
			continue
		}
		s.postForm(t, "session admin", "/settings/keys", url.Values{"name": {text}, "scope": {"read"}})
		s.postForm(t, "session admin", "/settings/users", url.Values{"name": {text}, "role": {"viewer"}})
		if err := s.store.AddAudit(store.WithActor(t.Context(), store.Actor{Name: text, Via: store.ViaCommand}), store.AuditAction(text), text, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/settings/keys", "/settings/users", "/settings/audit"} {
		holdsMarkup(t, path, s.page(t, path, "session admin"))
	}
	keys, err := s.store.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.RevokedAt.IsZero() {
			path := "/settings/keys/" + k.ID + "/revoke"
			holdsMarkup(t, path, s.page(t, path, "session admin"))
		}
	}
}

func TestSettings_AuditPages(t *testing.T) {
	s := newSite(t)
	for range 60 {
		if err := s.store.AddAudit(t.Context(), store.AuditIncidentsChanged, "1 incident", ""); err != nil {
			t.Fatal(err)
		}
	}
	body := s.page(t, "/settings/audit", "session admin")
	next := regexp.MustCompile(`href="(/settings/audit\?cursor=[^"]+)" rel="next"`).FindStringSubmatch(body)
	if next == nil || strings.Count(body, "1 incident") != 50 {
		t.Fatal("no next page")
	}
	if body := s.page(t, next[1], "session admin"); !strings.Contains(body, "added the user") || !strings.Contains(body, `href="/settings/audit"`) {
		t.Error("the last page")
	}
	if got := s.do(t, ask{path: "/settings/audit?cursor=x", who: "session admin"}); got.status != http.StatusBadRequest {
		t.Errorf("a cursor of nothing: %d", got.status)
	}
}

func TestDiffOf(t *testing.T) {
	for _, tt := range []struct{ name, was, now, want string }{
		{"the same", "a\nb\n", "a\nb\n", ""},
		{"one line changed", "a\nb\nc\n", "a\nx\nc\n", " a|-b|+x| c"},
		{"added at the end", "a\n", "a\nb\n", " a|+b"},
		{"removed at the beginning", "a\nb\n", "b\n", "-a| b"},
		{"far apart", "1\n2\n3\n4\n5\n6\n7\n8\n9\nx\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\ny\n", "+0| 1| 2| 3|…| 7| 8| 9|-x|+y"},
		{"moved", "a\nb\nc\n", "b\nc\na\n", "-a| b| c|+a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, l := range diffOf(tt.was, tt.now) {
				got = append(got, l.Sign+l.Text)
			}
			if strings.Join(got, "|") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, "|"), tt.want)
			}
		})
	}
	many := strings.Repeat("a\n", 3000)
	if got := diffOf(many+"x\n", "y\n"+strings.Repeat("b\n", 3000)); len(got) != 6002 {
		t.Errorf("two long texts: %d lines", len(got))
	}
}

func TestByteWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_450_000: "1.4 MB", 20_000_000_000: "20 GB", 1 << 62: "4.6 EB"} {
		if got := byteWords(n); got != want {
			t.Errorf("%d = %q, want %q", n, got, want)
		}
	}
}

// openSettings opens the pages that admins have; TestPages_EveryTemplate is a responder.
func (s *site) openSettings(t *testing.T, opened map[string]bool) {
	t.Helper()
	for path, template := range map[string]string{
		"/settings": "settings_profiles.html", "/settings/profiles/exchange": "settings_profile.html", "/settings/storage": "settings_storage.html",
		"/settings/redaction": "settings_redaction.html", "/settings/keys": "settings_keys.html", "/settings/users": "settings_users.html", "/settings/audit": "settings_audit.html",
	} {
		opened[template] = true
		s.page(t, path, "session admin")
	}
	opened["settings_revoke.html"] = true
	s.page(t, firstLink(t, s.page(t, "/settings/keys", "session admin"), "/settings/keys/[a-z2-7]+/revoke"), "session admin")
}

// The address that a try of a profile leaves in the bar can be opened again.
func TestSettings_ProfilesByAddress(t *testing.T) {
	s := newSite(t)
	if a := s.do(t, ask{path: "/settings/profiles", who: "session viewer"}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/settings#try" {
		t.Errorf("%d %s", a.status, a.header.Get("Location"))
	}
}
