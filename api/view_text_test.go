package api

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShown(t *testing.T) {
	for in, want := range map[string]string{
		"plain, ünïcode 日本": "plain, ünïcode 日本",
		"a\u202egnp.exe":    `a\u{202E}gnp.exe`,
		"zero\u200bwidth":   `zero\u{200B}width`,
		"bell\x07\x1b[2J":   `bell\u{0007}\u{001B}[2J`,
		"nul\x00":           `nul\u{0000}`,
		"bad\xffbyte":       "bad\uFFFDbyte",
		"two\nlines":        "two\nlines",
		"no\u00a0break":     `no\u{00A0}break`,
	} {
		if got := shown(in, 100); got != want {
			t.Errorf("shown(%q) = %q, want %q", in, got, want)
		}
	}
	if got := line("two\nlines\there"); got != `two\nlines\there` {
		t.Errorf("line: %q", got)
	}
}

func TestShown_Bounds(t *testing.T) {
	got := shown(strings.Repeat("é", 2000), 256)
	if utf8.RuneCountInString(got) > 300 || !strings.Contains(got, "4,000 bytes in all") {
		t.Errorf("not cut: %d characters, %q", utf8.RuneCountInString(got), got[len(got)-40:])
	}
	if got := shown("a"+strings.Repeat("\u0301", 50), 256); !strings.Contains(got, `\u{0301}`) {
		t.Error("a pile of combining marks stays a pile")
	}
	if got := shown("e\u0301", 256); strings.Contains(got, `\u`) {
		t.Errorf("one combining mark is ordinary: %q", got)
	}
}

func TestMixesScripts(t *testing.T) {
	for in, want := range map[string]bool{
		"https://auth.example/": false, "https://\u0430uth.example/": true, "\u0430\u0431\u0432": false, "ελληνικά": false, "orders-bοt": true, "日本 api": false, "": false,
	} {
		if got := mixesScripts(in); got != want {
			t.Errorf("mixesScripts(%q) = %v", in, got)
		}
	}
}

func TestValues(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{sentText("x"), "x"}, {sentText(""), `""`}, {sentText(nil), "null"}, {sentText(json.Number("9007199254740993")), "9007199254740993"},
		{sentText([]any{"a", "b"}), `["a","b"]`}, {sentText(map[string]any{"b": 1, "a": "<"}), `{"a":"<","b":1}`},
		{wantedText([]string{"a", "b"}), "a or b"}, {wantedText([]any{"a", "b"}), "a or b"}, {wantedText([]any{"a", json.Number("1")}), `["a",1]`},
		{bodyText([]byte(`{"a":[1]}`)), "{\n  \"a\": [\n    1\n  ]\n}"}, {bodyText([]byte(`"<html>\u202e"`)), `<html>\u{202E}`}, {bodyText([]byte(`{bad`)), `{bad`},
		{join([]string{"a", "b", "c"}), "a, b and c"}, {join(nil), ""}, {capitalize("über"), "Über"},
		{inSentence("Wrong audience"), "wrong audience"}, {inSentence("JWT malformed"), "JWT malformed"}, {inSentence(""), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
