package ingest

import (
	"encoding/base64"
	"strings"
	"testing"
)

// The sieves in front of the nets are for speed alone: none may hold back what its net would catch.

func TestHoldsVendorPrefix_KnowsEveryPrefix(t *testing.T) {
	w := &walk{Redactor: testRedactor(t)}
	for _, prefix := range vendorPrefixes() {
		for _, text := range []string{prefix + "x", "key " + prefix + "9aB", "xx" + prefix + "9"} {
			if !w.holdsVendorPrefix(text) {
				t.Errorf("%q passes the sieve", text)
			}
		}
		key := prefix + "9aBcD3fGh1JkL0mN"
		if out := w.vendorKeys("sent " + key + " twice"); strings.Contains(out, key) {
			t.Errorf("%q stays", key)
		}
	}
	if w.holdsVendorPrefix("a shy domain, gnats and python in windows") {
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
