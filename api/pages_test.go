package api

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
	"authwatch/web"
)

// pageLimit is how large a page may be (the budget for a phone).
const pageLimit = 100 << 10

// page asks for a page as that person and checks what must hold for every page.
func (s *site) page(t *testing.T, path, who string) string {
	t.Helper()
	a := s.do(t, ask{path: path, who: who})
	if a.status != http.StatusOK {
		t.Fatalf("GET %s = %d %s", path, a.status, a.body)
	}
	checkMarkup(t, path, a)
	return a.body
}

// checkMarkup holds a page to what the content security policy, the accessibility rules and the size budget ask for.
func checkMarkup(t *testing.T, path string, a answer) {
	t.Helper()
	body := a.body
	if got := a.header.Get("Content-Type"); got != "text/html; charset=UTF-8" {
		t.Errorf("%s: Content-Type %q", path, got)
	}
	if len(body) > pageLimit {
		t.Errorf("%s: %d bytes, at most %d", path, len(body), pageLimit)
	}
	for _, script := range regexp.MustCompile(`<script[^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(script, " defer") && !strings.Contains(script, ` type="module"`) {
			t.Errorf("%s: the first paint waits for %s", path, script)
		}
	}
	for _, need := range []string{`<html lang="en"`, `<a class="skip" href="#main">`, `<main id="main"`, `<title>`} {
		if !strings.Contains(body, need) {
			t.Errorf("%s: lacks %s", path, need)
		}
	}
	for _, pattern := range []string{`<[a-z][a-z0-9]*(\s+[a-z-]+(="[^"]*")?)*\s+(style|on[a-z]+)\s*=`, `<script[^>]*>[^<]`, `(?i)(href|src|action)="?(javascript|data):`, `#ZgotmplZ`, `%!`, `<no value>`} {
		if found := regexp.MustCompile(pattern).FindString(body); found != "" {
			t.Errorf("%s: holds %q", path, found)
		}
	}
	if n := strings.Count(body, "<h1"); n != 1 {
		t.Errorf("%s: %d h1", path, n)
	}
	level := 0
	for _, m := range regexp.MustCompile(`<h([1-6])`).FindAllStringSubmatch(body, -1) {
		next := int(m[1][0] - '0')
		if next > level+1 {
			t.Errorf("%s: h%d after h%d", path, next, level)
		}
		level = next
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if seen[m[1]] {
			t.Errorf("%s: two elements with the id %s", path, m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`<table[^>]*>\s*<`).FindAllStringIndex(body, -1) {
		if !strings.HasPrefix(body[m[1]-1:], "<caption") {
			t.Errorf("%s: a table without a caption", path)
		}
	}
	for _, m := range regexp.MustCompile(`<th(\s[^>]*)?>`).FindAllString(body, -1) {
		if !strings.Contains(m, "scope=") {
			t.Errorf("%s: %s without a scope", path, m)
		}
	}
}

func firstLink(t *testing.T, body, prefix string) string {
	t.Helper()
	m := regexp.MustCompile(`href="(` + prefix + `[^"?#]*)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no link to %s…", prefix)
	}
	return m[1]
}

// TestPages_EveryTemplate opens every page with a busy day behind it. A template that no page opened fails.
func TestPages_EveryTemplate(t *testing.T) {
	s := newSite(t)
	s.addBusyDay(t)
	opened := map[string]bool{}
	open := func(path, template string, wants ...string) string {
		t.Helper()
		opened[template] = true
		body := s.page(t, path, "session responder")
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		return body
	}
	open("/", "overview.html", "<strong>172 failures</strong> in the last 24 hours", "of 940 authenticated requests", "4 of 5 clients are affected",
		`aria-current="page">Overview`, `class="ghost"`, "Wrong audience", "The same as a table", "exchange / preprod")
	for _, preset := range []string{"1h", "6h", "7d", "30d"} {
		open("/?range="+preset, "overview.html")
	}
	list := open("/incidents?cause=wrong_audience", "incidents.html", "orders-bot", "proven", `value="wrong_audience" selected`)
	incident := firstLink(t, list, "/incidents/inc_")
	body := open(incident, "incident.html", "Set aud to the token endpoint", "Verified: with this change every check that could be run passes.",
		"valid for another 4 min 56 s", "exchange: assertion.audience = token endpoint, preprod", "none yet", "Acknowledge", "Older records",
		"POST auth.preprod.exchange.example/oauth/token")
	open(firstLink(t, body, "/failures/rec_"), "failure.html", "invalid_client", "req-shared", "Other failures of the same request", "order-router", "not checkable")
	open("/clients", "clients.html", "risk-engine", "recovering")
	open("/clients/orders-bot", "client.html", "Failing in exchange / preprod, succeeding in exchange / prod.")
	open("/environments", "environments.html", "https://auth.preprod.exchange.example/oauth/token")
	open(incident+"/bundle", "bundle.html", "Download Markdown")
	open(incident+"/over", "over.html", "it is not known to be over")
	open("/live", "live.html", "orders-bot", "Show what came since")
	open("/failures?client=orders-bot&q=status:401", "failures.html", "Wrong audience", "orders-bot", `value="status:401"`)
	open("/failures?cause=wrong_audience&range=1h&client=nobody", "failures.html", "No such failure in the last hour.", "Clear the filters")
	open(strings.Replace(incident, "/incidents/", "/failures?incident=", 1), "failures.html", "one incident", "Next page")
	open("/reference", "reference.html", "GET /api/v1/incidents")
	open("/keys", "keys.html", "No token with a key was seen")
	open("/environments/diff?client=orders-bot&a=prod&b=preprod", "environments_diff.html", "It was not seen in both")
	open("/changes", "changes.html", "No change was told of", "Tell of one")
	shipper := s.shipper(t, "web-1", 90, 0)
	s.reject(t, shipper, "r1", `{"members":{"message":"x"}}`)
	open("/sources", "sources.html", "web-1", "within 2 s")
	open("/sources/"+shipper, "source.html", "Time is missing", "of their events")
	open("/sources/"+shipper+"/rejects/r1", "reject.html", "As it came, redacted")
	open("/alerts", "alerts.html", "There is no rule")
	open("/alerts/rules/new", "alert_rule.html", "New rule")
	open("/causes", "causes.html", "Wrong audience", "unclassified")
	for _, row := range classify.Catalogue() {
		open("/causes/"+string(row.Code), "cause.html", "What happened")
	}
	open("/check", "check.html", "Nothing is stored")
	s.openSettings(t, opened)
	s.openUnclassified(t, opened)
	opened["login.html"], opened["setup.html"], opened["error.html"] = true, true, true // signing in and errors have tests of their own
	entries, err := web.Files().ReadDir("templates/pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !opened[e.Name()] {
			t.Errorf("no test opens %s", e.Name())
		}
	}
}

// TestPages_Templates executes each template with the zero value of its page, so that a field that is not there fails
// even where the data of other tests does not reach it.
func TestPages_Templates(t *testing.T) {
	pages, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	views := []view{overviewPage{}, overviewPage{Start: &startView{}}, incidentsPage{}, incidentPage{}, failurePage{}, failuresPage{}, clientsPage{}, clientPage{}, environmentsPage{}, environmentsDiffPage{}, signingKeysPage{}, changesPage{}, referencePage{}, alertsPage{}, rulePage{}, rulePage{Preview: &previewView{}}, bundlePage{}, livePage{}, overPage{}, sourcesPage{}, sourcePage{}, rejectPage{},
		causesPage{}, causePage{}, checkPage{}, checkPage{Verdict: &verdictView{}}, loginPage{}, setupPage{}, errorPage{},
		profilesPage{}, profilePage{}, storagePage{}, redactionPage{}, keysPage{}, keysPage{Made: &madeKey{}}, revokePage{}, usersPage{}, usersPage{Made: &madeLink{}}, auditPage{},
		unclassifiedPage{}, proposePage{}, proposePage{Rule: &ruleView{}}}
	done := map[string]bool{}
	for _, v := range views {
		if _, err := pages.html(v); err != nil {
			t.Error(err)
		}
		done[v.template()] = true
	}
	if len(done) != len(pages) {
		t.Errorf("%d of %d pages have data", len(done), len(pages))
	}
	if _, err := (pageSet{"overview.html": pages["incident.html"]}).html(overviewPage{}); err == nil {
		t.Error("a page is shown with another page's data")
	}
}

func TestOverview_Empty(t *testing.T) {
	s := newSite(t)
	body := s.page(t, "/", "session viewer")
	for _, want := range []string{"Nothing received yet", "authwatch key create --scope ingest", "curl -sS http://127.0.0.1:8080/ingest/v1/responses", "2026-11-22T12:00:00Z"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
}

func TestOverview_OnlySuccesses(t *testing.T) {
	s := newSite(t)
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Claim(ctx, s.now, []store.Delivery{{Source: "test", Key: "1"}}); err != nil {
			return err
		}
		return tx.AddTraffic(ctx, []store.Traffic{{First: s.now.Add(-time.Minute), Last: s.now.Add(-time.Minute), Count: 1, Provider: "exchange", Environment: "prod", ClientID: "orders-bot"}})
	})
	body := s.page(t, "/", "session viewer")
	if !strings.Contains(body, "<strong>0 failures</strong> in the last 24 hours") || !strings.Contains(body, "1 success seen.") {
		t.Error("a quiet day is not told from an empty database")
	}
}

func (s *site) write(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.store.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestPages_NotFound(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/incidents/inc_none", "/failures/rec_none", "/clients/nobody", "/causes/none", "/nothing"} {
		a := s.do(t, ask{path: path, who: "session viewer"})
		if a.status != http.StatusNotFound {
			t.Errorf("%s = %d", path, a.status)
		}
		checkMarkup(t, path, a)
	}
	if a := s.do(t, ask{path: "/i/inc_1%2F..%2F", who: "session viewer"}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/incidents/inc_1%2F..%2F" {
		t.Errorf("short link: %d %s", a.status, a.header.Get("Location"))
	}
}

func TestSignInPages(t *testing.T) {
	s := newSite(t)
	if body := s.page(t, "/login", ""); !strings.Contains(body, "authwatch user link NAME") || strings.Contains(body, "Sign out") {
		t.Error("the sign-in page does not say how to get in")
	}
	path := "/setup/" + s.signInToken(t, store.Admin)
	for range 2 { // opening consumes nothing
		if body := s.page(t, path, ""); !strings.Contains(body, "Sign in as a admin") || !strings.Contains(body, `action="`+path+`"`) {
			t.Error("the setup page has no button")
		}
	}
	if a := s.do(t, ask{method: http.MethodPost, path: path, header: map[string]string{"Sec-Fetch-Site": "cross-site"}}); a.status != http.StatusForbidden {
		t.Errorf("another site signs people in: %d", a.status)
	}
	if a := s.do(t, ask{method: http.MethodPost, path: path}); a.status != http.StatusSeeOther || !strings.Contains(a.header.Get("Set-Cookie"), "HttpOnly") {
		t.Errorf("sign in: %d %v", a.status, a.header)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if a := s.do(t, ask{method: method, path: path}); a.status != http.StatusNotFound || !strings.Contains(a.body, "used already") {
			t.Errorf("%s of a used link: %d", method, a.status)
		}
	}
	if a := s.do(t, ask{method: http.MethodPost, path: "/logout", who: "session viewer"}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/login" {
		t.Errorf("sign out: %d", a.status)
	}
	if a := s.do(t, ask{path: "/", who: "session viewer"}); a.status != http.StatusSeeOther {
		t.Errorf("after signing out: %d", a.status)
	}
}

func TestOverview_Over(t *testing.T) {
	s := newSite(t)
	for _, client := range []string{"a", "b", "c"} {
		s.addFailures(t, 2, classify.ProviderUnavailable, "prod", client)
	}
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Claim(ctx, s.now, []store.Delivery{{Source: "test", Key: "1"}}); err != nil {
			return err
		}
		var list []store.Traffic
		for _, client := range []string{"a", "b", "c"} {
			for _, minutes := range []int{1, 20, 40} {
				at := s.now.Add(time.Duration(minutes) * time.Minute)
				list = append(list, store.Traffic{Count: 1, First: at, Last: at, Provider: "exchange", Environment: "prod", ClientID: client})
			}
		}
		return tx.AddTraffic(ctx, list)
	})
	s.now = s.now.Add(41 * time.Minute)
	if n, err := s.store.ResolveRecovered(t.Context()); err != nil || n != 3 {
		t.Fatalf("%d resolved, %v", n, err)
	}
	if body := s.page(t, "/", "session viewer"); !strings.Contains(body, "outbreak, over") {
		t.Error("the overview does not say that the outbreak is over")
	}
}
