package ingest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzOpen gives a body to a protocol: whatever it is, no panic, an answer, and records that can be stored.
func fuzzOpen(t *testing.T, red *Redactor, open func(r *http.Request, body []byte) (shipment, error), body []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	s, err := open(r, body)
	if err != nil {
		if len(err.Error()) > 300 {
			t.Fatalf("error text of %d bytes", len(err.Error()))
		}
		return
	}
	a := answer{}
	for p := range s.parts {
		a.Received++
		d, f := red.decodeShipped(p)
		if f != nil {
			if f.code != codeNoExchange {
				a.Errors = append(a.Errors, f.at(a.Received-1))
				a.Rejected++
			}
			continue
		}
		stored, err := json.Marshal(d.record)
		if err != nil {
			t.Fatalf("record cannot be stored: %v", err)
		}
		if !utf8.Valid(stored) || strings.Contains(string(stored), `\u0000`) {
			t.Fatalf("record holds what no database takes: %q", stored)
		}
	}
	w := httptest.NewRecorder()
	s.answer(w, a)
	if w.Code == 0 {
		t.Fatal("no answer")
	}
}
