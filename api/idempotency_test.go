package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

func named(key string) map[string]string {
	return map[string]string{"Idempotency-Key": key, "Content-Type": "application/json"}
}

func TestIdempotency(t *testing.T) {
	s := newSite(t)
	f := s.addFailures(t, 1, classify.ScopeGap, "prod", "client-b")[0]
	note := ask{method: http.MethodPost, path: "/api/v1/incidents/change", who: "respond", body: `{"ids":["` + f.IncidentID + `"],"change":{"note":"looking"}}`, header: named("n-1")}
	first := s.do(t, note)
	note.header = named(`"n-1"`) // a string as RFC 9651 writes it
	again := s.do(t, note)
	if first.status != http.StatusOK || first.header.Get("Idempotent-Replayed") != "" || again.status != first.status || again.body != first.body ||
		again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v, then %+v", first, again)
	}
	if n := s.notes(t, f.IncidentID); n != 1 {
		t.Errorf("%d notes", n)
	}
	other := note
	other.body = strings.ReplaceAll(note.body, "looking", "done")
	problemIn(t, s.do(t, other), http.StatusUnprocessableEntity)
	other = note
	other.method, other.path, other.body = http.MethodPatch, "/api/v1/incidents/"+f.IncidentID, `{"note":"looking"}`
	problemIn(t, s.do(t, other), http.StatusUnprocessableEntity)
	other = note
	other.who = "admin" // whose names are others
	if a := s.do(t, other); a.status != http.StatusOK || a.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%+v", a)
	}
	s.now = s.now.Add(answerKept + time.Second)
	if a := s.do(t, note); a.header.Get("Idempotent-Replayed") != "" {
		t.Error("a name is remembered for longer than a day")
	}
}

func (s *site) notes(t *testing.T, incident string) int {
	t.Helper()
	list, err := s.store.ListActivity(t.Context(), incident)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestIdempotency_RefusedMayBeTriedAgain(t *testing.T) {
	s := newSite(t)
	f := s.addFailures(t, 1, classify.ScopeGap, "prod", "client-b")[0]
	change := ask{method: http.MethodPatch, path: "/api/v1/incidents/" + f.IncidentID, who: "session responder", body: `{"state":"none"}`, header: named("c-1")}
	problemIn(t, s.do(t, change), http.StatusBadRequest)
	change.body = `{"note":"looking"}`
	for range 2 {
		if a := s.do(t, change); a.status != http.StatusOK || a.header.Get("ETag") == "" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if n := s.notes(t, f.IncidentID); n != 1 {
		t.Errorf("%d notes", n)
	}
	for _, bad := range []string{"ä", strings.Repeat("x", maxIdempotency+1), `""`} {
		change.header = named(bad)
		problemIn(t, s.do(t, change), http.StatusBadRequest)
	}
}

func TestIdempotency_InHand(t *testing.T) {
	var i inHand
	i.keys = map[[2]string]bool{}
	a := store.Answered{Source: "s", Name: "n"}
	if !i.start(a) || i.start(a) || !i.start(store.Answered{Source: "t", Name: "n"}) {
		t.Error("not once")
	}
	if i.end(a); !i.start(a) {
		t.Error("never again")
	}
}
