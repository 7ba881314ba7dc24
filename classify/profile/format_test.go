package profile

import (
	"reflect"
	"strings"
	"testing"
)

func TestFormat_ReadsBack(t *testing.T) {
	all, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	own, err := Parse("acme.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(all, own) {
		text, err := Format(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("again.yaml", text)
		if err != nil {
			t.Fatalf("%s: %v in\n%s", p.ID, err, text)
		}
		second, err := Format(again)
		if err != nil || string(second) != string(text) {
			t.Errorf("%s: formatted twice: %v\n%s\n%s", p.ID, err, text, second)
		}
		if !reflect.DeepEqual(p.Assertion, again.Assertion) || len(p.Meanings) != len(again.Meanings) || len(p.Environments) != len(again.Environments) {
			t.Errorf("%s: read back %+v, want %+v", p.ID, again, p)
		}
	}
}

func TestFormat_LeavesOutWhatSaysNothing(t *testing.T) {
	p, err := Parse("a.yaml", []byte("provider: a\naccess_token: {clock_skew: 0}\nmeanings: [{error: invalid_client, cause: key_mismatch}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := Format(p)
	if err != nil {
		t.Fatal(err)
	}
	const want = "provider: a\naccess_token:\n  clock_skew: 0s\nmeanings:\n  - error: invalid_client\n    cause: key_mismatch\n"
	if string(text) != want || strings.Contains(string(text), "status") {
		t.Errorf("formatted\n%s, want\n%s", text, want)
	}
}
