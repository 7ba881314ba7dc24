package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowser walks the way of an on-call engineer in Chromium, with scripts and without.
func TestBrowser(t *testing.T) {
	t.Parallel()
	chromium, ok := findChromium(t)
	if !ok {
		return
	}
	s := startDemo(t)
	first := s.link()
	for _, tt := range []struct {
		name    string
		scripts bool
		link    func() string
	}{
		{"with JavaScript", true, func() string { return first }},
		{"without JavaScript", false, s.newLink},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := openBrowser(t, chromium, tt.scripts)
			b.signIn(tt.link())
			b.walk()
			if tt.scripts {
				b.byKeyboard(s.url)
				b.brush(s.url)
				b.theme(s.url)
			}
			b.screenshots(s.url, tt.scripts)
			b.assertQuiet()
		})
	}
}

// findChromium returns the browser's path. Without one ok is false, and a run that requires it fails.
func findChromium(t *testing.T) (path string, ok bool) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lacks(t, "Chromium")
	}
	return path, err == nil
}

// lacks says why a test with a browser does not run; where it has to, it fails.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("AUTHWATCH_REQUIRE_BROWSER") != "" {
		t.Fatalf("%s is missing: make test installs it", what)
	}
	t.Logf("%s is missing; make test installs it and runs this test", what)
}

// newLink makes another sign-in link beside the running demo.
func (s *testServer) newLink() string {
	s.t.Helper()
	var stdout, stderr buffer
	args := []string{"user", "link", "--db", s.db, "--url", s.url, "admin"}
	if status := run(context.Background(), args, noEnv, nil, &stdout, &stderr); status != exitOK {
		s.t.Fatalf("user link: %d: %s", status, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// A browserTab is one page of Chromium, and everything that it complained about.
type browserTab struct {
	t       *testing.T
	browser context.Context // lives as long as the test
	ctx     context.Context // of the steps, which end after stepsLimit

	mu         sync.Mutex
	complaints []string
}

// stepsLimit is how long all steps of a tab may take: a browser that hangs must not hang the run.
const stepsLimit = 20 * time.Minute

func openBrowser(t *testing.T, chromium string, scripts bool) *browserTab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-gpu", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browserTab{t: t, browser: ctx, ctx: ctx}
	b.do() // the browser lives as long as the context of its first call, so that call has no timeout
	b.ctx, cancel = context.WithTimeout(ctx, stepsLimit)
	t.Cleanup(cancel)
	if err := chromedp.Listen(b.browser, b.listen); err != nil { // as long as the tab is there, whatever limit the steps have
		t.Fatal(err)
	}
	b.do(
		command(network.Enable, network.EnableParams{}),
		command(cdplog.Enable, cdp.Empty{}),
		command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts}),
	)
	return b
}

// command is a command of the browser's protocol as a step.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// listen notes dialogs, errors on the console, refusals by the content security policy, failed requests, and requests that leave this machine.
func (b *browserTab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		b.complaints = append(b.complaints, "dialog: "+e.Message)
		go func() { // it would wait for somebody, and this call must not
			_ = chromedp.Do(b.browser, command(page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}))
		}()
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.complaints = append(b.complaints, "console: "+string(e.Args[0].Value))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			b.complaints = append(b.complaints, fmt.Sprintf("%s %s: %s", e.Entry.Source, e.Entry.URL, e.Entry.Text))
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || (u.Hostname() != "127.0.0.1" && u.Scheme != "data") {
			b.complaints = append(b.complaints, "request to "+e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			b.complaints = append(b.complaints, fmt.Sprintf("%d from %s", e.Response.Status, e.Response.URL))
		}
	}
}

func (b *browserTab) assertQuiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Error(c)
	}
}

func (b *browserTab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("at %s: %v", at, err)
	}
}

// text returns what an element shows.
func (b *browserTab) text(selector chromedp.CSS) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(selector))
	if err != nil {
		b.t.Fatalf("text of %s: %v", selector, err)
	}
	return text
}

func (b *browserTab) assertText(selector chromedp.CSS, wants ...string) {
	b.t.Helper()
	got := strings.ToLower(b.text(selector))
	for _, want := range wants {
		if !strings.Contains(got, strings.ToLower(want)) {
			b.t.Errorf("%s does not say %q: %.500s…", selector, want, got)
		}
	}
}

// enter signs in, by a link.
func (b *browserTab) enter(link string) {
	b.t.Helper()
	b.do(chromedp.Navigate(link))
	b.follow("main form button")
}

// signIn enters a server that has failures of today.
func (b *browserTab) signIn(link string) {
	b.t.Helper()
	b.enter(link)
	b.assertText("h1", "failures", "in the last 24 hours")
}

// follow clicks what leads to another page and waits for it.
func (b *browserTab) follow(selector chromedp.CSS) {
	b.t.Helper()
	resp, err := chromedp.RunResponse(b.ctx, chromedp.Click(selector))
	if err != nil {
		b.t.Fatalf("click %s: %v", selector, err)
	}
	if resp.Status != 200 {
		b.t.Fatalf("click %s: %d from %s", selector, resp.Status, resp.URL)
	}
}

// walk goes overview → incident → fix → record, to a cause, and checks a pasted record.
func (b *browserTab) walk() {
	b.t.Helper()
	b.assertText("main", "new or worse", "outbreak")
	b.follow(`nav a[href="/incidents"]`)
	b.assertText("main", "jti reuse", "order-router-prod")
	b.follow(`main a[href^="/incidents/inc_"]`)
	b.assertText("main", "what happened", "why we think so", "fix")
	b.follow(`main a[href^="/failures/"]`)
	b.assertText("main", "request", "response")
	b.follow(`nav a[href="/causes"]`)
	b.follow(`main a[href="/causes/wrong_audience"]`)
	b.assertText("main", "audience")
	b.follow(`nav a[href="/check"]`)
	const pasted = `{"time":"2026-11-20T10:00:10Z","request":{"method":"POST","url":"https://pmx-prod.us.auth0.com/oauth/token"},` +
		`"response":{"status":401,"body":{"error":"invalid_client_assertion"}},"client_assertion":{"header":{"alg":"RS256","kid":"k1"},` +
		`"claims":{"iss":"order-router","sub":"order-router","aud":"https://api.polymarketexchange.com","iat":1795168810,"exp":1795169110,"jti":"j-2"}}}`
	b.do(chromedp.SetValue(chromedp.CSS("main textarea"), pasted))
	b.follow("main form.paste button")
	b.assertText("main", "wrong_audience", "https://pmx-prod.us.auth0.com/oauth/token")
}

// screenshots writes each page, light and dark, into the folder of AUTHWATCH_SCREENSHOTS.
func (b *browserTab) screenshots(base string, scripts bool) {
	b.t.Helper()
	dir := os.Getenv("AUTHWATCH_SCREENSHOTS")
	if dir == "" || !scripts {
		return
	}
	b.do(chromedp.Navigate(base + "/incidents?cause=jti_reuse&client=order-router-prod&state=all"))
	incident, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS(`main a[href^="/incidents/inc_"]`), "href"))
	if err != nil {
		b.t.Fatal(err)
	}
	pages := map[string]string{"overview": "/", "incidents": "/incidents", "incident": incident.Value, "clients": "/clients",
		"environments": "/environments", "causes": "/causes", "cause": "/causes/jti_reuse", "check": "/check"}
	for _, scheme := range []string{"light", "dark"} {
		b.do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}))
		for name, path := range pages {
			b.do(chromedp.Navigate(base + path))
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+".png"), png, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

// byKeyboard goes from the overview to an incident and acknowledges it without a pointer.
func (b *browserTab) byKeyboard(base string) {
	b.t.Helper()
	b.do(chromedp.Navigate(base + "/"))
	b.keys("g", "i")
	b.do(chromedp.Navigate(base + "/incidents?cause=jti_reuse&client=order-router-prod"))
	b.keys("j", kb.Enter)
	b.assertText("h1", "jti reuse")
	b.keys("a")
	b.assertText("main", "Acknowledged by admin")
	b.do(chromedp.Navigate(base + "/"))
	b.do(chromedp.KeyEvent("?"), chromedp.WaitVisible(chromedp.CSS("dialog[open] .keys")), chromedp.KeyEvent(kb.Escape))
	b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS("dialog[open] .palette")))
	b.do(chromedp.KeyEvent("causes"))
	b.keys(kb.Enter)
	b.assertText("h1", "causes")
}

// brush drags over a part of the chart, which becomes the time of the page.
func (b *browserTab) brush(base string) {
	b.t.Helper()
	b.do(chromedp.Navigate(base + "/?range=24h"))
	box, err := chromedp.Run(b.ctx, chromedp.Evaluate[[4]float64](`(() => { const r = document.querySelector("svg.brushable").getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()`))
	if err != nil {
		b.t.Fatal(err)
	}
	y := box[1] + box[3]/2
	left, right := box[0]+box[2]*0.25, box[0]+box[2]*0.5
	b.do(mouse(input.DispatchMouseEventTypeMousePressed, left, y), mouse(input.DispatchMouseEventTypeMouseMoved, right, y))
	resp, err := chromedp.RunResponse(b.ctx, mouse(input.DispatchMouseEventTypeMouseReleased, right, y))
	if err != nil {
		b.t.Fatal(err)
	}
	u, err := url.Parse(resp.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	from, fromErr := time.Parse(time.RFC3339, u.Query().Get("from"))
	to, toErr := time.Parse(time.RFC3339, u.Query().Get("to"))
	if got := to.Sub(from); fromErr != nil || toErr != nil || got < 5*time.Hour || got > 8*time.Hour || u.Query().Has("range") {
		b.t.Errorf("a quarter of the day leads to %s", resp.URL)
	}
	b.assertText("main", "from")
}

// theme chooses the dark theme: the next page is painted in it, and its first paint waits for no script.
func (b *browserTab) theme(base string) {
	b.t.Helper()
	b.do(chromedp.Navigate(base+"/causes"), chromedp.Click(chromedp.CSS("[data-theme-toggle]")), chromedp.Navigate(base+"/live"))
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`(async () => {
		const page = await (await fetch(location.href)).text();
		const waits = performance.getEntriesByType("resource").filter(e => e.initiatorType === "script" && e.renderBlockingStatus !== "non-blocking");
		return [document.documentElement.dataset.theme, page.match(/<html[^>]*>/)[0], ...waits.map(e => e.name)];
	})()`, chromedp.EvalAwaitPromise))
	if want := []string{"dark", `<html lang="en" data-theme="dark">`}; err != nil || !slices.Equal(got, want) {
		b.t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func mouse(kind input.DispatchMouseEventType, x, y float64) chromedp.Action[chromedp.Void] {
	return command(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1})
}

// keys presses keys one after the other; the last one leads to another page.
func (b *browserTab) keys(list ...string) {
	b.t.Helper()
	for _, key := range list[:len(list)-1] {
		b.do(chromedp.KeyEvent(key))
	}
	resp, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent(list[len(list)-1]))
	if err != nil || resp.Status != 200 {
		b.t.Fatalf("keys %q: %v", list, err)
	}
}
