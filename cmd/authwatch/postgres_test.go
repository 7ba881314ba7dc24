package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The same program serves from PostgreSQL: records arrive once, keys and links are made beside it, a second delivery changes nothing.
func TestServe_PostgreSQL(t *testing.T) {
	server := os.Getenv("AUTHWATCH_TEST_POSTGRES")
	if server == "" {
		if os.Getenv("AUTHWATCH_REQUIRE_POSTGRES") != "" {
			t.Fatal("AUTHWATCH_TEST_POSTGRES is not set: run the tests with scripts/postgres.sh run")
		}
		t.Log("AUTHWATCH_TEST_POSTGRES is not set; make test sets it and runs this test")
		return
	}
	c := corpora(t)[0]
	key := filepath.Join(t.TempDir(), "shared.key")
	if _, err := createFingerprintKey(key); err != nil {
		t.Fatal(err)
	}
	s := newTestServer(t, freshSchema(t, server))
	s.start([]string{"serve", "--db", s.db, "--fingerprint-key", key, "--listen", "127.0.0.1:0", "--profile", c.profile})
	if setup := s.await(s.stderr, `"file":"([^"]+)"`); filepath.Dir(setup) != filepath.Dir(key) {
		t.Errorf("the sign-in link is in %s", setup)
	}
	shipper, reader := s.key("ingest"), s.key("read")
	if first := s.post(shipper, "/ingest/v1/responses", ndjson(c.records)); first.Accepted != len(c.records) {
		t.Errorf("%+v for %d records", first, len(c.records))
	}
	before := s.summary(reader)
	if again := s.post(shipper, "/ingest/v1/responses", ndjson(c.records)); again.Duplicates != len(c.records) {
		t.Errorf("again: %+v for %d records", again, len(c.records))
	}
	if after := s.summary(reader); before != after {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	s.signIn()
	if page := string(s.page("/")); !strings.Contains(page, "</html>") {
		t.Errorf("the overview: %.200s", page)
	}
}

// freshSchema makes a schema of its own and returns the address that leads into it.
func freshSchema(t *testing.T, server string) string {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "serve_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(context.Background(), `create schema `+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), `drop schema `+schema+` cascade`)
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	dsn, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := dsn.Query()
	q.Set("search_path", schema)
	dsn.RawQuery = q.Encode()
	return dsn.String()
}
