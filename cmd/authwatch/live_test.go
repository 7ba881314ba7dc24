package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// failing is a body of n failures of a client.
func failing(n int, client string) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"time":%q,"id":"%s-%d-%d","client_id":%q,"request":{"method":"GET","url":"https://api.polymarketexchange.com/v1/orders","headers":{"accept":"application/json"}},"response":{"status":401,"headers":{"www-authenticate":"Bearer"}}}`+"\n",
			time.Now().UTC().Format(time.RFC3339Nano), client, time.Now().UnixNano(), i, client)
	}
	return []byte(b.String())
}

// TestBrowser_Live looks at the page Live while failures come: it shows them, is paused by a key, and says what it skipped.
func TestBrowser_Live(t *testing.T) {
	t.Parallel()
	chromium, ok := findChromium(t)
	if !ok {
		return
	}
	s := startDemo(t)
	key := s.key("ingest")
	s.post(key, "/ingest/v1/responses", failing(1, "live-one"))
	b := openBrowser(t, chromium, true)
	b.signIn(s.link())
	b.do(chromedp.Navigate(s.url + "/live?q=client:live-*"))
	b.assertText("main", "The newest 1 failure")
	b.until(`document.querySelector("[data-live-pause]").hidden === false`)

	s.post(key, "/ingest/v1/responses", failing(2, "live-two"))
	b.until(`document.querySelectorAll("tr.new").length === 2 && document.querySelectorAll("[data-live-rows] tr").length === 3`)
	b.assertText("main", "live-two", "2 new failures since you looked")

	b.do(chromedp.KeyEvent("p"))
	s.post(key, "/ingest/v1/responses", failing(3, "live-three"))
	b.until(`document.querySelector("[data-live-note]").textContent === "Paused: 3 failures wait."`)
	if text := b.text("main"); strings.Contains(text, "live-three") {
		t.Error("a paused page moves")
	}
	b.do(chromedp.KeyEvent("p"))
	b.until(`document.querySelectorAll("tr.new").length === 3`)

	s.post(key, "/ingest/v1/responses", failing(120, "live-flood"))
	b.until(`document.querySelector("[data-live-note]").textContent.includes("70 failures were skipped")`)
	// A reader is told how many, and not each.
	b.until(`/^\d+ new failures?\.$/.test(document.querySelector("[data-live-said]").textContent)`)
	b.assertQuiet()

	quiet := openBrowser(t, chromium, false)
	quiet.signIn(s.newLink())
	quiet.do(chromedp.Navigate(s.url + "/live?q=client:live-*"))
	s.post(key, "/ingest/v1/responses", failing(1, "live-last"))
	quiet.follow(".live-bar a")
	quiet.assertText("main", "1 new failure since you looked", "live-last", "Load it anew every 30 seconds")
	quiet.assertQuiet()
}

// until waits for an expression to be true.
func (b *browserTab) until(expression string) {
	b.t.Helper()
	for range 3600 {
		found, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
		if found {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("never: %s; the page says %q", expression, b.text("main .live-bar"))
}
