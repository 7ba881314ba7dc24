package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"authwatch/store"
)

// databaseFlag says where the database is; every command that needs one embeds it.
type databaseFlag struct {
	DB string `name:"db" default:"authwatch.db" placeholder:"PATH|URL" help:"SQLite file, or postgres://user@host/database (default: ${default})."`

	newIncidents int // store.Options.NewIncidents
}

func (f databaseFlag) postgres() bool {
	return strings.HasPrefix(f.DB, "postgres://") || strings.HasPrefix(f.DB, "postgresql://")
}

// name is the database for messages: a URL loses its password.
func (f databaseFlag) name() string {
	if !f.postgres() {
		return f.DB
	}
	u, err := url.Parse(f.DB)
	if err != nil {
		return "the PostgreSQL database"
	}
	return u.Redacted()
}

// exists says whether the SQLite file is there. A PostgreSQL database always is: the server would refuse otherwise.
func (f databaseFlag) exists() (bool, error) {
	if f.postgres() {
		return true, nil
	}
	return fileExists(f.DB)
}

// openExisting opens the database for a command that must not create one: a mistyped path is not a new installation.
func (f databaseFlag) openExisting(ctx context.Context) (*store.Store, error) {
	there, err := f.exists()
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, fmt.Errorf("there is no database at %s: name it with --db, or create it with authwatch serve or authwatch migrate", f.DB)
	}
	return f.open(ctx)
}

func (f databaseFlag) open(ctx context.Context) (*store.Store, error) {
	s, err := store.Open(ctx, store.Options{DSN: f.DB, NewIncidents: f.newIncidents})
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", f.name(), err)
	}
	return s, nil
}

// createParent makes the folder of a new SQLite file, for its owner alone.
func (f databaseFlag) createParent() error {
	if f.postgres() {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.DB), 0o700); err != nil {
		return fmt.Errorf("create the folder of the database: %w", err)
	}
	return nil
}

func fileExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
