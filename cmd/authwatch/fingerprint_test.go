package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func noEnv(string) string { return "" }

// envOf is an environment with one variable.
func envOf(name, value string) func(string) string {
	return func(asked string) string {
		if asked == name {
			return value
		}
		return ""
	}
}

func TestFingerprintKey_IsMadeOnceAndKept(t *testing.T) {
	db := databaseFlag{DB: filepath.Join(t.TempDir(), "aw.db")}
	first, created, err := fingerprintFlag{}.key(db, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(db.DB, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second, again, err := fingerprintFlag{}.key(db, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if created == "" || again != "" {
		t.Errorf("made %q, then %q", created, again)
	}
	if len(first) != 32 || !bytes.Equal(first, second) {
		t.Errorf("keys of %d and %d bytes, equal %v", len(first), len(second), bytes.Equal(first, second))
	}
}

func TestFingerprintKey_FromTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	named := filepath.Join(dir, "shared.key")
	env := func(name string) string {
		if name == "AUTHWATCH_FINGERPRINT_KEY_FILE" {
			return named
		}
		return ""
	}
	if _, err := createFingerprintKey(named); err != nil {
		t.Fatal(err)
	}
	// A named key comes before its database: every replica brings the same one.
	if _, _, err := (fingerprintFlag{}).key(databaseFlag{DB: filepath.Join(dir, "new.db")}, env); err != nil {
		t.Error(err)
	}
	if _, _, err := (fingerprintFlag{}).key(databaseFlag{DB: "postgres://user@127.0.0.1/db"}, env); err != nil {
		t.Error(err)
	}
}

func TestWritePrivate_ReplacesALooseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "setup-token")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writePrivate(path, "new"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || info.Mode().Perm() != 0o600 || string(text) != "new" {
		t.Errorf("%q, mode %o, %v", text, info.Mode().Perm(), err)
	}
}
