package api

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
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

// What is done is done together with the answer: when that cannot be kept nothing is done, and the next try does it once.
func TestIdempotency_WorkAndAnswerAreOne(t *testing.T) {
	s := newSite(t)
	list := s.addFailures(t, 1, classify.ScopeGap, "prod", "client-b")
	id := list[0].IncidentID
	db, err := sql.Open("sqlite3", s.db)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	change := `{"state":"acknowledged","assignee":"ana","note":"looking"}`
	for n, a := range []ask{
		{method: http.MethodPatch, path: "/api/v1/incidents/" + id, body: change},
		{method: http.MethodPost, path: "/api/v1/incidents/change", body: `{"ids":["` + id + `","inc_none","` + id + `"],"change":` + change + `}`},
		{method: http.MethodPost, path: "/api/v1/rules", body: `{"name":"new ones","condition":{"kind":"new"},"receivers":[]}`},
		{method: http.MethodPost, path: "/api/v1/silences", body: `{"match":{"clients":["client-b"]},"reason":"migration","ends_at":"2026-11-22T13:00:00Z"}`},
	} {
		a.who, a.header = "respond", named(fmt.Sprint("w-", n))
		before := s.written(t, db)
		if _, err := db.Exec(`create trigger ends before insert on idempotency begin select raise(abort, 'the process ends here'); end`); err != nil {
			t.Fatal(err)
		}
		problemIn(t, s.do(t, a), http.StatusInternalServerError)
		if after := s.written(t, db); after != before {
			t.Errorf("%s: %s became %s without an answer", a.path, before, after)
		}
		if _, err := db.Exec(`drop trigger ends`); err != nil {
			t.Fatal(err)
		}
		first := s.do(t, a)
		done := s.written(t, db)
		again := s.do(t, a)
		if first.status >= 300 || done == before || s.written(t, db) != done || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%+v, then %+v; %s, %s, %s", first, again, before, done, s.written(t, db))
		}
		if a.path == "/api/v1/incidents/change" && (strings.Count(first.body, `"problem"`) != 1 || strings.Count(first.body, `"incident"`) != 2) {
			t.Errorf("%s", first.body)
		}
	}
}

// written counts what the requests with a key write.
func (s *site) written(t *testing.T, db *sql.DB) string {
	t.Helper()
	var text string
	err := db.QueryRow(`select (select sum(version) from incident) || ' versions, ' || (select count(*) from activity) || ' activities, ' ||
		(select count(*) from audit) || ' audits, ' || (select count(*) from alert_rule) || ' rules, ' || (select count(*) from alert_silence) || ' silences'`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Another replica may be first: what is done here is undone, and its answer is given.
func TestIdempotency_AnotherReplicaWasFirst(t *testing.T) {
	s := newSite(t)
	f := s.addFailures(t, 1, classify.ScopeGap, "prod", "client-b")[0]
	asked := store.Answered{Source: "api x", Name: "k", BodyPrint: "p", Answer: `{"status":201,"header":{},"body":"of the other"}`, ExpiresAt: s.now.Add(time.Hour)}
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.KeepAnswered(ctx, asked)
		return err
	})
	work := func(c echo.Context) error {
		if err := s.store.AddNote(c.Request().Context(), f.IncidentID, "ana", "looking"); err != nil {
			return err
		}
		return c.NoContent(http.StatusCreated)
	}
	answer := httptest.NewRecorder()
	err := s.api.answerOnce(s.api.echo.NewContext(httptest.NewRequest(http.MethodPost, "/", nil), answer), asked, work)
	if err != nil || answer.Code != http.StatusCreated || answer.Body.String() != "of the other" || s.notes(t, f.IncidentID) != 0 {
		t.Errorf("%v, %d %s, %d notes", err, answer.Code, answer.Body, s.notes(t, f.IncidentID))
	}
	asked.BodyPrint = "of another request"
	var p *problem
	err = s.api.answerOnce(s.api.echo.NewContext(httptest.NewRequest(http.MethodPost, "/", nil), httptest.NewRecorder()), asked, work)
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity || s.notes(t, f.IncidentID) != 0 {
		t.Errorf("%v, %d notes", err, s.notes(t, f.IncidentID))
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
