package api

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"authwatch/classify"
)

func accept(media string) map[string]string { return map[string]string{"Accept": media} }

func TestLists_Formats(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, classify.JTIReuse, "prod", "client-a")
	s.addFailures(t, 1, classify.TokenExpired, "prod", `=HYPERLINK("http://evil.example")`)

	lines := s.do(t, ask{path: "/api/v1/incidents?sort=count", who: "read", header: accept("application/x-ndjson")})
	rows := strings.Split(strings.TrimSuffix(lines.body, "\n"), "\n")
	var first incidentJSON
	if err := json.Unmarshal([]byte(rows[0]), &first); err != nil || len(rows) != 2 || first.Count != 3 || first.ClientID != "client-a" {
		t.Errorf("NDJSON: %v in %s", err, lines.body)
	}

	table := s.do(t, ask{path: "/api/v1/incidents?sort=count&limit=1", who: "read", header: accept("text/csv, application/json;q=0.5")})
	if got := table.header.Get("Content-Type"); got != "text/csv; charset=utf-8; header=present" || table.header.Get("Link") == "" {
		t.Errorf("Content-Type %q, Link %q", got, table.header.Get("Link"))
	}
	table = s.do(t, ask{path: "/api/v1/incidents?sort=count&fields=client_id,count,endpoints,silenced_until", who: "read", header: accept("text/csv")})
	cells, err := csv.NewReader(strings.NewReader(table.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"client_id", "count", "endpoints", "silenced_until"},
		{"client-a", "3", "", ""},
		{`'=HYPERLINK("http://evil.example")`, "1", "", ""},
	}
	for n := range want {
		if strings.Join(cells[n], "|") != strings.Join(want[n], "|") {
			t.Errorf("row %d is %q, want %q", n, cells[n], want[n])
		}
	}
}

// What a spreadsheet would run begins with one of these, in either width.
func TestCell_IsNoFormula(t *testing.T) {
	for value, want := range map[string]string{
		`"=1+1"`: "'=1+1", `"+1"`: "'+1", `"-1"`: "'-1", `"@SUM(A1)"`: "'@SUM(A1)", `"\t=1"`: "'\t=1", `"\r=1"`: "'\r=1", `"|cmd"`: "'|cmd", `"＝1"`: "'＝1",
		`"plain"`: "plain", `""`: "", `-1.50`: "-1.50", `["=1"]`: `["=1"]`, `true`: "true",
	} {
		if got := cell(json.RawMessage(value)); got != want {
			t.Errorf("cell(%s) = %q, want %q", value, got, want)
		}
	}
}

func TestLists_Fields(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.JTIReuse, "prod", "client-a")
	got := s.do(t, ask{path: "/api/v1/failures?fields=cause,%20links", who: "read"})
	var page struct{ Data []map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || len(page.Data) != 1 || len(page.Data[0]) != 2 || string(page.Data[0]["cause"]) != `"jti_reuse"` {
		t.Errorf("%v in %s", err, got.body)
	}
	p := problemIn(t, s.do(t, ask{path: "/api/v1/failures?fields=cause,secret", who: "read"}), http.StatusBadRequest)
	if p.Errors[0].Parameter != "fields" || strings.Contains(p.Detail+p.Errors[0].Detail, "secret") || len(p.Errors[0].Allowed) < 20 {
		t.Errorf("%+v", p)
	}
}

func TestNegotiate(t *testing.T) {
	s := newSite(t)
	for header, want := range map[string]string{
		"": mediaJSON, "*/*": mediaJSON, "text/*": mediaCSV, "text/csv;q=0.1, application/json;q=0.2": mediaJSON, "text/html,application/xhtml+xml,*/*;q=0.8": mediaJSON,
		"application/x-ndjson": mediaNDJSON, "application/json;q=0, */*": mediaNDJSON, "garbage;;;, text/csv": mediaCSV,
	} {
		got := s.do(t, ask{path: "/api/v1/causes", who: "read", header: accept(header)})
		if media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); media != want || got.header.Get("Vary") != "Accept" {
			t.Errorf("Accept: %s gives %s, Vary %q", header, media, got.header.Get("Vary"))
		}
	}
	p := problemIn(t, s.do(t, ask{path: "/api/v1/causes", who: "read", header: accept("image/png")}), http.StatusNotAcceptable)
	if len(p.Errors) != 1 || len(p.Errors[0].Allowed) != 3 {
		t.Errorf("%+v", p)
	}
}

func TestReads_AreCheapWhenNothingChanged(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.JTIReuse, "prod", "client-a")
	for _, path := range []string{"/api/v1/incidents", "/api/v1/clients", "/api/v1/causes", "/api/v1/trends?from=2026-11-22T00:00:00Z&to=2026-11-22T12:00:00Z"} {
		tag := s.do(t, ask{path: path, who: "read"}).header.Get("ETag")
		again := s.do(t, ask{path: path, who: "read", header: map[string]string{"If-None-Match": "W/" + tag}})
		if tag == "" || again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != tag {
			t.Errorf("%s: ETag %q, then %d %q", path, tag, again.status, again.body)
		}
	}
	tag := s.do(t, ask{path: "/api/v1/incidents", who: "read"}).header.Get("ETag")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "client-b")
	if got := s.do(t, ask{path: "/api/v1/incidents", who: "read", header: map[string]string{"If-None-Match": tag}}); got.status != http.StatusOK {
		t.Errorf("after a change: %d", got.status)
	}
}
