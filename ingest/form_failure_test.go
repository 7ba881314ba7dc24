package ingest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// readLines reads a body of failures as requests are read, and counts those that were of a known form.
func readLines(t *testing.T, red *Redactor, known *forms, body []byte) (records, formed int) {
	t.Helper()
	s := newSplitter(body)
	s.forms = known
	for p, more := s.next(); more; p, more = s.next() {
		if p.fault != nil {
			continue
		}
		records++
		if p.failure != nil {
			formed++
			checkFailureForm(t, red, p.failure, p.raw)
		}
		red.decodeNative(p, red.decodeResponse)
	}
	return records, formed
}

// learntFailures are the forms that are known when a line came twice.
func learntFailures(t *testing.T, red *Redactor, raw []byte) *failureForms {
	t.Helper()
	known := newForms()
	for range 2 {
		readLines(t, red, known, raw)
	}
	return known.failures
}

// checkFailureForm holds a line that is taken for one of a form to what the way that all formats share makes of it.
func checkFailureForm(t *testing.T, red *Redactor, f *failureForm, line []byte) (taken bool) {
	t.Helper()
	var o outline
	if length, ok := scanObject(line, &o); !ok || length != len(line) || o != f.outline {
		t.Errorf("%q is taken for a line like one that is known", line)
		return true
	}
	got, ok := f.read(red, line)
	if ok {
		checkDecoded(t, red, line, got)
	}
	return ok
}

// failureSeeds are failures on a line: of a call, of a token request with what its token and its URL bring, and with hardly anything.
func failureSeeds() [][]byte {
	call := strings.Replace(benchRecord, `"status":200`, `"status":401`, 1)
	request := `{"time":"2026-11-20T00:00:00.185Z","id":"ee0225ab-2f8b-4267-afa1-718a75cca16d","service":"gateway","request_id":"b9547ceb-0680-4d92-acb5-37272e6edfaf","trace_id":"69e8208b5d2f874d97b7570a68832b95",` +
		`"client_id":"northwind-gateway-4975","request":{"method":"POST","url":"https://id.northwind.test/1/oauth2/77","headers":{"accept":"application/json"},"body":{"grant_type":"client_credentials","client_assertion":"[jwt]"}},` +
		`"response":{"status":401,"headers":{"X-Request-Id":"e56f6168df6f06c9954e","date":"Fri, 20 Nov 2026 00:00:00 GMT","server":"nginx","location":"https://id.northwind.test/1","age":"0"},"body":{"error":"invalid_client","error_description":"Token is \"not\" active"}},` +
		`"client_assertion":{"header":{"alg":"RS256","kid":"k-5"},"claims":{"exp":1795131945,"iat":1795131825,"nbf":1795131825,"jti":"981052e768de1ed8e53062","iss":"northwind-gateway-4975","email":"a@example.test","level":3}}}`
	return [][]byte{
		[]byte(call), []byte(request), []byte(strings.Replace(call, `"jti":"0d1e2f3a4b5c6d7e8f9a0b"`, `"jti":"x","jti2":"0d1e2f3a4b5c6d7e8f9a"`, 1)),
		[]byte(`{"id":"a1","time":"2026-11-20T00:00:00Z","response":{"status":500,"body":"a longer text than nothing at all, so that the line has a form"}}`),
	}
}

// A line with any one byte changed is either none of the form or means what the whole way reads in it.
func TestFailureForm_AnyByte(t *testing.T) {
	t.Parallel()
	for _, raw := range failureSeeds() {
		red := testRedactor(t)
		known := learntFailures(t, red, raw)
		if f, _ := known.find(raw); f == nil || !checkFailureForm(t, red, f, raw) {
			t.Fatalf("%s: has no form", raw)
		}
		taken := 0
		for at := range raw {
			for _, c := range []byte{'"', '\\', '\n', 0x01, 0x7f, 0x80, 'x', 'e', '7', '0', '/', '.', ' ', '%', '#'} {
				line := bytes.Clone(raw)
				line[at] = c
				if f, _ := known.find(line); f != nil && checkFailureForm(t, red, f, line) {
					taken++
				}
			}
		}
		if taken < 20 {
			t.Errorf("%s: only %d others have its form", raw, taken)
		}
	}
}

// What differs from one refusal to the next is no matter; everything else is, and what redaction would change.
func TestFailureForm_Blanks(t *testing.T) {
	t.Parallel()
	red, raw := testRedactor(t), failureSeeds()[1]
	known := learntFailures(t, red, raw)
	for _, tt := range []struct {
		old, now     string
		found, taken bool
	}{
		{`00.185Z`, `59.100Z`, true, true},
		{`2026-11-20T00`, `2026-13-20T00`, true, false},
		{`"id":"ee0225ab`, `"id":"ffffffff`, true, true},
		{`"id":"ee0225ab-2f8b-4267-afa1-718a75cca16d`, `"id":"eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.AAAA`, true, false},
		{`"request_id":"b9547ceb-0680-4d92-acb5-37272e6edfaf"`, `"request_id":"00000000-0000-0000-0000-000000000000"`, true, false},
		{`"trace_id":"69e8208b`, `"trace_id":"Qx_78zzz`, true, true},
		{`oauth2/77`, `oauth2/00`, true, true},
		{`oauth2/77`, `oauth2/7a`, false, false},
		{`"iat":1795131825,"nbf":1795131825`, `"iat":1795131899,"nbf":1000000000`, true, true},
		{`"iat":1795131825`, `"iat":0795131825`, false, false},
		{`"iat":1795131825`, `"iat":17951318.5`, false, false},
		{`"jti":"981052e768de1ed8e53062"`, `"jti":"AKIAIOSFODNN7EXAMPLE12"`, true, false},
		{`"jti":"981052e768de1ed8e53062"`, `"jti":"not a plain identifier"`, true, true},
		{`X-Request-Id":"e56f6168df6f06c9954e"`, `X-Request-Id":"client_secret=hunter"`, true, false},
		{`"age":"0"`, `"age":"9"`, true, true},
		{`"location":"https://id.northwind.test/1"`, `"location":"https://id.northwind.test/2"`, false, false},
		{`"status":401`, `"status":403`, false, false},
		{`"level":3`, `"level":4`, false, false},
		{`invalid_client`, `invalid_cliend`, false, false},
	} {
		line := bytes.Replace(raw, []byte(tt.old), []byte(tt.now), 1)
		if bytes.Equal(line, raw) || len(line) != len(raw) {
			t.Fatalf("%s is not in %s, or of another length", tt.old, raw)
		}
		f, _ := known.find(line)
		if taken := f != nil && checkFailureForm(t, red, f, line); (f != nil) != tt.found || taken != tt.taken {
			t.Errorf("%s for %s: found %v, taken %v", tt.now, tt.old, f != nil, taken)
		}
	}
}

// All records of the corpora come to the same when they come again, with other ids, by their forms.
func TestFailureForm_AgreesWithMaps(t *testing.T) {
	t.Parallel()
	red, known, formed := testRedactor(t), newForms(), 0
	seeds := slices.Concat(outlinedSeeds(t), corpusRecords(t), failureSeeds())
	for range 5 {
		for n, raw := range seeds {
			line := bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\n"), nil), []byte("5"), []byte("4"))
			if _, ok := readLines(t, red, known, line); ok > 0 {
				formed++
			}
			seeds[n] = bytes.Replace(raw, []byte(`"id":"`), []byte(`"id":"x`), 1)
		}
		for _, raw := range seeds {
			if _, ok := readLines(t, red, known, bytes.ReplaceAll(raw, []byte("\n"), nil)); ok > 0 {
				formed++
			}
		}
	}
	if formed < 1000/oneIn {
		t.Errorf("%d records were read by their forms", formed)
	}
}

// No secret is kept for the sake of a form.
func TestFailureForm_HoldsNoSecret(t *testing.T) {
	t.Parallel()
	red, known, planted := testRedactor(t), newForms(), vectors(t)
	for _, raw := range slices.Concat(outlinedSeeds(t), corpusRecords(t)) {
		for range 4 {
			readLines(t, red, known, bytes.ReplaceAll(raw, []byte("\n"), nil))
		}
	}
	kept := 0
	for n := range known.failures.forms.slots {
		f := known.failures.forms.slots[n].Load()
		if f == nil {
			continue
		}
		kept++
		for _, v := range planted {
			if found := leak([]byte(f.line), v.Forbid); found != "" {
				t.Errorf("%s: %s is kept in %s", v.ID, found, f.line)
			}
		}
	}
	if kept < 100/oneIn {
		t.Errorf("%d forms", kept)
	}
}

// Lines that never have the same bytes have no forms, and no line has one to which a mapping may apply.
func TestFailureForm_OnlyOfLinesThatComeAgain(t *testing.T) {
	t.Parallel()
	red, known := testRedactor(t), newForms()
	for n := range 100 {
		line := bytes.Replace(failureSeeds()[1], []byte("invalid_client"), fmt.Appendf(nil, "invalid_%06d", n), 1)
		if _, formed := readLines(t, red, known, line); formed > 0 {
			t.Error("is of a known form")
		}
	}
	kept := 0
	for n := range known.failures.forms.slots {
		if known.failures.forms.slots[n].Load() != nil {
			kept++
		}
	}
	if kept > 1 { // the one by which their shape is known
		t.Errorf("%d forms are kept", kept)
	}
	f, _ := learntFailures(t, red, failureSeeds()[0]).find(failureSeeds()[0])
	if _, ok := f.read(mapped(t, "mappings: [{match: {service: gateway}, fields: {client_id: service}}]"), failureSeeds()[0]); ok {
		t.Error("a line is read by its form that a mapping applies to")
	}
}

// Only a whole line has a form: neither the element of an array nor one of several objects in a line.
func TestFailureForm_WholeLines(t *testing.T) {
	t.Parallel()
	raw := string(failureSeeds()[0])
	for body, want := range map[string]int{
		"%s\n%s\n%s\n%s\n%s": 3, "%s\n\n%s\n%s\n %s\n%s\n": 3, "[%s,%s,%s,%s,%s]": 0, "[\n%s\n,%s\n,%s\n,%s\n,%s\n]": 0, "%s %s %s %s %s": 0, "%s\r\n%s\r\n%s\r\n%s\r\n%s": 0,
	} {
		if records, formed := readLines(t, testRedactor(t), newForms(), []byte(strings.ReplaceAll(body, "%s", raw))); formed != want || records != 5 {
			t.Errorf("%q: %d of %d have a form, want %d", body, formed, records, want)
		}
	}
}

// What differs between records of one form is of each alone.
func TestFailureForm_SharesNothingThatDiffers(t *testing.T) {
	t.Parallel()
	red, raw := testRedactor(t), failureSeeds()[1]
	known := learntFailures(t, red, raw)
	other := bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("e56f"), []byte("0000")), []byte("9810"), []byte("1111"))
	f, _ := known.find(raw)
	first, _ := f.read(red, raw)
	second, ok := f.read(red, other)
	if !ok {
		t.Fatal("the other is not read")
	}
	checkDecoded(t, red, raw, first)
	checkDecoded(t, red, other, second)
	checkFailureForm(t, red, f, raw)
}

func FuzzFailureForm(f *testing.F) {
	for _, raw := range failureSeeds() {
		f.Add(raw, raw)
		f.Add(raw, bytes.ReplaceAll(raw, []byte("0"), []byte("1")))
	}
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, raw, other []byte) {
		known := learntFailures(t, red, raw)
		for _, line := range [][]byte{raw, other} {
			if form, _ := known.find(line); form != nil {
				checkFailureForm(t, red, form, line)
			}
		}
	})
}
