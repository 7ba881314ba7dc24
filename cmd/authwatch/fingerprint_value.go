package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"authwatch/ingest"
)

type fingerprintCommand struct {
	databaseFlag
	fingerprintFlag
	File string `arg:"" default:"-" help:"File that holds the token or secret; - is standard input (default)."`
}

// Help shows the example.
func (fingerprintCommand) Help() string {
	return `Prints what stands in the place of a token or secret wherever authwatch kept a record with it, one form a line, so that a known value can be looked up without being stored. The value is never an argument: other users of the machine could read it there.

    authwatch fingerprint < token
    authwatch export | grep -F "$(authwatch fingerprint < token)"`
}

// maxSecret bounds the value, in bytes.
const maxSecret = 256 << 10

// Run reads the value and prints its markers.
func (c *fingerprintCommand) Run(_ context.Context, p *program) error {
	path, _ := c.path(c.databaseFlag, p.getenv)
	if path == "" {
		return usageError("a PostgreSQL database needs --fingerprint-key FILE or AUTHWATCH_FINGERPRINT_KEY_FILE")
	}
	key, err := readFingerprintKey(path)
	if err != nil {
		return err
	}
	value, err := c.read(p)
	if err != nil {
		return err
	}
	redactor, err := ingest.NewRedactor(key)
	if err != nil {
		return fmt.Errorf("prepare redaction: %w", err)
	}
	markers := redactor.Markers(value)
	if len(markers) == 0 {
		return &exitError{Status: exitNotOK, Err: errors.New("no fingerprint is kept of a value as short or as plain as this: only [set] stands in its place")}
	}
	for _, marker := range markers {
		fmt.Fprintln(p.stdout, marker)
	}
	return nil
}

func (c *fingerprintCommand) read(p *program) (string, error) {
	in, err := openInput(c.File, p.stdin)
	if err != nil {
		return "", err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read the value: %w", err)
	}
	if len(text) > maxSecret {
		return "", usageError("the value has more than %d KiB", maxSecret>>10)
	}
	return string(text), nil
}
