package classify

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What is remembered of a form is what reading it again would give, also after others were judged that share it.
func TestForms(t *testing.T) {
	exchanges, histories := corpusExchanges(t)
	m := newForms()
	room := make([]param, 0, 8)
	shared := 0
	for range 3 {
		for i := range exchanges {
			r := exchanges[i].Record
			if r.Request == nil {
				continue
			}
			exchanges[i].forms = m
			Classify(exchanges[i], histories[i])
			got, want := m.read(r.Request.Body, room[:0]), formOf(r.Request.Body)
			if got.shared {
				shared++
			}
			got.shared = false
			if len(got.params) == 0 && len(want.params) == 0 {
				got.params, want.params = nil, nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %s is read as %+v, want %+v", r.ID, r.Request.Body, got, want)
			}
		}
	}
	if shared < 1000 {
		t.Errorf("%d forms of %d exchanges came from memory", shared, len(exchanges))
	}
}

// A form is remembered when it comes a second time, and not if it is large.
func TestForms_Remembers(t *testing.T) {
	m := newForms()
	body := func(size int) Body { return Body(`{"grant_type":"` + strings.Repeat("a", size) + `"}`) }
	for size, want := range map[int][]bool{10: {false, true, true}, maxKeptForm: {false, false, false}} {
		for n, remembered := range want {
			if f := m.read(body(size), nil); f.shared != remembered || f.text("grant_type") != strings.Repeat("a", size) {
				t.Errorf("%d bytes, time %d: shared %v, want %v", size, n, f.shared, remembered)
			}
		}
	}
}

// Those that share a place are not taken for each other, however alike.
func TestForms_ShareAPlace(t *testing.T) {
	m, names := newForms(), newEndpoints()
	for n := range 3 * 4 * maxForms {
		text := fmt.Sprintf("%04d", n/3)
		if f := m.read(Body(`{"grant_type":"`+text+`"}`), nil); f.text("grant_type") != text {
			t.Fatalf("form %s is read as %+v", text, f)
		}
		if got := names.name([]byte(text)); got != text {
			t.Fatalf("%s is named %s", text, got)
		}
	}
}

func TestEndpoints(t *testing.T) {
	m := newEndpoints()
	for range 3 {
		for _, text := range []string{"GET a.test/v1", "GET a.test/v2", "GET a.test/\xff", "GET a.test/�"} {
			if got := m.name([]byte(text)); got != validText(text) {
				t.Errorf("%q is named %q", text, got)
			}
		}
	}
}

// appendFields cuts as strings.Fields does.
func TestAppendFields(t *testing.T) {
	some := []string{"a", "b", " ", "\t", "\v", "\r", "\x1c", "é", "\u00a0", "\x85", "\u2003"}
	var try func(text string, more int)
	try = func(text string, more int) {
		got, want := appendFields([]string{"first"}, text), append([]string{"first"}, strings.Fields(text)...)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		for i := 0; more > 0 && i < len(some); i++ {
			try(text+some[i], more-1)
		}
	}
	try("", 4)
}

// A scope that is passed over has no problem.
func TestPlainScope(t *testing.T) {
	for _, c := range `[]{},;|"\ ab:/` {
		for _, scope := range []string{string(c), "a" + string(c), string(c) + "b", "read" + string(c) + "write", " " + string(c) + " "} {
			if trimmed := strings.TrimSpace(scope); plainScope(scope) && (strings.ContainsAny(trimmed, `,;|"\`) || strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "{")) {
				t.Errorf("%q passes", scope)
			}
		}
	}
}
