package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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
	open("/sources/"+shipper, "source.html", "time is missing", "of their events")
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
		return tx.AddTraffic(ctx, []store.Traffic{{First: s.now.Add(-time.Minute), Last: s.now.Add(-time.Minute), Count: 1, Provider: "exchange", Environment: "prod", ClientID: "orders-bot", Endpoint: "GET x"}})
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

func TestIncidentsPage_FiltersAndPages(t *testing.T) {
	s := newSite(t)
	for i := range 60 {
		s.addFailures(t, 1, classify.TokenExpired, "prod", fmt.Sprintf("client-%02d", i))
	}
	s.addFailures(t, 1, classify.JTIReuse, "preprod", "other")
	seen := map[string]bool{}
	pages := 0
	for path := "/incidents?cause=token_expired"; path != ""; pages++ {
		body := s.page(t, path, "session viewer")
		if strings.Contains(body, `href="/clients/other"`) {
			t.Error("the filter lets another cause through")
		}
		for _, m := range regexp.MustCompile(`href="(/incidents/inc_[^"]*)"`).FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s twice", m[1])
			}
			seen[m[1]] = true
		}
		path = ""
		if m := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 60 || pages != 2 {
		t.Errorf("%d incidents on %d pages", len(seen), pages)
	}
	if body := s.page(t, "/incidents?state=resolved", "session viewer"); !strings.Contains(body, "No such incident in the last 7 days.") || !strings.Contains(body, `Open <span class="count">61</span>`) {
		t.Error("the tabs lose their counts")
	}
	for _, bad := range []string{"state=gone", "cause=nope", "fault=mine", "range=9y", "cursor=zzz", "from=x"} {
		a := s.do(t, ask{path: "/incidents?" + bad, who: "session viewer"})
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, "<h1>Bad Request</h1>") {
			t.Errorf("%s = %d", bad, a.status)
		}
	}
}

func TestIncidentPage_StateForms(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, classify.TokenExpired, "prod", "orders-bot")
	incident := firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_")
	if body := s.page(t, incident, "session viewer"); strings.Contains(body, "Acknowledge</button>") {
		t.Error("a viewer is offered what is refused")
	}
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(s.page(t, incident, "session responder"))[1]
	post := func(who, form string, header map[string]string) answer {
		h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
		for name, value := range header {
			h[name] = value
		}
		return s.do(t, ask{method: http.MethodPost, path: incident + "/state", who: who, body: form, header: h})
	}
	for _, tt := range []struct {
		name   string
		who    string
		form   string
		header map[string]string
		status int
	}{
		{"another site", "session responder", "state=resolved", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{"an old browser on another site", "session responder", "state=resolved", map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, http.StatusForbidden},
		{"a viewer", "session viewer", "state=resolved", nil, http.StatusForbidden},
		{"nobody", "", "state=resolved", nil, http.StatusUnauthorized},
		{"a key", "admin", "state=resolved", nil, http.StatusUnauthorized},
		{"no such state", "session responder", "state=gone", nil, http.StatusBadRequest},
		{"a stale page", "session responder", "state=resolved&version=99999", nil, http.StatusConflict},
		{"acknowledge", "session responder", "state=acknowledged&version=" + version, nil, http.StatusSeeOther},
	} {
		if a := post(tt.who, tt.form, tt.header); a.status != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, a.status, tt.status)
		}
	}
	if body := s.page(t, incident, "session viewer"); !strings.Contains(body, "Acknowledged by a responder.") {
		t.Error("the page does not say who acknowledged")
	}
	if a := post("session admin", "state=silenced&hours=8", nil); a.status != http.StatusSeeOther || a.header.Get("Location") != incident {
		t.Errorf("silence: %d %s", a.status, a.header.Get("Location"))
	}
	if body := s.page(t, incident, "session viewer"); !strings.Contains(body, "Silenced by a admin until 20:00:00.") {
		t.Error("the page does not say until when")
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

// hostile are strings that became markup, script or another reading elsewhere.
func hostile() []string {
	return []string{
		`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `</title></textarea><svg/onload=alert(1)>`, "javascript:alert(1)",
		`{{.User}}{{template "x"}}`, "\u202egnp.exe\u0000\u001b[2J", "<!--<script>", "data:text/html,<script>alert(1)</script>", `" autofocus onfocus="alert(1)`, "../../../../etc/passwd%00",
		strings.Repeat("A", 20000), "\u2028\u2029</pre>",
	}
}

// hostileFailure has the same string wherever log text can reach a page.
func hostileFailure(at time.Time, n int, text string) store.Failure {
	value := classify.Object{text: text, "aud": []any{text, map[string]any{text: text}}, "iss": text, "sub": text, "exp": text, "iat": json.Number("1e300"), "scope": map[string]any{text: nil}}
	body, err := json.Marshal(map[string]any{text: text})
	if err != nil {
		panic(err)
	}
	headers := classify.Headers{text: text, "www-authenticate": text}
	rec := classify.Record{Time: at, ID: text, Service: text, ClientID: text, RequestID: text, TraceID: text, ClientIP: text, UserAgent: text, Error: text,
		Request:         &classify.Request{Method: text, URL: text, Headers: headers, Body: body},
		Response:        &classify.Response{Status: 401, Headers: headers, Body: body},
		ClientAssertion: &classify.JWT{Header: value, Claims: value, Malformed: text}, AccessToken: &classify.JWT{Header: value, Claims: value}}
	stored, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	return store.Failure{
		Source: "test", RecordID: fmt.Sprint("hostile", n), ReceivedAt: at, RequestID: text, TraceID: text, Service: text, Endpoint: text, Method: text, URL: text, Status: 401, Record: stored,
		Verdict: classify.Verdict{Time: at, Provider: text, Environment: text, ClientID: text, Phase: classify.APICall, Cause: classify.Unclassified,
			Confidence: classify.Inferred, Fault: classify.FaultUnknown, Summary: text,
			Evidence:     []classify.Evidence{{Witness: classify.WitnessToken, Path: text, Observed: text, Expected: []string{text}, Detail: text, Cause: classify.Code(text)}},
			Checks:       []*classify.Check{{Check: text, Result: classify.Fail, Path: "client_assertion.claims.iss", Detail: text}},
			Alternatives: []classify.Alternative{{Cause: classify.Code(text), Confidence: classify.Inferred}},
			Fix:          classify.Fix{Edits: []classify.Edit{{Op: text, Path: text, Value: text}}, NotCheckable: []string{text}, Steps: []string{text}}},
	}
}

func TestPages_HostileTextStaysText(t *testing.T) {
	s := newSite(t)
	var list []store.Failure
	for n, text := range hostile() {
		list = append(list, hostileFailure(s.now.Add(-time.Duration(n+1)*time.Minute), n, text))
	}
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Claim(ctx, s.now, []store.Delivery{{Source: "test", Key: "1"}}); err != nil {
			return err
		}
		return tx.AddFailures(ctx, list)
	})
	paths := []string{"/", "/failures", "/incidents?state=all", "/clients", "/environments", "/causes/unclassified", "/live?since=1.0", "/live?q=" + url.QueryEscape(`-client:"<script>alert(1)</script>"`)}
	for _, f := range list {
		paths = append(paths, "/failures/"+f.ID, "/incidents/"+f.IncidentID, "/incidents/"+f.IncidentID+"/over")
		paths = append(paths, "/incidents?client="+url.QueryEscape(f.Verdict.ClientID[:min(len(f.Verdict.ClientID), 200)]))
	}
	for _, c := range regexp.MustCompile(`href="(/clients/[^"]+)"`).FindAllStringSubmatch(s.page(t, "/clients", "session viewer"), -1) {
		paths = append(paths, c[1])
	}
	for _, path := range paths {
		body := s.page(t, path, "session responder")
		body = regexp.MustCompile(`\svalue="[^"]*"`).ReplaceAllString(body, "") // of a form's field: it has to come back as it is
		for _, raw := range []string{"<script>", "<img", "<svg/", "<!--", "\u202e", "\u0000", "\u001b", "onfocus=\""} {
			if strings.Contains(body, raw) {
				t.Errorf("%.60s holds %q unescaped", path, raw)
			}
		}
	}
	if len(paths) < 40 {
		t.Errorf("only %d pages were read", len(paths))
	}
}

func TestCheckPage(t *testing.T) {
	s := newSite(t)
	post := func(form url.Values) answer {
		return s.do(t, ask{method: http.MethodPost, path: "/check", who: "session viewer", body: form.Encode(), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	}
	rec := recordOf(wrongAudience(s.now).Record)
	text, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	a := post(url.Values{"text": {string(text)}, "place": {"exchange/preprod"}})
	if a.status != http.StatusOK {
		t.Fatalf("check = %d %s", a.status, a.body)
	}
	checkMarkup(t, "/check", a)
	for _, want := range []string{"Client assertion, as sent and as expected", "Check trace", "The redacted record", `value="exchange/preprod" selected`, "https://auth.preprod.exchange.example/oauth/token"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	a = post(url.Values{"text": {`{"time":"2026-11-22T12:00:00Z","response":{"body":{"message":"try again later"}}}`}})
	if !strings.Contains(a.body, "No failure to explain") || !strings.Contains(a.body, "Choose the one that the server answered with") {
		t.Error("a body that is no OAuth error is judged without a status, or nothing says what is missing")
	}
	a = post(url.Values{"text": {`{"time":"2026-11-22T12:00:00Z","response":{"body":{"error":"invalid_client"}}}`}, "status": {"401"}})
	if strings.Contains(a.body, "No failure to explain") || !strings.Contains(a.body, `value="401" selected`) || !strings.Contains(a.body, "&#34;status&#34;: 401") {
		t.Error("the chosen status does not count")
	}
	if list, _, err := s.store.ListFailures(t.Context(), store.FailureFilter{}); err != nil || len(list) != 0 {
		t.Errorf("something was stored: %v %v", list, err)
	}
	for n, text := range hostile() {
		record, want := string(hostileFailure(s.now, n, text).Record), http.StatusOK
		if len(record) > pasteLimit {
			want = http.StatusUnprocessableEntity
		}
		a := post(url.Values{"text": {record}, "place": {text}, "status": {text}})
		if a.status != want {
			t.Fatalf("%.30q = %d, want %d", text, a.status, want)
		}
		checkMarkup(t, "/check", a)
		for _, raw := range []string{"<script>", "<img", "<svg/", "<!--", "\u202e", "\u001b"} {
			if strings.Contains(a.body, raw) {
				t.Errorf("%.30q: holds %q unescaped", text, raw)
			}
		}
	}
	const secret = "not json at all c2VjcmV0LXNpZ25hdHVyZQ"
	for _, form := range []url.Values{{}, {"text": {"  "}}, {"text": {secret}}, {"text": {strings.Repeat("x", pasteLimit+1)}}} {
		a := post(form)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `role="alert"`) {
			t.Errorf("%.40v = %d", form, a.status)
		}
		if strings.Contains(a.body, "c2VjcmV0") || strings.Contains(s.log.String(), "c2VjcmV0") {
			t.Error("what was pasted is echoed or logged")
		}
	}
	a = s.do(t, ask{method: http.MethodPost, path: "/check", who: "session viewer", body: "text=1", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"}})
	if a.status != http.StatusForbidden {
		t.Errorf("another site checks: %d", a.status)
	}
}

func TestIncidentPage_NoteAndAssignee(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	incident := firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_")
	send := func(who, form string) answer {
		return s.do(t, ask{method: http.MethodPost, path: incident + "/note", who: who, body: form,
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": s.URL}})
	}
	for _, form := range []string{"note=%3Cb%3Ethe+retry+loop%3C%2Fb%3E+hunter2", "assignee=a+responder", "assignee="} {
		if got := send("session responder", form); got.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", form, got.status, got.body)
		}
	}
	body := s.page(t, incident, "session viewer")
	for _, want := range []string{"&lt;b&gt;the retry loop&lt;/b&gt; [secret]", "a responder took it", "a responder took it from a responder"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "Add the note") {
		t.Error("a viewer is offered the form")
	}
	if got := send("session responder", "note="); got.status != http.StatusBadRequest {
		t.Errorf("an empty note: %d", got.status)
	}
}

func TestIncidentsPage_ChangeMany(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "a")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "b")
	body := s.page(t, "/incidents?range=24h", "session responder")
	ids := regexp.MustCompile(`name="id" value="(inc_[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 2 || strings.Contains(s.page(t, "/incidents", "session viewer"), `type="checkbox"`) {
		t.Fatalf("%d boxes for a responder", len(ids))
	}
	send := func(form string) answer {
		return s.do(t, ask{method: http.MethodPost, path: "/incidents/change", who: "session responder", body: form,
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": s.URL}})
	}
	got := send("state=resolved&hours=8&back=range%3D24h&id=" + ids[0][1] + "&id=inc_none&id=" + ids[1][1])
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/incidents?range=24h" {
		t.Fatalf("%d, back to %s", got.status, got.header.Get("Location"))
	}
	if body := s.page(t, "/incidents?state=resolved", "session viewer"); strings.Count(body, "/incidents/inc_") != 2 {
		t.Error("both are not resolved")
	}
	if got := send("state=resolved"); got.status != http.StatusBadRequest {
		t.Errorf("nothing ticked: %d", got.status)
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
