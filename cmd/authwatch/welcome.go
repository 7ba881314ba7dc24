package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"authwatch/cmd/authwatch/demo"
	"authwatch/store"
)

// adminName is the user that the first start creates.
const adminName = "admin"

// welcome makes the first user and tells people how to get in.
func (s *server) welcome(ctx context.Context, p *program) error {
	users, err := s.store.ListUsers(ctx)
	if err != nil {
		return fmt.Errorf("list users: %w", err)
	}
	if len(users) > 0 {
		if isTerminal(p.stdout) {
			fmt.Fprintf(p.stdout, "authwatch serves %s; a new sign-in link: authwatch user link NAME\n", s.base)
		}
		return nil
	}
	admin, err := s.store.CreateUser(ctx, adminName, store.Admin)
	if errors.Is(err, store.ErrConflict) {
		return nil // another replica was first and shows the link
	}
	if err != nil {
		return fmt.Errorf("create the user %s: %w", adminName, err)
	}
	link, err := signInLink(ctx, s.store, admin, s.base)
	if err != nil {
		return err
	}
	return s.handOver(p, link)
}

// handOver gives the link to a person. Standard output that is no terminal belongs to a log shipper, and a log is no
// place for a credential; the demo's database holds nothing worth stealing.
func (s *server) handOver(p *program, link string) error {
	if s.demo || isTerminal(p.stdout) {
		fmt.Fprintf(p.stdout, "\nOpen %s\n(this link signs you in, once, within 30 minutes)\n", link)
		return nil
	}
	if err := writePrivate(s.setupFile, link+"\n"); err != nil {
		return fmt.Errorf("write the sign-in link: %w", err)
	}
	s.log.Info("the one-time sign-in link is in a file", "file", s.setupFile)
	return nil
}

// writePrivate replaces a file by one that only its owner can read, whatever the old one's mode was.
func writePrivate(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return createPrivate(path, text)
}

// createPrivate writes a new file that only its owner can read; one that is there already is left alone.
func createPrivate(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// presentDemo gives the link when there is something to see.
func (s *server) presentDemo(ctx context.Context, p *program) error {
	if err := s.fillDemo(ctx, p); err != nil {
		return err
	}
	return s.welcome(ctx, p)
}

// fillDemo sends the sample traffic through the ingestion API and keeps a trickle going until ctx ends.
func (s *server) fillDemo(ctx context.Context, p *program) error {
	_, key, err := s.store.CreateKey(ctx, store.ScopeIngest, "demo")
	if err != nil {
		return fmt.Errorf("create the demo's key: %w", err)
	}
	_, changeKey, err := s.store.CreateKey(ctx, store.ScopeRespond, "demo pipeline")
	if err != nil {
		return fmt.Errorf("create the demo's key for changes: %w", err)
	}
	player := demo.Player{
		URL:       "http://" + s.listener.Addr().String(),
		Key:       key,
		ChangeKey: changeKey,
		Progress:  p.stderr,
		Terminal:  isTerminal(p.stderr),
	}
	if err := player.Fill(ctx); err != nil {
		return fmt.Errorf("send the sample traffic: %w", err)
	}
	go func() {
		if err := player.Trickle(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the demo's live traffic ended", "err", err)
		}
	}()
	return nil
}
