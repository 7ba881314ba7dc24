package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// A start that fails leaves no key behind: the next one would take it for the rest of a lost installation.
func TestOpenWithKey_FailureLeavesNoKey(t *testing.T) {
	dir := t.TempDir()
	db := databaseFlag{DB: filepath.Join(dir, "no such folder", "aw.db")}
	key := filepath.Join(dir, "fingerprint.key")
	if _, _, err := (fingerprintFlag{FingerprintKey: key}).openWithKey(context.Background(), db, noEnv); err == nil {
		t.Fatal("a database in a folder that is not there was opened")
	}
	if _, err := os.Stat(key); !os.IsNotExist(err) {
		t.Errorf("the key stayed (%v)", err)
	}
}

func TestDatabaseFlag_NameHidesThePassword(t *testing.T) {
	if got := (databaseFlag{DB: "postgres://u:hunter2@db/aw"}).name(); got != "postgres://u:xxxxx@db/aw" {
		t.Error(got)
	}
	if got := (databaseFlag{DB: "postgres://u:hunter2@db:99999999/\x7f"}).name(); got != "the PostgreSQL database" {
		t.Error(got)
	}
}
