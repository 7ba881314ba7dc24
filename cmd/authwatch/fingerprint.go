package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"authwatch/store"
)

// fingerprintFlag names the file of the key under which redaction makes its fingerprints. It stays outside the database,
// so that a stolen database or backup cannot be used to confirm guesses of tokens.
type fingerprintFlag struct {
	FingerprintKey string `placeholder:"FILE" help:"Key of the redaction's fingerprints (default: fingerprint.key beside the SQLite file; also AUTHWATCH_FINGERPRINT_KEY_FILE)."`
}

// openWithKey opens a database with its key, or makes both. A key whose database could not be made does not stay behind:
// it would look like the rest of an installation that was lost.
func (f fingerprintFlag) openWithKey(ctx context.Context, db databaseFlag, getenv func(string) string) (*store.Store, []byte, error) {
	key, created, err := f.key(db, getenv)
	if err != nil {
		return nil, nil, err
	}
	s, err := db.open(ctx)
	if err != nil {
		if created != "" {
			err = errors.Join(err, os.Remove(created))
		}
		return nil, nil, err
	}
	return s, key, nil
}

// key reads the key of an installation; for a new one it makes it and says where. A database without its key is refused:
// with another key the same token would get another fingerprint, and repeated deliveries would count twice.
func (f fingerprintFlag) key(db databaseFlag, getenv func(string) string) (key []byte, created string, err error) {
	path, explicit := f.path(db, getenv)
	if path == "" {
		return nil, "", usageError("a PostgreSQL database needs --fingerprint-key FILE or AUTHWATCH_FINGERPRINT_KEY_FILE: one file of 64 hexadecimal digits, the same for every replica (make it with: openssl rand -hex 32)")
	}
	keyThere, err := fileExists(path)
	if err != nil {
		return nil, "", fmt.Errorf("look for the fingerprint key: %w", err)
	}
	dbThere, err := db.exists()
	if err != nil {
		return nil, "", fmt.Errorf("look for the database: %w", err)
	}
	switch {
	case keyThere && !dbThere && !explicit:
		return nil, "", fmt.Errorf("there is no database at %s, yet its key %s is there: restore the database, or move the key away to start a new one", db.DB, path)
	case keyThere:
		key, err = readFingerprintKey(path)
		return key, "", err
	case dbThere:
		return nil, "", fmt.Errorf("the fingerprint key %s is missing: restore it from where it was backed up, or name it with --fingerprint-key", path)
	}
	key, err = createFingerprintKey(path)
	return key, path, err
}

func (f fingerprintFlag) path(db databaseFlag, getenv func(string) string) (path string, explicit bool) {
	if f.FingerprintKey != "" {
		return f.FingerprintKey, true
	}
	if named := getenv("AUTHWATCH_FINGERPRINT_KEY_FILE"); named != "" {
		return named, true
	}
	if db.postgres() {
		return "", false
	}
	return filepath.Join(filepath.Dir(db.DB), "fingerprint.key"), false
}

func readFingerprintKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the fingerprint key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		// The decoder's own error would quote a piece of the key.
		return nil, fmt.Errorf("fingerprint key %s: expected 64 hexadecimal digits", path)
	}
	return key, nil
}

func createFingerprintKey(path string) ([]byte, error) {
	key := randomKey()
	if err := createPrivate(path, hex.EncodeToString(key)+"\n"); err != nil {
		return nil, fmt.Errorf("create the fingerprint key: %w", err)
	}
	return key, nil
}

func randomKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails: it ends the program when the system has no randomness
	return key
}
