package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"authwatch/store"
)

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Create a key and print it, once."`
	List   keyListCommand   `cmd:"" help:"List the keys; their secrets are not kept."`
	Limit  keyLimitCommand  `cmd:"" help:"Bound what an ingest key may send."`
	Revoke keyRevokeCommand `cmd:"" help:"Make a key invalid at once."`
}

type keyCreateCommand struct {
	databaseFlag
	Scope string `required:"" enum:"ingest,read,respond,admin" help:"What the key may do: ${enum}."`
	Name  string `arg:"" help:"Who uses it: a shipper, a script."`
}

// Help shows the example.
func (keyCreateCommand) Help() string {
	return `The key is printed alone on standard output and never again: only a hash of it is kept.

    KEY=$(authwatch key create --scope ingest web-1)`
}

// Run prints the key alone, so that a script can keep it in a variable.
func (c *keyCreateCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	_, text, err := s.CreateKey(asOperator(ctx), store.Scope(c.Scope), c.Name)
	if err != nil {
		return fmt.Errorf("create key %q: %w", c.Name, err)
	}
	fmt.Fprintln(p.stdout, text)
	return nil
}

type keyListCommand struct{ databaseFlag }

// Help shows the example.
func (keyListCommand) Help() string { return "    authwatch key list --db authwatch.db" }

// Run lists the keys, newest first.
func (c *keyListCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := s.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSCOPE\tNAME\tCREATED\tLAST USED\tSTATE")
	for _, k := range keys {
		state := "valid"
		if !k.RevokedAt.IsZero() {
			state = "revoked " + dateTime(k.RevokedAt)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Scope, printable(k.Name), dateTime(k.CreatedAt), dateTime(k.LastUsedAt), state)
	}
	return w.Flush()
}

type keyRevokeCommand struct {
	databaseFlag
	ID string `arg:"" help:"The key's ID, as authwatch key list shows it."`
}

// Help shows the example.
func (keyRevokeCommand) Help() string { return "    authwatch key revoke 3kTz9QwB" }

// Run revokes the key.
func (c *keyRevokeCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.RevokeKey(asOperator(ctx), c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no key %s; see authwatch key list", c.ID)
	}
	if err != nil {
		return fmt.Errorf("revoke key %s: %w", c.ID, err)
	}
	fmt.Fprintf(p.stdout, "key %s is revoked\n", printable(c.ID))
	return nil
}

type keyLimitCommand struct {
	databaseFlag
	ID   string `arg:"" help:"The key's ID, as authwatch key list shows it."`
	Rate int64  `required:"" placeholder:"N" help:"Records a second that the key may send; 0 leaves it to the server's --key-rate."`
}

// Help shows the example.
func (keyLimitCommand) Help() string {
	return `A shipper that sends more is asked with 503 and Retry-After to come again; nothing is lost, and other keys are not held up. Each replica counts for itself.

    authwatch key limit 3ktz9qwb --rate 500`
}

// Run sets the bound.
func (c *keyLimitCommand) Run(ctx context.Context, p *program) error {
	if c.Rate < 0 {
		return usageError("--rate %d: a rate is not below 0", c.Rate)
	}
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.SetKeyRate(asOperator(ctx), c.ID, c.Rate)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no valid ingest key %s; see authwatch key list", c.ID)
	}
	if err != nil {
		return fmt.Errorf("limit key %s: %w", c.ID, err)
	}
	if c.Rate == 0 {
		fmt.Fprintf(p.stdout, "key %s has no bound of its own\n", printable(c.ID))
		return nil
	}
	fmt.Fprintf(p.stdout, "key %s may send %d records a second\n", printable(c.ID), c.Rate)
	return nil
}

func dateTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
