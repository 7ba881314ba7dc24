package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestScripting stores collections of strings that make browsers run scripts, in every field of a record and of what people
// write, and opens the pages in Chromium: no dialog, no refusal by the content security policy (nothing even came that far),
// no request to elsewhere. testdata/xss holds the collections, with their licences.
func TestScripting(t *testing.T) {
	t.Parallel()
	chromium, ok := findChromium(t)
	if !ok {
		return
	}
	hostile := hostileStrings(t)
	s := startServer(t)
	shipper := s.key("ingest")
	for part := range slices.Chunk(hostileRecords(hostile, time.Now()), 2000) {
		if a := s.post(shipper, "/ingest/v1/responses", bytes.Join(part, []byte("\n"))); a.Rejected != 0 {
			t.Fatalf("%+v", a)
		}
	}
	s.settle()
	s.tellHostile(hostile)
	s.signIn()
	t.Run("exports", func(t *testing.T) { s.exportsAreSafe(t) })
	t.Run("watch", func(t *testing.T) { scriptsAreNoticed(t, chromium) })
	t.Run("pages", func(t *testing.T) {
		b := openBrowser(t, chromium, true)
		b.enter(s.newLink())
		pages := s.hostilePages(hostile)
		t.Logf("%d pages", len(pages))
		for _, page := range pages {
			b.do(chromedp.Navigate(s.url + page))
		}
		b.assertQuiet()
	})
}

// scriptsAreNoticed runs a script as one of the strings would, or the test could not fail.
func scriptsAreNoticed(t *testing.T, chromium string) {
	b := openBrowser(t, chromium, true)
	b.do(chromedp.Navigate("data:text/html,<script>alert(1)</script><img src=http://127.0.0.2:9/x>"))
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, want := range []string{"dialog: 1", "request to http://127.0.0.2:9/x"} {
		if !slices.Contains(b.complaints, want) {
			t.Errorf("not noticed: %s; %q", want, b.complaints)
		}
	}
}

// hostileStrings are the strings of all collections.
func hostileStrings(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "xss", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no collections: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			all = append(all, strings.TrimRight(line, "\r\n"))
		}
	}
	text, err := os.ReadFile(filepath.Join("testdata", "xss", "naughtystrings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var naughty []string
	if err := json.Unmarshal(text, &naughty); err != nil {
		t.Fatal(err)
	}
	all = append(all, naughty...)
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(s string) bool { return strings.TrimSpace(s) == "" })
	if len(all) < 6000 {
		t.Fatalf("only %d strings", len(all))
	}
	return all
}

const (
	// together is how many strings one record holds as claims and as members of its body.
	together = 60
	// oneIn is how many records there are for each with a provider and an environment that nobody knows.
	oneIn = 200
)

// hostileRecords are one record for each string, which has it in every field, and records that hold many strings each.
func hostileRecords(hostile []string, now time.Time) (lines [][]byte) {
	for n, text := range hostile {
		at := now.Add(-time.Duration(n%600) * time.Second)
		r := map[string]any{
			"time": at.UTC().Format(time.RFC3339), "id": fmt.Sprint("one-", n), "client_id": text, "service": text, "request_id": text, "trace_id": text,
			"client_ip": text, "user_agent": text, "error": text,
			"request":          map[string]any{"method": "POST", "url": "https://pmx-prod.us.auth0.com/" + text, "headers": map[string]string{"referer": text, "x-" + text: text}, "body": text},
			"response":         map[string]any{"status": 401, "headers": map[string]string{"www-authenticate": text}, "body": map[string]any{"error": text, "error_description": text, text: text}},
			"client_assertion": map[string]any{"header": map[string]any{"alg": text, "kid": text, "typ": text}, "claims": map[string]any{"iss": text, "sub": text, "aud": []string{text}, "jti": text, "exp": text, "scope": text}},
			"access_token":     map[string]any{"header": map[string]any{"alg": text, "kid": text}, "claims": map[string]any{"iss": text, "aud": text, "scope": text}},
		}
		if n%oneIn == 0 {
			r["provider"], r["environment"] = text, text
		}
		lines = append(lines, encoded(r))
	}
	for n := 0; n < len(hostile); n += together {
		claims, body := map[string]any{"iss": "many"}, map[string]any{"error": "invalid_client"}
		for _, text := range hostile[n:min(n+together, len(hostile))] {
			claims[text], body[text] = text, text
		}
		lines = append(lines, encoded(map[string]any{
			"time": now.UTC().Format(time.RFC3339), "id": fmt.Sprint("many-", n), "client_id": fmt.Sprint("many-", n),
			"request":          map[string]any{"method": "POST", "url": "https://pmx-prod.us.auth0.com/oauth/token"},
			"response":         map[string]any{"status": 401, "body": body},
			"client_assertion": map[string]any{"header": map[string]any{"alg": "RS256"}, "claims": claims},
		}))
	}
	return lines
}

func encoded(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of text always can be
	}
	return text
}

// tellHostile writes strings where people and pipelines write: changes, notes, assignees, rules, silences.
func (s *testServer) tellHostile(hostile []string) {
	s.t.Helper()
	admin := s.key("admin")
	const some = 40
	incidents := list[struct{ ID string }](s, admin, "/api/v1/incidents")
	for n := range some {
		text := strings.Join(hostile[n*len(hostile)/some:][:2], " ")
		text = text[:min(len(text), 180)]
		s.try(admin, http.MethodPost, "/api/v1/changes", map[string]any{"title": text, "provider": text, "environment": text, "service": text, "client_id": text, "reference": text})
		s.try(admin, http.MethodPatch, "/api/v1/incidents/"+incidents[n].ID, map[string]any{"note": text, "assignee": text})
		s.try(admin, http.MethodPost, "/api/v1/rules", map[string]any{"name": text, "condition": map[string]any{"kind": "new"}, "match": map[string]any{"clients": []string{text}, "providers": []string{text}}})
		s.try(admin, http.MethodPost, "/api/v1/silences", map[string]any{"reason": text, "ends_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "match": map[string]any{"clients": []string{text}}})
	}
}

// try sends JSON that may be refused, but must not break the server.
func (s *testServer) try(key, method, path string, body any) {
	s.t.Helper()
	if status, _ := s.ask(http.DefaultClient, key, method, path, encoded(body)); status >= 500 {
		s.t.Errorf("%s %s: %d", method, path, status)
	}
}

// hostilePages are all pages of the lists, every page of one kind that links lead to, every record that holds many strings
// with its incident, some of those that hold one everywhere, and searches for strings.
func (s *testServer) hostilePages(hostile []string) (pages []string) {
	s.t.Helper()
	pages = append(pages, s.wholeList("/incidents?state=all")...)
	pages = append(pages, s.linkedPages()...)
	reader := s.key("read")
	for n, f := range list[struct {
		ID         string
		IncidentID string `json:"incident_id"`
		RecordID   string `json:"record_id"`
	}](s, reader, "/api/v1/failures") {
		many := strings.HasPrefix(f.RecordID, "many-")
		if many || n%400 == 0 {
			pages = append(pages, "/failures/"+f.ID)
		}
		if many && n%8 == 0 || n%400 == 0 {
			pages = append(pages, "/incidents/"+f.IncidentID, "/incidents/"+f.IncidentID+"/bundle")
		}
	}
	var searches []string
	for n := 0; n < len(hostile); n += 600 {
		text := strings.NewReplacer("%", "%25", "&", "%26", "#", "%23", "+", "%2B", " ", "%20", `"`, "%22", ";", "%3B").Replace(hostile[n])
		searches = append(searches, "/incidents?state=all&q="+text, "/incidents?client="+text, "/failures?q="+text, "/clients?q="+text)
	}
	return append(pages, s.thatAnswer(searches)...)
}

// thatAnswer leaves out searches that refuse what they are asked for, with a page of their own: Chromium notes those answers as errors.
func (s *testServer) thatAnswer(pages []string) []string {
	return slices.DeleteFunc(pages, func(page string) bool {
		resp, err := s.browser.Get(s.url + page)
		if err != nil {
			return true // an address that cannot even be sent
		}
		resp.Body.Close()
		if resp.StatusCode >= 500 {
			s.t.Errorf("GET %s: %s", page, resp.Status)
		}
		return resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
	})
}

// wholeList follows a list to its last page.
func (s *testServer) wholeList(page string) (pages []string) {
	s.t.Helper()
	next := regexp.MustCompile(`<a href="([^"]+)" rel="next"`)
	for {
		pages = append(pages, page)
		m := next.FindSubmatch(s.page(page))
		if m == nil {
			return pages
		}
		page = strings.ReplaceAll(string(m[1]), "&amp;", "&")
	}
}

// exportsAreSafe reads the exports: no cell is a formula, and every line is JSON of its own.
func (s *testServer) exportsAreSafe(t *testing.T) {
	key := s.key("read")
	for _, path := range []string{"/api/v1/incidents", "/api/v1/failures", "/api/v1/clients", "/api/v1/changes"} {
		for _, media := range []string{"text/csv", "application/x-ndjson", "application/json"} {
			resp := s.export(t, key, path+"?limit=200", media)
			if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" || strings.Contains(resp.Header.Get("Content-Type"), "html") {
				t.Errorf("%s as %s: %q, %q", path, media, got, resp.Header.Get("Content-Type"))
			}
			defer resp.Body.Close()
			switch media {
			case "text/csv":
				rows, err := csv.NewReader(resp.Body).ReadAll()
				if err != nil || len(rows) < 2 {
					t.Errorf("%s: %d rows, %v", path, len(rows), err)
				}
				for _, cell := range slices.Concat(rows...) {
					if formula := regexp.MustCompile(`^\s*[=+@\t\r]|^-[^0-9]`).FindString(cell); formula != "" {
						t.Errorf("%s: the cell %.60q is a formula", path, cell)
					}
				}
			default:
				for d := json.NewDecoder(resp.Body); d.More(); {
					var v any
					if err := d.Decode(&v); err != nil {
						t.Fatalf("%s as %s: %v", path, media, err)
					}
				}
			}
		}
	}
}

func (s *testServer) export(t *testing.T, key, path, media string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", media)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s as %s: %s", path, media, resp.Status)
	}
	return resp
}
