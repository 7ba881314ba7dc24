package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type ingestCommand struct {
	Send    ingestSendCommand    `cmd:"" default:"withargs" help:"Send log files to a server (the default)."`
	Explain ingestExplainCommand `cmd:"" help:"Show how a sample of a log is read."`
}

type ingestSendCommand struct {
	URL          string        `default:"http://127.0.0.1:8080" help:"The server (default: ${default})."`
	KeyFile      string        `placeholder:"FILE" help:"File with a key of scope ingest (default: the variable AUTHWATCH_KEY)."`
	Follow       bool          `short:"f" help:"Go on with what is appended, through rotations."`
	State        string        `placeholder:"FILE" help:"Where it is kept how far each file was sent (default: authwatch/ingest.json in the user's state folder)."`
	Again        bool          `help:"Begin at the start of each file; what the server has already counts as duplicate."`
	Batch        int           `default:"1000" help:"Records in one request, at most (default: ${default})."`
	Compress     string        `default:"gzip" enum:"gzip,zstd,none" help:"Compression on the way: ${enum} (default: ${default})."`
	GiveUp       time.Duration `default:"15m" help:"How long to wait for a server that does not take anything (default: ${default}); -f waits for ever."`
	InsecureHTTP bool          `name:"insecure-http" help:"Send without TLS beyond this machine: the key and the records then cross the network in clear."`
	File         []string      `arg:"" help:"Log files or quoted patterns; .gz and .zst are unpacked; - is standard input."`
}

// Help shows the examples and the exit statuses.
func (ingestSendCommand) Help() string {
	return `Every format that the server understands may be in a file, one record a line, also mixed; docs/shapes.md lists them. The key is never given on the command line, where other users see it.

    authwatch ingest --key-file ingest.key access.log
    AUTHWATCH_KEY=$(cat ingest.key) authwatch ingest --url https://authwatch.example.com '/var/log/nginx/access.log*'
    authwatch ingest --key-file ingest.key -f /var/log/nginx/access.log

Stopped in the middle, the same command goes on where the server's last answer was; nothing is counted twice.

Exit status: 0 everything was taken, 1 records were rejected or could not be delivered, 2 usage.`
}

// Run sends the files.
func (c *ingestSendCommand) Run(ctx context.Context, p *program) error {
	sender, err := c.sender(p)
	if err != nil {
		return err
	}
	if c.Batch < 1 || c.Batch > maxBatch {
		return usageError("--batch must be between 1 and %d", maxBatch)
	}
	marks, err := c.marks(p)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &shipping{
		sender: sender, marks: marks, again: c.Again, batch: c.Batch, follow: c.Follow,
		open: map[string]*logFile{}, done: map[string]os.FileInfo{}, tally: newTally(p),
	}
	sender.waiting = s.tally.wait
	err = s.send(ctx, p, c.File)
	s.close()
	s.tally.finish()
	switch {
	case errors.Is(err, context.Canceled) && c.Follow:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("stopped; the same command goes on where this one ended")
	case err != nil:
		return err
	case s.tally.rejected > 0:
		return &exitError{Status: exitNotOK}
	}
	return nil
}

// sender checks the address and reads the key.
func (c *ingestSendCommand) sender(p *program) (*batchSender, error) {
	base, err := checkServerURL(c.URL, c.InsecureHTTP)
	if err != nil {
		return nil, err
	}
	key, err := readKey(p, c.KeyFile, "ingest")
	if err != nil {
		return nil, err
	}
	giveUp := c.GiveUp
	if c.Follow {
		giveUp = 0
	}
	return newBatchSender(base, key, c.Compress, giveUp), nil
}

// marks reads how far earlier runs came.
func (c *ingestSendCommand) marks(p *program) (*markFile, error) {
	path := c.State
	if path == "" {
		folder := p.getenv("XDG_STATE_HOME")
		if folder == "" {
			home := p.getenv("HOME")
			if home == "" {
				return nil, usageError("there is no home folder to keep the state in: add --state FILE")
			}
			folder = filepath.Join(home, ".local", "state")
		}
		path = filepath.Join(folder, "authwatch", "ingest.json")
	}
	m, err := readMarks(path, strings.TrimSuffix(c.URL, "/"))
	if err != nil {
		return nil, usageError("--state: %w", err)
	}
	return m, nil
}
