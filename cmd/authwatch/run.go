package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

// Exit statuses. They are part of the command line's contract.
const (
	exitOK     = 0
	exitNotOK  = 1 // failures were found, or the command could not do its work
	exitUsage  = 2 // the command line or its input is wrong
	exitLocked = 4 // another process serves this database
)

// A program is what a command may touch of the outside world; tests hand in their own.
type program struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
}

// An exitError ends the program with a status. Without Err nothing is printed: the output has already said it.
type exitError struct {
	Status int
	Err    error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Status)
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

func usageError(format string, args ...any) error {
	return &exitError{Status: exitUsage, Err: fmt.Errorf(format, args...)}
}

// commands is the command line.
type commands struct {
	Serve       serveCommand       `cmd:"" help:"Take log records, classify their auth failures, show the incidents."`
	Classify    classifyCommand    `cmd:"" help:"Classify the auth failures in a file, without server or database."`
	Check       checkCommand       `cmd:"" help:"Say whether a client assertion would pass at a provider, for CI."`
	Ingest      ingestCommand      `cmd:"" help:"Send log files to a server, or explain how they are read."`
	Eval        evalCommand        `cmd:"" help:"Score the classifier on labelled records."`
	Incidents   incidentsCommand   `cmd:"" help:"List, show, acknowledge, silence and resolve a server's incidents."`
	Sources     sourcesCommand     `cmd:"" help:"List a server's shippers and what it did not take from them, and try that again."`
	Tail        tailCommand        `cmd:"" help:"Show a server's failures as they come."`
	Report      reportCommand      `cmd:"" help:"Write what was bad, new and over, as Markdown."`
	Causes      causesCommand      `cmd:"" help:"List the documented causes, or explain one."`
	Profiles    profilesCommand    `cmd:"" help:"List, show and validate provider profiles."`
	Key         keyCommand         `cmd:"" help:"Create, list and revoke API keys."`
	User        userCommand        `cmd:"" help:"Add users and make their sign-in links."`
	Fingerprint fingerprintCommand `cmd:"" help:"Print what stands in the place of a known token or secret."`
	Migrate     migrateCommand     `cmd:"" help:"Create the database, or bring it up to this version."`
	Backup      backupCommand      `cmd:"" help:"Copy the database to a file while it is in use."`
	Export      exportCommand      `cmd:"" help:"Write all failures as NDJSON."`
	Bundle      bundleCommand      `cmd:"" help:"Print the support bundle of an incident."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// run executes one command line and returns its exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("authwatch"),
		kong.Description("authwatch decides for each failed authentication which documented cause made it fail, and shows the proof."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }), // kong goes on after --help; what it then misses is of no interest
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		return p.report(err)
	}
	command, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		return p.report(usageError("%w; see authwatch --help", err))
	}
	return p.report(command.Run())
}

// report prints an error, if there is one to print, and gives its exit status.
func (p *program) report(err error) int {
	if err == nil {
		return exitOK
	}
	status := exitNotOK
	var exit *exitError
	if errors.As(err, &exit) {
		status = exit.Status
		if exit.Err == nil {
			return status
		}
	}
	fmt.Fprintf(p.stderr, "authwatch: %s\n", printable(err.Error()))
	return status
}
