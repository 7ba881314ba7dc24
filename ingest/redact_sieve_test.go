package ingest

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// The sieves in front of the nets are for speed alone: none may hold back what its net would catch.

func TestHoldsVendorKey_KnowsEveryPrefix(t *testing.T) {
	w := &walk{Redactor: testRedactor(t)}
	for _, prefix := range vendorPrefixes() {
		key := prefix + "9aBcD3fGh1JkL0mN"
		for _, text := range []string{key, "key " + key, "xx" + key + "9"} {
			if !w.holdsVendorKey(text) || w.traces(text)&traceShape == 0 {
				t.Errorf("%q passes the sieve", text)
			}
		}
		if out := w.vendorKeys("sent " + key + " twice"); strings.Contains(out, key) {
			t.Errorf("%q stays", key)
		}
	}
	if w.holdsVendorKey("a shy domain, gnats and python in windows, helpdesk-gateway-4711") {
		t.Error("a text without keys is held back")
	}
}

func TestMayStartObject_AgreesWithDecoding(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/"
	space := func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }
	for _, a := range alphabet {
		for _, b := range alphabet {
			for _, c := range alphabet {
				s := string([]rune{a, b, c, 'I'})
				var want bool
				if d, err := base64.RawURLEncoding.DecodeString(s); err == nil {
					want = d[0] == '{' && (space(d[1]) || d[1] == '"' || d[1] == '}') || space(d[0]) && (space(d[1]) || d[1] == '{')
				}
				if got := mayStartObject(s); got != want {
					t.Fatalf("%s: %v, want %v", s, got, want)
				}
			}
		}
	}
}

func TestDecodeBase64_TakesBothAlphabets(t *testing.T) {
	for text, want := range map[string]string{"-_-_": "\xfb\xff\xbf", "+/+/": "\xfb\xff\xbf", "-/+_": "\xfb\xff\xbf", "YTpi": "a:b", "YTpiYw==": "a:bc"} {
		got, err := decodeBase64(text)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q (%v), want %q", text, got, err, want)
		}
	}
	if _, err := decodeBase64("YT*i"); err == nil {
		t.Error("an asterisk was decoded")
	}
}

func TestFoldName_OneSpelling(t *testing.T) {
	for _, name := range []string{"clientSecret", "client_secret", "Client-Secret", "client%5Fsecret", "clientsecret", "client.secret", "CLIENT SECRET"} {
		if got := foldName(name); got != "clientsecret" {
			t.Errorf("%s is folded to %s", name, got)
		}
	}
	if got := foldName("größe"); got != "größe" {
		t.Errorf("größe is folded to %s", got)
	}
}

// thorough lays every net over a text, as though there were no sieve.
func (w *walk) thorough(s string, depth int) string {
	if len(s) < 8 {
		return s
	}
	s = w.privateKeys(s)
	if depth < maxNesting {
		s = w.embeddedJSON(s, depth)
	}
	s = w.urls(s, depth)
	if depth < maxNesting {
		s = w.percentEncoded(s, depth)
	}
	s = w.tokens(w.assignments(s, depth))
	s = w.credentials(s)
	if depth < maxNesting {
		s = w.base64Encoded(s, false)
	}
	return s
}

func checkSieve(t *testing.T, red *Redactor, s string) {
	t.Helper()
	checkShortcuts(t, red, s)
	all, sieved := &walk{Redactor: red}, &walk{Redactor: red}
	want, got := all.thorough(s, 0), sieved.text(s)
	if all.failed || sieved.failed {
		return
	}
	if got != want {
		t.Errorf("%q: %q behind the sieve, %q without", s, got, want)
	}
	if len(all.found) != len(sieved.found) {
		t.Errorf("%q: %d tokens behind the sieve, %d without", s, len(sieved.found), len(all.found))
	}
	last := &walk{Redactor: red}
	if want := last.credentials(last.tokens(last.privateKeys(s))); !last.failed && ((&walk{Redactor: red}).shapes(s) != want || want != s && !red.mayHoldShape(s)) {
		t.Errorf("%q: the last net is held back", s)
	}
}

// sieveSeeds are texts in which each net catches something, and their pieces.
func sieveSeeds(tb testing.TB) []string {
	token := rv01(tb)
	header, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	out := []string{
		token, header + "=." + rest, "e30.e30.x", "ewo=.ewo.e30", "x." + token, strings.Repeat("x", 41) + "\n" + token, strings.Repeat("x", 38) + "ey\n" + token[2:],
		token[:60] + "\n" + token[60:120] + "\\n" + token[120:], strings.Repeat("a", 40) + `\ney`, "Bearer abcdef1234567890XY", "bearer:%20Abcdef1234567890XY",
		"x+token+Abcdef1234567890XY", "Basic YTpi", "basic\tYTpi", "Token \"Abcdef1234567890XY", "9token Abcdef1234567890XY", "sk_9aBcD3fGh1Jk", "xsk-9aBcD3fGh1Jk.", "AKIAABCDEFGH1234",
		"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "-----BEGIN RSA PRIVATE", payload, "eyJpc3MiOiJhIiwiZXhwIjoxfQ", "password=x", "a&client_secret=b", "token: expired",
		`{"password":"abc"}`, `say {"a":{"password":"b"}} now`, "https://u:p@h/x?code=1", "see ftp://h/y?token=Abcdef1234567890XY#code=2", "client%5Fsecret%3Dabc", "%62earer%20Abcdef1234567890XY",
		"4bf92f3577b34da6a3ce929d0e0e4736", "6b0fd4a7-1f0c-4d6f-a0a3-a3a6d2f4cf7d", "application/json; charset=utf-8", "Fri, 20 Nov 2026 00:00:00 GMT", "eyJhbGciOiJub25lIn0 .eyJpc3MiOiJhIn0.x",
		"***", "xX*•", "xx", "<<Redacted>>", "[secret", "ſecret", "Client%5FSecret", "X-Forwarded-Access-Token", "a://", "1a+b://x y9://z", "::://a://b", "[jwt]", "[jwt fp1:abcdefghijklmnopqrst]", "[set", "6b0fd4a7-1f0c-4d6f-a0a3-a3a6d2f4cf7d/orders/4711", "api.lab.test/v1/customers/4711/orders", "localhost:8443/v1/ZXlKaGJHY2lP/aUpTVXpJMU", "e3sge3tnZ2dnZ2dnZ2dnZ2dnZ2dn",
	}
	for _, v := range vectors(tb) {
		out = append(out, string(v.Record))
	}
	return out
}

func TestSieve_HoldsNothingBack(t *testing.T) {
	t.Parallel()
	red := testRedactor(t)
	for _, s := range sieveSeeds(t) {
		for i := 0; i < len(s); i += oneIn * (1 + len(s)/40) {
			checkSieve(t, red, s[i:])
			checkSieve(t, red, s[:i])
			checkSieve(t, red, s[:i]+" "+s[i:])
			checkSieve(t, red, s[:i]+"\n"+s[i:])
		}
	}
}

func FuzzSieve(f *testing.F) {
	for _, s := range sieveSeeds(f) {
		f.Add(s)
	}
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, s string) { checkSieve(t, red, cleanText(s)) })
}

// checkShortcuts holds what is done by hand to the patterns and the plain way that it stands for.
func checkShortcuts(t *testing.T, red *Redactor, s string) {
	t.Helper()
	if got, want := red.namedClass(s), red.names[foldName(s)]; got != want {
		t.Errorf("%q: class %d, want %d", s, got, want)
	}
	mask := regexp.MustCompile(`(?i)^(?:[*•x]{3,}|[\[<({]*(?:redacted|filtered|masked|hidden|removed|secret|sensitive)[\])}>]*)$`)
	if got, want := isMask(s), mask.MatchString(s); got != want {
		t.Errorf("%q: mask %v, want %v", s, got, want)
	}
	if got, want := red.isMarker(s), red.patterns.marker.MatchString(s); got != want {
		t.Errorf("%q: marker %v, want %v", s, got, want)
	}
	if w := (&walk{Redactor: red}); isPlainValue(red.classes, []byte(s)) && (w.nested(s, 0) != s || w.url(s, 0) != s) || w.failed || len(w.found) > 0 {
		t.Errorf("%q is no plain value: %q, %q", s, w.nested(s, 0), w.url(s, 0))
	}
	for _, address := range []string{s, "https://" + s, "http://api.lab.test/" + s} {
		w := &walk{Redactor: red}
		if w.isPlainURL(address) && (len(w.found) > 0 || w.url(address, 0) != address || w.shapes(address) != address || len(w.found) > 0) {
			t.Errorf("%q is no plain URL: %q", address, w.url(address, 0))
		}
	}
	url := regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\]+`)
	i := 0
	for _, want := range url.FindAllStringIndex(s, -1) {
		from, to := nextURL(s, i)
		if from != want[0] || to != want[1] {
			t.Errorf("%q: a URL at %d to %d, want %v", s, from, to, want)
		}
		i = want[1]
	}
	if from, to := nextURL(s, i); to != 0 {
		t.Errorf("%q: one URL more at %d to %d", s, from, to)
	}
	if isTokenText(s) && len(s) >= minEncoded && !mayEncodeText(red.classes, s) {
		for _, text := range []string{s, s[:len(s)/4*4]} {
			data, err := decodeBase64(text)
			if err != nil {
				continue
			}
			if _, err := decodeObject(data); err == nil || utf8.Valid(data) && isPrintable(string(data)) {
				t.Errorf("%q encodes %q", s, data)
			}
		}
	}
}

// Texts that are made of what sieves look at closely, as long as a record may be: a look that goes to the end of the text for
// each would take minutes.
func TestSieve_StaysLinear(t *testing.T) {
	red := testRedactor(t)
	for _, piece := range []string{"sk_", "sk-a.", "AKIA", "jwt+", "token ", "basic:", "://", "a://", "1://", "e30.", "ey", "M", "30", "-----", "%2", "a=", "x/", "[jwt", "eyJh", "40+", "\\n"} {
		text := strings.Repeat(piece, maxRecord/len(piece))
		w := &walk{Redactor: red}
		w.shapes(w.text(text))
		w.isCleanURL(text)
		mayHideToken(red, []byte(text))
	}
}
