package classify

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWording(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"the moon  is\nfull", "the moon is full"},
		{"client order-router-17 is not known", "client order-router-‹n› is not known"},
		{"request 0a1b2c3d4e5f failed", "request ‹hex› failed"},
		{"trace 6F9619FF-8B86-D011-B42D-00CF4FC964FF, retry", "trace ‹id›, retry"},
		{"from 10.0.0.7:4711 and [2001:db8::1]", "from ‹address› and [‹address›]"},
		{"mail ann@example.com now", "mail ‹address› now"},
		{"see https://docs.example/e?x=1.", "see ‹url›."},
		{`value "https://a" is wrong for 'b c'`, "value ‹value› is wrong for ‹value›"},
		{"the client's key isn't here", "the client's key isn't here"},
		{"at 2026-11-22T12:00:00Z, or 12:00:01", "at ‹time›, or ‹time›"},
		{"exp=1732240000 iat:1732239000", "exp=‹n› iat:‹n›"},
		{"AADSTS50013: ORA-01017 E-17 RS256 OAuth2", "AADSTS50013: ORA-01017 E-17 RS256 OAuth2"},
		{"user4711 and 3.5 % of 1,204", "user‹n› and ‹n› % of ‹n›"},
		{"id 01JD9ZQK3V8XW2 again", "id ‹id› again"},
		{"token [jwt fp1:abcdefghijklmnopqrst] refused", "token ‹removed› refused"},
		{"fields [iss, sub] are due", "fields [iss, sub] are due"},
		{`an open " quote`, `an open " quote`},
		{"größer als äöü-17", "größer als äöü-‹n›"},
	} {
		if got := Wording(tt.text); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.text, got, tt.want)
		}
		if again := Wording(tt.want); again != tt.want {
			t.Errorf("%q a second time is %q", tt.want, again)
		}
	}
}

func FuzzWordingOf(f *testing.F) {
	f.Add("a 'b [c \"d 1-2")
	f.Fuzz(func(t *testing.T, text string) {
		if got := Wording(text); utf8.ValidString(text) && !utf8.ValidString(got) || strings.Contains(got, "\n") {
			t.Errorf("%q is %q", text, got)
		}
	})
}

// The short cut comes to the same as the long way.
func TestWording_PlainWords(t *testing.T) {
	parts := []string{"a", "Bad", "key", " ", "  ", "-", ": ", ":", "::", ".", ",", "_", "9", "fe", "\"", "'", "[", "]", "@", "/", "é", "(", "!", "AbcdefghijklmNopqrstuvwxyz", "‹"}
	plain := 0
	for n := range 20000 {
		text := ""
		for rest := n*7919 + 1; rest > 0; rest /= len(parts) {
			text += parts[rest%len(parts)]
		}
		if !isPlainWording(text) {
			continue
		}
		plain++
		fields := strings.Fields(withoutValues(text))
		for i, field := range fields {
			fields[i] = placeholderOf(field)
		}
		if long := strings.Join(fields, " "); long != text {
			t.Errorf("%q is not plain: %q", text, long)
		}
	}
	if plain < 200 {
		t.Errorf("only %d of them are plain", plain)
	}
}
