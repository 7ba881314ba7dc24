package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestAccessible applies the rules of axe-core to every page that the demo links to, light and dark, on a wide screen, a
// tablet and a phone, and looks for what makes a phone scroll sideways. A new page is found by its link: nothing has to be added here.
func TestAccessible(t *testing.T) {
	t.Parallel()
	chromium, ok := findChromium(t)
	rules, err := os.ReadFile(filepath.Join("..", "..", "tools", "axe", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		lacks(t, "axe-core")
	}
	if err != nil || !ok {
		return
	}
	s := startDemo(t)
	s.signIn()
	b := openBrowser(t, chromium, true)
	b.signIn(s.newLink())
	pages := s.linkedPages()
	if len(pages) < 10 {
		t.Errorf("only %d kinds of pages are linked: %v", len(pages), pages)
	}
	for _, page := range pages {
		b.do(chromedp.Navigate(s.url + page))
		b.do(chromedp.Evaluate[chromedp.Void](string(rules)))
		for _, scheme := range []string{"light", "dark"} {
			b.do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
			}))
			for _, width := range []int64{1440, 768, 360} {
				b.do(chromedp.EmulateViewport(width, 900))
				for _, complaint := range b.complaintsOfRules() {
					t.Errorf("%s, %s, %d px: %s", page, scheme, width, complaint)
				}
			}
		}
	}
	b.assertQuiet()
}

// complaintsOfRules is what axe-core finds on the page as it is shown now, and whether the page is wider than its window.
func (b *browserTab) complaintsOfRules() []string {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`(async () => {
		const { violations } = await axe.run();
		const list = violations.flatMap(v => v.nodes.map(n => v.id + " at " + n.target + ": " + n.failureSummary));
		const { scrollWidth, clientWidth } = document.documentElement;
		if (scrollWidth > clientWidth) list.push("the page scrolls sideways: " + scrollWidth + " px");
		return list;
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("run axe-core: %v", err)
	}
	return found
}

// linkedPages follows links from the overview and returns one page of each kind: ids and names in paths make no kind of their own.
func (s *testServer) linkedPages() []string {
	s.t.Helper()
	link := regexp.MustCompile(`<a [^>]*href="(/[^"#]*)"`)
	seen := map[string]bool{}
	queue, pages := []string{"/"}, []string{}
	for len(queue) > 0 {
		page := queue[0]
		queue = queue[1:]
		kind := kindOfPage(page)
		if seen[kind] {
			continue
		}
		seen[kind] = true
		html, isPage := s.tryPage(page)
		if !isPage {
			continue
		}
		pages = append(pages, page)
		for _, m := range link.FindAllStringSubmatch(string(html), -1) {
			queue = append(queue, strings.ReplaceAll(m[1], "&amp;", "&"))
		}
	}
	return pages
}

// kindOfPage is a page's path without what names one thing of many.
func kindOfPage(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return page
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) > 1 && parts[0] != "settings" { // whose parts are pages of different kinds
		parts[1] = "*"
	}
	return strings.Join(parts, "/")
}

// tryPage reads what a link leads to. A download and an address that only takes forms are no pages.
func (s *testServer) tryPage(path string) (html []byte, isPage bool) {
	s.t.Helper()
	resp, err := s.browser.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return nil, false
	}
	html, err = io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		s.t.Errorf("a link leads to %s: %s", path, resp.Status)
		return nil, false
	}
	return html, true
}
