// Package migrations embeds the SQL that makes and changes the database, applied in the order of the file names.
// An applied file is never edited.
package migrations

import "embed"

//go:embed *.sql
var fs embed.FS

// FS returns the SQL files.
func FS() embed.FS { return fs }
