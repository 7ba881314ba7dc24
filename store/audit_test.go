package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func auditContract() []contractTest {
	return []contractTest{
		{"the audit log says who did what, latest first", testAudit},
		{"what failed is not in the audit log", testAuditOfFailures},
		{"the audit log holds no secret", testAuditSecrets},
		{"the audit log is read in pages", testAuditPages},
		{"old entries of the audit log go with the summaries", testAuditExpires},
	}
}

func (w *world) audit(t *testing.T) []AuditEntry {
	t.Helper()
	list, _, err := w.ListAudit(t.Context(), Page{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func testAudit(t *testing.T, w *world) {
	ann := Actor{Name: "ann", Via: ViaPage}
	ctx := WithActor(t.Context(), ann)
	key, _, err := w.CreateKey(ctx, ScopeIngest, "web-1")
	rate := w.SetKeyRate(ctx, key.ID, 5)
	revoked := w.RevokeKey(ctx, key.ID)
	user, added := w.CreateUser(ctx, "bob", Responder)
	token, made := w.CreateSignIn(ctx, user.ID, time.Hour)
	_, _, used := w.UseSignIn(t.Context(), token, time.Hour)
	change := Deployment{Time: w.clock, Kind: DeployedCode, Title: "orders-bot 4109", Reference: "4109"}
	_, _, told := w.AddDeployment(ctx, change)
	_, again, repeated := w.AddDeployment(ctx, change)
	rule, created := w.CreateAlertRule(ctx, AlertRule{Name: "new ones", Condition: AlertCondition{Kind: AlertNew}})
	_, changed := w.UpdateAlertRule(ctx, rule)
	deleted := w.DeleteAlertRule(ctx, rule.ID, 0)
	silence, silenced := w.AddAlertSilence(ctx, AlertSilence{Match: AlertMatch{Causes: []classify.Code{classify.JTIReuse}}, Reason: "the night", EndsAt: w.clock.Add(time.Hour)})
	w.clock = w.clock.Add(time.Second) // a silence ends after it begins
	_, ended := w.EndAlertSilence(ctx, silence.ID)
	_, twice := w.EndAlertSilence(ctx, silence.ID)
	many := w.AddAudit(ctx, AuditIncidentsChanged, "12 incidents", "resolved")
	if err := errors.Join(err, rate, revoked, added, made, used, told, repeated, created, changed, deleted, silenced, ended, twice, many); err != nil || again {
		t.Fatal(err, again)
	}
	bob := Actor{Name: "bob", Via: ViaPage}
	want := []AuditEntry{
		{Actor: ann, Action: AuditIncidentsChanged, Subject: "12 incidents", Note: "resolved"},
		{Actor: ann, Action: AuditSilenceEnded, Subject: silence.ID, Note: "the night"},
		{Actor: ann, Action: AuditSilenceAdded, Subject: silence.ID, Note: "the night"},
		{Actor: ann, Action: AuditRuleDeleted, Subject: "new ones"},
		{Actor: ann, Action: AuditRuleChanged, Subject: "new ones"},
		{Actor: ann, Action: AuditRuleCreated, Subject: "new ones"},
		{Actor: ann, Action: AuditChangeTold, Subject: "orders-bot 4109", Note: "deploy"},
		{Actor: bob, Action: AuditSignedIn, Subject: "bob"},
		{Actor: ann, Action: AuditLinkMade, Subject: "bob"},
		{Actor: ann, Action: AuditUserAdded, Subject: "bob", Note: "role responder"},
		{Actor: ann, Action: AuditKeyRevoked, Subject: "web-1 (" + key.ID + ")"},
		{Actor: ann, Action: AuditKeyLimited, Subject: key.ID, Note: "to 5 records a second"},
		{Actor: ann, Action: AuditKeyCreated, Subject: "web-1 (" + key.ID + ")", Note: "scope ingest"},
	}
	got := w.audit(t)
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d: %+v", len(got), len(want), got)
	}
	for n, entry := range got {
		if entry.At.Before(noon()) || entry.At.After(w.clock) || !strings.HasPrefix(entry.ID, "aud_") {
			t.Errorf("entry %+v", entry)
		}
		entry.ID, entry.At = "", time.Time{}
		if entry != want[n] {
			t.Errorf("entry %d is %+v, want %+v", n, entry, want[n])
		}
	}
}

func testAuditOfFailures(t *testing.T, w *world) {
	ctx := t.Context()
	if err := w.RevokeKey(ctx, "nothing"); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke: %v", err)
	}
	if _, err := w.CreateSignIn(ctx, "nobody", time.Hour); !errors.Is(err, ErrNotFound) {
		t.Errorf("sign-in: %v", err)
	}
	if _, _, err := w.UseSignIn(ctx, "nothing", time.Hour); !errors.Is(err, ErrNotFound) {
		t.Errorf("use: %v", err)
	}
	broken := errors.New("given up")
	err := w.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.audit(ctx, AuditUserAdded, "carl", ""); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := w.CreateUser(ctx, "ann", Viewer); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateUser(ctx, "ann", Admin); !errors.Is(err, ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	if got := w.audit(t); len(got) != 1 || got[0].Note != "role viewer" || got[0].Actor != (Actor{}) {
		t.Errorf("entries %+v", got)
	}
}

func testAuditSecrets(t *testing.T, w *world) {
	_, text := w.key(t, ScopeAdmin)
	user, err := w.CreateUser(t.Context(), "ann", Admin)
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.CreateSignIn(t.Context(), user.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, err := w.UseSignIn(t.Context(), token, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	secret := text[strings.LastIndexByte(text, '_')+1:]
	for _, entry := range w.audit(t) {
		for _, s := range []string{secret, token, cookie} {
			if strings.Contains(entry.Subject+entry.Note+entry.Actor.Name, s) {
				t.Errorf("%s holds a secret", entry.Action)
			}
		}
	}
}

func testAuditPages(t *testing.T, w *world) {
	for range 5 {
		if err := w.AddAudit(t.Context(), AuditIncidentsChanged, "x", ""); err != nil {
			t.Fatal(err)
		}
	}
	seen, page := map[string]bool{}, Page{Limit: 2}
	for range 3 {
		list, next, err := w.ListAudit(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range list {
			seen[entry.ID] = true
		}
		page.Cursor = next
	}
	if len(seen) != 5 || page.Cursor != "" {
		t.Errorf("%d entries in three pages, then %q", len(seen), page.Cursor)
	}
	if _, _, err := w.ListAudit(t.Context(), Page{Cursor: "x"}); !errors.Is(err, ErrInvalidCursor) {
		t.Errorf("a cursor of nothing: %v", err)
	}
}

func testAuditExpires(t *testing.T, w *world) {
	expiry := func(age time.Duration) *expiry {
		return &expiry{store: w.Store, summary: toMillis(w.clock.Add(-age)), pause: func(context.Context, time.Duration) error { return nil }}
	}
	if err := w.AddAudit(t.Context(), AuditIncidentsChanged, "old", ""); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(48 * time.Hour)
	if err := w.AddAudit(t.Context(), AuditIncidentsChanged, "new", ""); err != nil {
		t.Fatal(err)
	}
	if err := expiry(72 * time.Hour).audits(t.Context()); err != nil || len(w.audit(t)) != 2 {
		t.Errorf("too early: %v, %+v", err, w.audit(t))
	}
	if err := expiry(24 * time.Hour).audits(t.Context()); err != nil || len(w.audit(t)) != 1 || w.audit(t)[0].Subject != "new" {
		t.Errorf("%v, %+v", err, w.audit(t))
	}
}
