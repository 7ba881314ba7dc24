// Package migrations embeds the SQL that makes and changes the database, applied in the order of the file names.
// An applied file is never edited.
package migrations

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.sql
var files embed.FS

// Postgres returns the SQL files as they are written.
func Postgres() fs.FS { return files }

// SQLite returns the SQL files in SQLite's words where its own differ: only an "integer primary key" is the row's number,
// a table lies in the order of another key only when it has no row numbers, and each entry of an index ends with the row's
// number, which would be there twice if it were named.
func SQLite() fs.FS { return translated{files} }

type translated struct{ embed.FS }

// Open translates a file; a directory stays as it is.
func (t translated) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	text, err := t.ReadFile(name)
	return translatedFile{f, bytes.NewReader(text)}, err
}

// ReadFile translates a file.
func (t translated) ReadFile(name string) ([]byte, error) {
	text, err := t.FS.ReadFile(name)
	words := strings.NewReplacer("bigint primary key", "integer primary key", "bytea", "blob", "/* in the order of its key */", "without rowid",
		", id /* the number of the row */", "")
	return []byte(words.Replace(string(text))), err
}

type translatedFile struct {
	fs.File
	text *bytes.Reader
}

func (f translatedFile) Read(p []byte) (int, error) { return f.text.Read(p) }
