package ingest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"authwatch/classify"
)

// testRedactor has the key of the worked example: 00 01 … 1f.
func testRedactor(t testing.TB) *Redactor {
	t.Helper()
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	r, err := NewRedactor(key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A vector is a synthetic record with what must not and what must survive its redaction.
type vector struct {
	ID     string          `json:"id"`
	Record json.RawMessage `json:"record"`
	Forbid []string        `json:"forbid"`
	Keep   []string        `json:"keep"`
	Note   string          `json:"note"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.Open("testdata/redaction-vectors.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []vector
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if len(out) != 52 {
		t.Fatalf("%d vectors, want 52", len(out))
	}
	return out
}

// leak finds a forbidden text in data: as it is, across line breaks and backslashes, in hexadecimal, UTF-16,
// percent-encoded, and in base64 at any of the three offsets.
func leak(data []byte, forbidden []string) string {
	joined := strings.NewReplacer("\n", "", "\r", "", "\\n", "", "\\", "").Replace(string(data))
	for _, f := range forbidden {
		forms := map[string]string{
			"raw": f, "hex": hex.EncodeToString([]byte(f)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(f))),
			"percent": url.QueryEscape(f), "UTF-16": utf16Text(f), "reversed alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(f),
		}
		for offset := range 3 {
			padded := append(bytes.Repeat([]byte{'x'}, offset), f...)
			encoded := base64.RawStdEncoding.EncodeToString(padded)
			forms[fmt.Sprintf("base64 at %d", offset)] = encoded[min(4, 2*offset) : len(encoded)-2]
		}
		for form, text := range forms {
			if len(text) > 5 && (bytes.Contains(data, []byte(text)) || strings.Contains(joined, text)) {
				return form + " of " + f[:min(len(f), 12)] + "…"
			}
		}
	}
	return ""
}

func utf16Text(s string) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

func decodeOne(t testing.TB, red *Redactor, body []byte) classify.Record {
	t.Helper()
	records, bad := Decode(body, red)
	if len(bad) > 0 || len(records) != 1 {
		t.Fatalf("%d records, errors %v", len(records), bad)
	}
	return records[0].Record
}

func TestDecode_Vectors(t *testing.T) {
	red := testRedactor(t)
	for _, v := range vectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			rec := decodeOne(t, red, v.Record)
			var stored bytes.Buffer
			enc := json.NewEncoder(&stored)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(rec); err != nil {
				t.Fatal(err)
			}
			if rec.Error == "redaction_failed" {
				t.Error("the record failed closed")
			}
			if found := leak(stored.Bytes(), v.Forbid); found != "" {
				t.Errorf("%s: %s leaks in %s", v.Note, found, stored.Bytes())
			}
			for _, keep := range v.Keep {
				if !strings.Contains(stored.String(), keep) {
					t.Errorf("%s: %q is lost in %s", v.Note, keep, stored.Bytes())
				}
			}
		})
	}
}

// Each forbidden text, planted alone, must be found by the test itself.
func TestLeak_Finds(t *testing.T) {
	const secret = "aw5yN0tSRUFMc2VjcmV0X2NhbmFyeV8wMDAx"
	for _, planted := range []string{
		secret, hex.EncodeToString([]byte(secret)), utf16Text(secret), secret[:9] + "\\n" + secret[9:],
		base64.StdEncoding.EncodeToString([]byte("id:" + secret + ";")), base64.StdEncoding.EncodeToString([]byte("a" + secret)),
		base64.StdEncoding.EncodeToString([]byte("ab" + secret)),
	} {
		if leak([]byte("… "+planted+" …"), []string{secret}) == "" {
			t.Errorf("not found in %q", planted)
		}
	}
}
