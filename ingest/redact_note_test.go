package ingest

import (
	"strings"
	"testing"
)

func TestRedactor_Note(t *testing.T) {
	r := testRedactor(t)
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl"
	for _, text := range []string{
		"rolled back, the client sent " + token, "https://ci.example/run/7?access_token=" + token, "client_secret=hunter2hunter2hunter2",
	} {
		if got := r.Note(text); strings.Contains(got, token) || strings.Contains(got, "hunter2") {
			t.Errorf("Note(%q) = %q", text, got)
		}
	}
	const plain = "orders-bot 4109 by ci: https://ci.example/run/7?attempt=2"
	if got := r.Note(plain); got != plain {
		t.Errorf("Note(%q) = %q", plain, got)
	}
}
