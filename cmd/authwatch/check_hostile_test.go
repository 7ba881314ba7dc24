package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// Whatever stands where an assertion is due, a verdict or a clear error comes out, of bounded size and without what a terminal obeys. The
// inputs are those of the JSON test suite that ingestion is held to, each as the whole assertion, as the payload of a compact JWT, and, if it
// is JSON, as the value of claims and of a header parameter.
func TestCheck_Hostile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../ingest/testdata/jsontestsuite.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for line := range bytes.Lines(data) {
		var input struct {
			Name string
			Body []byte `json:"base64"`
		}
		if err := json.Unmarshal(line, &input); err != nil {
			t.Fatal(err)
		}
		read++
		segment := base64.RawURLEncoding.EncodeToString
		assertions := map[string]string{
			"whole":   string(input.Body),
			"payload": segment([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + segment(input.Body) + "." + segment([]byte("signature")),
		}
		if json.Valid(input.Body) {
			assertions["claim"] = `{"header":{"alg":"RS256","kid":` + string(input.Body) + `},"claims":{"iss":"bot","aud":` + string(input.Body) + `,"exp":` + string(input.Body) + `}}`
		}
		for as, assertion := range assertions {
			status, out, errs := checked(t, time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), "--profile", "polymarket", "--environment", "prod", "assertion", assertion)
			switch said := out + errs; {
			case status != exitNotOK && status != exitUsage:
				t.Errorf("%s as %s: exit status %d", input.Name, as, status)
			case said == "" || len(said) > 64<<10:
				t.Errorf("%s as %s: %d bytes of output", input.Name, as, len(said))
			case strings.ContainsAny(said, "\x00\x07\x1b\u202e"):
				t.Errorf("%s as %s: control characters in the output", input.Name, as)
			}
		}
	}
	if read < 300 {
		t.Errorf("%d inputs", read)
	}
}
