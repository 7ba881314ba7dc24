package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"text/tabwriter"
	"time"

	"authwatch/store"
)

// signInValid is how long a one-time sign-in link works.
const signInValid = 30 * time.Minute

type userCommand struct {
	Add  userAddCommand  `cmd:"" help:"Add a user."`
	Link userLinkCommand `cmd:"" help:"Print a new one-time sign-in link for a user."`
	List userListCommand `cmd:"" help:"List the users."`
}

type userAddCommand struct {
	databaseFlag
	Role string `default:"viewer" enum:"viewer,responder,admin" help:"What the user may do: ${enum} (default: ${default})."`
	Name string `arg:"" help:"The user's name."`
}

// Help shows the example.
func (userAddCommand) Help() string {
	return "    authwatch user add --role responder night-shift\n    authwatch user link night-shift"
}

// Run adds the user.
func (c *userAddCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.CreateUser(asOperator(ctx), c.Name, store.Role(c.Role))
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("there is already a user %q", c.Name)
	}
	if err != nil {
		return fmt.Errorf("add user %q: %w", c.Name, err)
	}
	fmt.Fprintf(p.stdout, "%s is added as %s; make a sign-in link with: authwatch user link %s\n", printable(c.Name), c.Role, printable(c.Name))
	return nil
}

type userLinkCommand struct {
	databaseFlag
	URL  string `default:"http://127.0.0.1:8080" help:"Where the server is reached (default: ${default})."`
	Name string `arg:"" help:"The user's name."`
}

// Help shows the example.
func (userLinkCommand) Help() string {
	return "The link works once, within 30 minutes.\n\n    authwatch user link admin"
}

// Run prints the link alone.
func (c *userLinkCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	user, err := s.GetUserByName(ctx, c.Name)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no user %q; see authwatch user list", c.Name)
	}
	if err != nil {
		return fmt.Errorf("load user %q: %w", c.Name, err)
	}
	link, err := signInLink(asOperator(ctx), s, user, c.URL)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, link)
	return nil
}

type userListCommand struct{ databaseFlag }

// Help shows the example.
func (userListCommand) Help() string { return "    authwatch user list" }

// Run lists the users by name.
func (c *userListCommand) Run(ctx context.Context, p *program) error {
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	users, err := s.ListUsers(ctx)
	if err != nil {
		return fmt.Errorf("list users: %w", err)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROLE\tCREATED")
	for _, u := range users {
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(u.Name), u.Role, dateTime(u.CreatedAt))
	}
	return w.Flush()
}

// signInLink makes a one-time link for a user of the server at base.
func signInLink(ctx context.Context, s *store.Store, user store.User, base string) (string, error) {
	token, err := s.CreateSignIn(ctx, user.ID, signInValid)
	if err != nil {
		return "", fmt.Errorf("make a sign-in link for %q: %w", user.Name, err)
	}
	link, err := url.JoinPath(base, "setup", token)
	if err != nil {
		return "", usageError("the server's URL is wrong: %w", err)
	}
	return link, nil
}
