package main

import (
	"encoding/json"
	"testing"
)

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain text, ünïcode 漢字", "plain text, ünïcode 漢字"},
		{"\x1b]0;title\x07", `\x1b]0;title\x07`},
		{"\x1b[2J\r\n\t", `\x1b[2J\x0d\x0a\x09`},
		{"c1 \u009b31m", `c1 \x9b31m`},
		{"bidi \u202e\u2066", `bidi \u202e\u2066`},
		{"zero\u200bwidth", `zero\u200bwidth`},
		{"broken \xff\x9b", `broken \xff\x9b`},
		{"replaced \ufffd", "replaced \ufffd"},
		{"tag \U000e0041", `tag \U000e0041`},
	} {
		if got := printable(tt.in); got != tt.want {
			t.Errorf("printable(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestPrintableJSON_KeepsTheValue(t *testing.T) {
	for _, value := range []string{"c1 \u009b31m", "bidi \u202e", "tag \U000e0041", "del \x7f", "plain <&>"} {
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		shown := printableJSON(string(encoded))
		for _, r := range shown {
			if unprintable(r) {
				t.Errorf("%q still holds %U", shown, r)
			}
		}
		var back string
		if err := json.Unmarshal([]byte(shown), &back); err != nil || back != value {
			t.Errorf("%s reads back as %q (%v), want %q", shown, back, err, value)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestWrapText(t *testing.T) {
	got := wrapText("one two  three\nfour", "  ")
	if got != "  one two three four" {
		t.Errorf("got %q", got)
	}
	long := wrapText("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c", " ")
	if want := " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c"; long != want {
		t.Errorf("got %q, want %q", long, want)
	}
}
