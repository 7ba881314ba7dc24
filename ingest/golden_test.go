package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/tools/txtar"
)

// A golden conversation is what a shipper asks and sends, byte for byte but for what Content-Encoding packs, what it looks for in the
// answers, and the records that must be there then. The comment of its file says from where its form is known.
type golden struct {
	name      string
	exchanges []goldenExchange
	records   string
}

// A goldenExchange is a request and its answer.
type goldenExchange struct {
	request string   // "METHOD path", then headers; $KEY is the ingest key, base64(…) is what it says
	body    []byte   // before Content-Encoding
	status  string   // of the answer
	headers []string // that the answer must have, "Name: value"
	texts   []string // that its body must hold; "(empty)" is no body
}

func goldens(t *testing.T) []golden {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden requests (%v)", err)
	}
	var out []golden
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		archive := txtar.Parse(data)
		if len(bytes.TrimSpace(archive.Comment)) == 0 {
			t.Errorf("%s does not say from where its form is known", file)
		}
		g := golden{name: strings.TrimSuffix(filepath.Base(file), ".txtar")}
		for _, part := range archive.Files {
			g.read(t, part.Name, strings.TrimSuffix(string(part.Data), "\n"))
		}
		out = append(out, g)
	}
	return out
}

func (g *golden) read(t *testing.T, section, text string) {
	t.Helper()
	if section == "request" {
		g.exchanges = append(g.exchanges, goldenExchange{request: text})
		return
	}
	if section == "records" {
		g.records = text
		return
	}
	e := &g.exchanges[len(g.exchanges)-1]
	switch section {
	case "body":
		e.body = []byte(text)
	case "body.hex", "body.hex snappy":
		data, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		if e.body = data; section == "body.hex snappy" {
			e.body = snappy.Encode(nil, data)
		}
	case "answer":
		head, body, _ := strings.Cut(text, "\n\n")
		lines := strings.Split(head, "\n")
		e.status, e.headers, e.texts = lines[0], lines[1:], strings.Split(body, "\n")
	default:
		t.Fatalf("%s has a section %q", g.name, section)
	}
}

// packed undoes what the receiver will do.
func packed(t *testing.T, encoding string, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "":
		return body
	case "snappy":
		return snappy.Encode(nil, body)
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		var err error
		if w, err = zstd.NewWriter(&out); err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatalf("no way to pack as %s", encoding)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// send makes the request and says what is wrong with the answer.
func (e goldenExchange) send(t *testing.T, s *service) {
	t.Helper()
	text := strings.ReplaceAll(e.request, "$KEY", s.key)
	text = regexp.MustCompile(`base64\(([^)]*)\)`).ReplaceAllStringFunc(text, func(m string) string {
		return base64.StdEncoding.EncodeToString([]byte(m[len("base64(") : len(m)-1]))
	})
	first, rest, _ := strings.Cut(text, "\n")
	method, path, _ := strings.Cut(first, " ")
	req, err := http.NewRequest(method, s.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			req.Header.Set(name, value)
		}
	}
	body := packed(t, req.Header.Get("Content-Encoding"), e.body)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	e.check(t, first, resp, string(answer))
}

func (e goldenExchange) check(t *testing.T, asked string, resp *http.Response, answer string) {
	t.Helper()
	if fmt.Sprint(resp.StatusCode) != e.status {
		t.Errorf("%s: status %d, want %s: %s", asked, resp.StatusCode, e.status, answer)
	}
	for _, h := range e.headers {
		if name, value, _ := strings.Cut(h, ": "); resp.Header.Get(name) != value {
			t.Errorf("%s: the header is %s: %s, want %s", asked, name, resp.Header.Get(name), value)
		}
	}
	for _, text := range e.texts {
		if text == "(empty)" && answer != "" || text != "(empty)" && !strings.Contains(answer, text) {
			t.Errorf("%s: the answer is %q, want %s", asked, answer, text)
		}
	}
}

// TestGolden holds the conversations twice: what was delivered again is there once.
func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			s := newService(t, testProfile())
			for _, when := range []string{"first", "again"} {
				for _, e := range g.exchanges {
					if when == "again" { // an acknowledgement has another number then
						e.texts = slices.DeleteFunc(slices.Clone(e.texts), func(text string) bool { return strings.Contains(text, "ackId") })
					}
					e.send(t, s)
				}
				if got := s.goldenRecords(); got != g.records {
					t.Errorf("%s, the records are\n%s\nwant\n%s", when, got, g.records)
				}
			}
		})
	}
}

// goldenRecords lists what is stored: request id, time, status and cause.
func (s *service) goldenRecords() string {
	var lines []string
	for _, f := range s.failures() {
		lines = append(lines, fmt.Sprintf("%s %s %d %s", f.RequestID, f.Verdict.Time.Format("15:04:05"), f.Status, f.Verdict.Cause))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
