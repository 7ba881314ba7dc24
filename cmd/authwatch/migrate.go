package main

import (
	"context"
	"fmt"
)

type migrateCommand struct {
	databaseFlag
	fingerprintFlag
}

// Help shows the example.
func (migrateCommand) Help() string {
	return `A new database is created with its fingerprint key beside it. authwatch serve does the same at its start.

    authwatch migrate --db /var/lib/authwatch/authwatch.db`
}

// Run opens the database, which brings it up to date, and says so.
func (c *migrateCommand) Run(ctx context.Context, p *program) error {
	if err := c.createParent(); err != nil {
		return err
	}
	s, _, err := c.openWithKey(ctx, c.databaseFlag, p.getenv)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Ready(ctx); err != nil {
		return fmt.Errorf("check database %s: %w", c.name(), err)
	}
	fmt.Fprintf(p.stdout, "%s is ready\n", c.name())
	return nil
}
