package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authwatch/alert"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestJourney is a night on call: a million failures of three hundred clients lie behind, a client breaks, and the alert's
// link leads to the cause, its proof and a verified fix: with a pointer, with the keyboard alone, and without JavaScript.
func TestJourney(t *testing.T) {
	t.Parallel()
	chromium, ok := findChromium(t)
	if !ok {
		return
	}
	s, link := startNight(t)
	for _, tt := range []struct {
		name    string
		scripts bool
		walk    func(b *browserTab, s *testServer, link string)
	}{
		{"pointer", true, (*browserTab).journey},
		{"without JavaScript", false, (*browserTab).journey},
		{"360 pixels", true, (*browserTab).journeyOnPhone},
		{"keyboard", true, (*browserTab).journeyByKeyboard}, // and resolves it, so that it is last
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := openBrowser(t, chromium, tt.scripts)
			b.enter(s.newLink())
			tt.walk(b, s, link)
			b.assertQuiet()
		})
	}
}

// startNight serves a large database in which a client has just broken, and returns the link of the alert.
func startNight(t *testing.T) (s *testServer, link string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "month")
	fillMonth(t, dir, 1_000_000, 300)
	alerts := make(chan alert.Message, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m alert.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Errorf("alert: %v", err)
		}
		alerts <- m
	}))
	t.Cleanup(hook.Close)
	receivers := filepath.Join(dir, "receivers.yaml")
	for path, text := range map[string]string{
		receivers:                         "receivers:\n- name: pager\n  webhook:\n    url: " + hook.URL + "\n    secret_file: hook.secret\n    private: true\n",
		filepath.Join(dir, "hook.secret"): "a-secret-that-is-long-enough-for-a-hook\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"serve", "--db", filepath.Join(dir, "authwatch.db"), "--listen", "127.0.0.1:0", "--receivers", receivers}
	profiles, err := filepath.Glob(filepath.Join(dir, "profiles", "*.yaml"))
	if err != nil || len(profiles) == 0 {
		t.Fatalf("profiles: %v, %v", profiles, err)
	}
	for _, path := range profiles {
		args = append(args, "--profile", path)
	}
	s = newTestServer(t, args[2])
	s.start(args)
	s.send(s.key("admin"), http.MethodPost, "/api/v1/rules", `{"name":"something new","condition":{"kind":"new"},"receivers":["pager"]}`)
	s.post(s.key("ingest"), "/ingest/v1/responses", brokenClient(time.Now()))
	select {
	case m := <-alerts:
		if m.ClientID != "order-router" || m.Cause != "wrong_audience" {
			t.Fatalf("the alert is about %s, %s", m.ClientID, m.Cause)
		}
		return s, m.URL
	case <-time.After(3 * time.Minute):
		t.Fatalf("no alert came:\n%s", s.stderr)
	}
	return nil, ""
}

// fillMonth has the yardstick make a database of the last 30 days; as a program of its own it goes without the race detector.
func fillMonth(t *testing.T, dir string, failures, clients int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bench")
	if out, err := exec.Command("go", "build", "-o", program, "authwatch/bench").CombinedOutput(); err != nil {
		t.Fatalf("build bench: %v: %s", err, out)
	}
	fill := exec.Command(program, "-fill", dir, "-failures", fmt.Sprint(failures), "-clients", fmt.Sprint(clients))
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("fill database: %v: %s", err, out)
	}
}

// brokenClient is a client whose assertions were accepted and, since its new configuration, name the API as their audience.
func brokenClient(now time.Time) []byte {
	const endpoint, wrong = "https://pmx-prod.us.auth0.com/oauth/token", "https://api.polymarketexchange.com"
	var body strings.Builder
	for n := range 40 {
		at := now.Add(time.Duration(n-60) * 10 * time.Second)
		status, audience, answer := 200, endpoint, `{"token_type":"Bearer"}`
		if n >= 20 {
			status, audience, answer = 401, wrong, `{"error":"invalid_client_assertion"}`
		}
		fmt.Fprintf(&body, `{"time":%q,"id":"night-%d","request_id":"req-night-%d","client_id":"order-router","request":{"method":"POST","url":%q,"headers":{"content-type":"application/json"}},`+
			`"response":{"status":%d,"body":%s},"client_assertion":{"header":{"alg":"RS256","kid":"order-router-1"},`+
			`"claims":{"iss":"order-router","sub":"order-router","aud":%q,"iat":%d,"exp":%d,"jti":"night-%d"}}}`+"\n",
			at.UTC().Format(time.RFC3339), n, n, endpoint, status, answer, audience, at.Unix(), at.Unix()+300, n)
	}
	return []byte(body.String())
}

// journey needs no click for cause, proof and fix, and one for the record that proves it.
func (b *browserTab) journey(s *testServer, link string) {
	b.do(chromedp.Navigate(link))
	b.assertDiagnosis()
	b.follow(`main a[href^="/failures/rec_"]`)
	b.assertText("main", "check trace", "request", "response", "invalid_client_assertion")
	b.follow(`header a[href="/"]`)
	b.assertText("main", "wrong audience", "order-router", "new")
	for _, page := range s.largePages() {
		b.do(chromedp.Navigate(s.url + page))
	}
}

// assertDiagnosis is what somebody who was woken wants to read at once.
func (b *browserTab) assertDiagnosis() {
	b.t.Helper()
	b.assertText("h1", "wrong audience")
	b.assertText("main", "order-router", "proven", "20 failures", "https://pmx-prod.us.auth0.com/oauth/token", "https://api.polymarketexchange.com")
	b.assertText(".fix", "client_assertion.claims.aud", "https://pmx-prod.us.auth0.com/oauth/token")
	b.assertText(".fix .verified.yes", "pass")
	b.assertText(".claims", "aud", "expected")
}

// journeyByKeyboard touches nothing but keys: single letters, and Tab alone for who has switched them off.
func (b *browserTab) journeyByKeyboard(s *testServer, link string) {
	b.do(chromedp.Navigate(link))
	b.assertDiagnosis()
	b.tabTo(`main a[href^="/failures/rec_"]`)
	b.keys(kb.Enter)
	b.assertText("main", "check trace", "invalid_client_assertion")
	b.keys("g", "o")
	b.keys("j", kb.Enter)
	b.assertText("h1", "wrong audience")
	b.keys("a")
	b.assertText("main", "acknowledged by admin")
	b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS("dialog[open] .palette")))
	b.do(chromedp.KeyEvent("resolve"))
	b.keys(kb.Enter)
	b.assertText("main", "resolved")
}

// tabTo presses Tab until the focus is on the element, as many times as somebody would not mind.
func (b *browserTab) tabTo(selector string) {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement.matches(%q)`, selector)))
		if err != nil {
			b.t.Fatal(err)
		}
		if there {
			return
		}
	}
	b.t.Fatalf("60 times Tab do not lead to %s", selector)
}

// journeyOnPhone looks at every page of the way on a narrow screen, on which nothing may scroll sideways.
func (b *browserTab) journeyOnPhone(s *testServer, link string) {
	b.do(chromedp.EmulateViewport(360, 740), command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true}))
	for _, page := range append(s.largePages(), strings.TrimPrefix(link, s.url)) {
		b.do(chromedp.Navigate(s.url + page))
		width, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
		if err != nil {
			b.t.Fatal(err)
		}
		if width > 360 {
			b.t.Errorf("%s is %d pixels wide", page, width)
		}
	}
}

// largePages are those on which a million failures show.
func (s *testServer) largePages() []string {
	largest := list[struct {
		ID       string
		ClientID string `json:"client_id"`
		Count    int
	}](s, s.key("read"), "/api/v1/incidents")
	most := largest[0]
	for _, i := range largest {
		if i.Count > most.Count && i.ClientID != "" {
			most = i
		}
	}
	return []string{"/", "/?range=30d", "/failures", "/incidents", "/incidents?range=30d&state=all", "/incidents/" + most.ID, "/clients",
		"/clients/" + most.ClientID, "/environments", "/causes", "/causes/wrong_audience", "/changes", "/unclassified", "/sources"}
}
