package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A User is a person who may sign in.
type User struct {
	ID        string
	Name      string
	Role      Role
	CreatedAt time.Time
}

// A Role is what a person may do.
type Role string

// The roles.
const (
	Viewer    Role = "viewer"
	Responder Role = "responder"
	Admin     Role = "admin"
)

// CreateUser adds a user; ErrConflict when the name is taken, ErrInvalid when it is empty or the role unknown.
func (s *Store) CreateUser(ctx context.Context, name string, role Role) (User, error) {
	name = keyText(name)
	if name == "" {
		return User{}, fmt.Errorf("%w: a user needs a name", ErrInvalid)
	}
	if role != Viewer && role != Responder && role != Admin {
		return User{}, fmt.Errorf("%w: a role is viewer, responder or admin", ErrInvalid)
	}
	id, err := newID("usr_")
	if err != nil {
		return User{}, err
	}
	u := User{ID: id, Name: name, Role: role, CreatedAt: fromMillis(toMillis(s.now()))}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		added, err := tx.changed(ctx, `insert into account (id, name, role, created_at) values ($1, $2, $3, $4)
			on conflict (name) do nothing`, u.ID, u.Name, string(u.Role), u.CreatedAt)
		if err == nil && !added {
			return fmt.Errorf("%w: the name is taken", ErrConflict)
		}
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditUserAdded, u.Name, "role "+string(u.Role))
	})
	if err != nil {
		return User{}, fmt.Errorf("create user %q: %w", name, err)
	}
	return u, nil
}

const userColumns = `account.id, account.name, account.role, account.created_at`

func scanUser(scan func(...any) error) (u User, err error) {
	var created int64
	err = scan(&u.ID, &u.Name, &u.Role, &created)
	u.CreatedAt = fromMillis(created)
	return u, err
}

// GetUserByName returns a user, or ErrNotFound.
func (s *Store) GetUserByName(ctx context.Context, name string) (User, error) {
	u, err := scanUser(s.readers.QueryRowContext(ctx, `select `+userColumns+` from account where name = $1`, keyText(name)).Scan)
	return u, missing(err, "load user "+name)
}

// ListUsers returns all users by name.
func (s *Store) ListUsers(ctx context.Context) ([]User, error) {
	rows, err := s.readers.QueryContext(ctx, `select `+userColumns+` from account order by name`)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	list, err := collect(rows, scanUser)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}

// missing turns "no row" into ErrNotFound and wraps any other error.
func missing(err error, operation string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return wrapUnlessMissing(err, operation)
}
