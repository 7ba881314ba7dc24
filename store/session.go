package store

import (
	"context"
	"fmt"
	"time"
)

// A Session is a signed-in browser. Only the SHA-256 of its cookie is kept.
type Session struct {
	User      User
	CreatedAt time.Time
	ExpiresAt time.Time // absolute: use does not move it
}

// CreateSignIn makes a one-time sign-in token for a user, valid for the given time; only its hash is kept. Errors: ErrNotFound when there is no such user.
func (s *Store) CreateSignIn(ctx context.Context, userID string, valid time.Duration) (token string, err error) {
	token = newSecret()
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		now := tx.now()
		if err := tx.exec(ctx, `delete from sign_in where expires_at <= $1`, now); err != nil {
			return err
		}
		u, err := scanUser(tx.queryRow(ctx, `select `+userColumns+` from account where id = $1`, userID).Scan)
		if err != nil {
			return missing(err, "load user")
		}
		err = tx.exec(ctx, `insert into sign_in (token_hash, account_id, expires_at) values ($1, $2, $3)`,
			hashSecret(token), u.ID, toMillis(now.Add(valid)))
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditLinkMade, u.Name, "")
	})
	if err != nil {
		return "", wrapUnlessMissing(err, "create sign-in for "+userID)
	}
	return token, nil
}

// CheckSignIn says whose one-time token this is without consuming it, or ErrNotFound.
func (s *Store) CheckSignIn(ctx context.Context, token string) (User, error) {
	u, err := scanUser(s.readers.QueryRowContext(ctx, `select `+userColumns+` from sign_in
		join account on account.id = sign_in.account_id where token_hash = $1 and expires_at > $2`,
		hashSecret(token), toMillis(s.now())).Scan)
	return u, missing(err, "check sign-in")
}

// UseSignIn consumes a one-time token and starts a session: ErrNotFound when it is unknown, used or too old.
func (s *Store) UseSignIn(ctx context.Context, token string, valid time.Duration) (cookie string, session Session, err error) {
	cookie = newSecret()
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		now := tx.now()
		var userID string
		err := tx.queryRow(ctx, `delete from sign_in where token_hash = $1 and expires_at > $2 returning account_id`,
			hashSecret(token), now).Scan(&userID)
		if err != nil {
			return err
		}
		session = Session{CreatedAt: fromMillis(toMillis(now)), ExpiresAt: fromMillis(toMillis(now.Add(valid)))}
		session.User, err = scanUser(tx.queryRow(ctx, `select `+userColumns+` from account where id = $1`, userID).Scan)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, `delete from session where expires_at <= $1`, now); err != nil {
			return err
		}
		err = tx.exec(ctx, `insert into session (cookie_hash, account_id, created_at, expires_at) values ($1, $2, $3, $4)`,
			hashSecret(cookie), userID, session.CreatedAt, session.ExpiresAt)
		if err != nil {
			return err
		}
		return tx.addAudit(ctx, Actor{Name: session.User.Name, Via: ViaPage}, AuditSignedIn, session.User.Name, "")
	})
	if err != nil {
		return "", Session{}, missing(err, "use sign-in")
	}
	return cookie, session, nil
}

// GetSession returns the session of a cookie, or ErrNotFound when it is unknown or over.
func (s *Store) GetSession(ctx context.Context, cookie string) (Session, error) {
	var session Session
	var created, expires int64
	row := s.readers.QueryRowContext(ctx, `select `+userColumns+`, session.created_at, session.expires_at from session
		join account on account.id = session.account_id where cookie_hash = $1 and expires_at > $2`,
		hashSecret(cookie), toMillis(s.now()))
	var err error
	session.User, err = scanUser(func(into ...any) error { return row.Scan(append(into, &created, &expires)...) })
	if err != nil {
		return Session{}, missing(err, "load session")
	}
	session.CreatedAt, session.ExpiresAt = fromMillis(created), fromMillis(expires)
	return session, nil
}

// EndSession ends a session; an unknown one is no error.
func (s *Store) EndSession(ctx context.Context, cookie string) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `delete from session where cookie_hash = $1`, hashSecret(cookie))
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}
