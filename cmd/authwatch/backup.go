package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"authwatch/store"
)

type backupCommand struct {
	databaseFlag
	File string `arg:"" help:"The new file."`
}

// Help shows the example and what a backup is not.
func (backupCommand) Help() string {
	return `The copy is the database at one instant, checked, readable by its owner alone; a server may go on working meanwhile. To restore it, put it in the database's place while no server runs. Keep the fingerprint key elsewhere: without it a restored server does not start, and a thief of the copy cannot test guesses against its fingerprints.

    authwatch backup --db /var/lib/authwatch/authwatch.db /backup/authwatch-monday.db`
}

// Run copies the database.
func (c *backupCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.Backup(ctx, c.File)
	switch {
	case errors.Is(err, store.ErrNoBackup):
		return usageError("%s is a PostgreSQL database: back it up with pg_dump or its server's own tools", c.name())
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists: choose another name, a backup overwrites nothing", c.File)
	case err != nil:
		return err
	}
	fmt.Fprintf(p.stdout, "%s holds a checked copy of %s\n", printable(c.File), printable(c.name()))
	return nil
}
