package store

import (
	"context"
	"fmt"
	"time"
)

// An AuditEntry says who did what to what others rely on: keys, people, rules, many incidents at once. What was done to one
// incident is its Activity.
type AuditEntry struct {
	ID      string // "aud_" and a UUIDv7
	At      time.Time
	Actor   Actor
	Action  AuditAction
	Subject string // what it was done to: a name and the id; never a secret
	Note    string // what else matters of it: a scope, a role, a number
}

// An Actor is who does something. The zero Actor is authwatch itself.
type Actor struct {
	Name string // of a person, a key, or the account at the command line
	Via  ActorVia
}

// An ActorVia is the way by which an actor came.
type ActorVia string

// The ways. "" is authwatch itself.
const (
	ViaPage    ActorVia = "page"
	ViaAPI     ActorVia = "api"
	ViaCommand ActorVia = "command"
)

// An AuditAction is what was done.
type AuditAction string

// The actions of the audit log.
const (
	AuditKeyCreated       AuditAction = "key_created"
	AuditKeyRevoked       AuditAction = "key_revoked"
	AuditKeyLimited       AuditAction = "key_limited"
	AuditRejectReplayed   AuditAction = "reject_replayed"
	AuditUserAdded        AuditAction = "user_added"
	AuditLinkMade         AuditAction = "sign_in_link_made"
	AuditSignedIn         AuditAction = "signed_in"
	AuditChangeTold       AuditAction = "change_told"
	AuditIncidentsChanged AuditAction = "incidents_changed"
	AuditRuleCreated      AuditAction = "alert_rule_created"
	AuditRuleChanged      AuditAction = "alert_rule_changed"
	AuditRuleDeleted      AuditAction = "alert_rule_deleted"
	AuditSilenceAdded     AuditAction = "silence_added"
	AuditSilenceEnded     AuditAction = "silence_ended"
)

type actorKey struct{}

// WithActor says who acts in what is done under the context: every entry of the audit log that comes of it names the actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// audit adds an entry in the transaction that does what it tells of, so that neither is there without the other.
func (t *Tx) audit(ctx context.Context, action AuditAction, subject, note string) error {
	actor, _ := ctx.Value(actorKey{}).(Actor)
	return t.addAudit(ctx, actor, action, subject, note)
}

func (t *Tx) addAudit(ctx context.Context, actor Actor, action AuditAction, subject, note string) error {
	id, err := newID("aud_")
	if err != nil {
		return err
	}
	return t.exec(ctx, `insert into audit (id, done_at, done_by, via, action, subject, note) values ($1, $2, $3, $4, $5, $6, $7)`,
		id, t.now(), actor.Name, string(actor.Via), string(action), subject, note)
}

// AddAudit adds an entry for what is no single write of the store: a change of many incidents.
func (s *Store) AddAudit(ctx context.Context, action AuditAction, subject, note string) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error { return tx.audit(ctx, action, subject, note) })
	if err != nil {
		return fmt.Errorf("add %s to the audit log: %w", action, err)
	}
	return nil
}

// ListAudit returns a page of the audit log, latest first, and the cursor of the next. Errors: ErrInvalidCursor.
func (s *Store) ListAudit(ctx context.Context, page Page) (list []AuditEntry, next string, err error) {
	var w where
	c, ok, err := readCursor(page.Cursor, "audit", 1)
	if err != nil {
		return nil, "", err
	}
	if ok {
		w.and(`id < ?`, c.Tie[0])
	}
	rows, err := s.readers.QueryContext(ctx, `select id, done_at, done_by, via, action, subject, note from audit where `+w.sql()+`
		order by id desc limit `+w.arg(int64(page.rows()+1)), bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list the audit log: %w", err)
	}
	list, err = collect(rows, func(scan func(...any) error) (a AuditEntry, err error) {
		var at int64
		err = scan(&a.ID, &at, &a.Actor.Name, &a.Actor.Via, &a.Action, &a.Subject, &a.Note)
		a.At = fromMillis(at)
		return a, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the audit log: %w", err)
	}
	list, more := cut(list, page.rows())
	if more {
		next = cursor{List: "audit", Tie: []string{list[len(list)-1].ID}}.String()
	}
	return list, next, nil
}

// audits forgets entries as old as the incidents that are forgotten.
func (e *expiry) audits(ctx context.Context) error {
	if e.summary == 0 {
		return nil
	}
	return e.repeat(ctx, "audit log", func(ctx context.Context, tx *Tx) (int64, error) {
		return tx.execCount(ctx, `delete from audit where id in (select id from audit where done_at < $1 limit $2)`, e.summary, int64(expireSize))
	})
}
