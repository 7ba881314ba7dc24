package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

type serveCommand struct {
	databaseFlag
	fingerprintFlag
	profileFlag
	mappingFlag
	receiversFlag
	retentionFlag
	Listen       string   `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on (default: ${default})."`
	PublicURL    string   `placeholder:"URL" help:"Where people reach the server, for links (default: http:// and the address)."`
	Host         []string `placeholder:"NAME" help:"Another name by which browsers may ask for the server, beside that of --public-url and of this machine; may be repeated."`
	InsecureHTTP bool     `name:"insecure-http" help:"Listen beyond this machine without TLS: tokens' claims and keys then cross the network in clear."`
	BehindProxy  bool     `help:"Listen beyond this machine because a proxy in front does TLS."`
	KeyRate      int64    `placeholder:"N" help:"Records a second that each ingest key may send, unless it has a bound of its own (default: no bound)."`
	APIRate      int64    `default:"6000" placeholder:"N" help:"Requests a minute to the REST API that one key or person may make; 0 for no bound (default: ${default})."`
	NewIncidents int      `default:"1000" placeholder:"N" help:"Incidents of clients that were never heard of that each ingest key may open in an hour; failures of more are gathered into one incident of each cause; 0 is no limit (default: ${default})."`
	Demo         bool     `help:"Serve sample traffic from a database of its own, removed at the end."`
}

// Help shows the examples.
func (serveCommand) Help() string {
	return `The first start creates the database, its fingerprint key and the user admin, and gives a one-time sign-in link: on a terminal it is printed, otherwise it is written to the file setup-token beside the database.

    authwatch serve --demo
    authwatch serve --db /var/lib/authwatch/authwatch.db --profile mine.yaml
    authwatch serve --retain 90d --retain-size 50GB`
}

// Run serves until a signal comes or ctx ends.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	if err := c.checkExposure(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Demo {
		remove, err := c.useTemporaryDatabase(p.getenv)
		if err != nil {
			return err
		}
		defer remove()
	}
	s, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer s.close()
	settleMemory(p.getenv, granted)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	return s.serve(ctx, p)
}

// checkExposure refuses to listen where others could read claims and keys on the wire, unless told to.
func (c *serveCommand) checkExposure() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usageError("--listen %s: expected HOST:PORT, such as 127.0.0.1:8080", c.Listen)
	}
	if isLoopback(host) || c.InsecureHTTP || c.BehindProxy {
		return nil
	}
	return usageError("--listen %s can be reached from other machines and authwatch itself speaks plain HTTP: put a TLS proxy in front and add --behind-proxy, or add --insecure-http to send keys and claims in clear", c.Listen)
}

// hosts are the names by which browsers may ask for the server. Where it listens beyond this machine and was told no name, it
// cannot know them: nil, any. By a name of somebody else no cookie of ours comes, so that there nothing is open but signing in.
func (c *serveCommand) hosts() []string {
	names := []string{"localhost"}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	names = append(names, c.Host...)
	if host, _, _ := net.SplitHostPort(c.Listen); len(names) == 1 && !isLoopback(host) { // checkExposure has read it
		return nil
	}
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	return names
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// useTemporaryDatabase points the command at a new folder, which remove deletes.
func (c *serveCommand) useTemporaryDatabase(getenv func(string) string) (remove func(), err error) {
	if c.DB != "authwatch.db" || c.FingerprintKey != "" {
		return nil, usageError("--demo has a database of its own: leave out --db and --fingerprint-key")
	}
	dir, err := os.MkdirTemp(getenv("TMPDIR"), "authwatch-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the demo: %w", err)
	}
	c.DB = filepath.Join(dir, "authwatch.db")
	c.FingerprintKey = filepath.Join(dir, "fingerprint.key")
	return func() { os.RemoveAll(dir) }, nil
}

// open brings up everything a server needs, in the order in which each part can refuse.
func (c *serveCommand) open(ctx context.Context, p *program) (*server, error) {
	retention, err := c.retention(c.databaseFlag)
	if err != nil {
		return nil, err
	}
	profiles, files, err := c.load()
	if err != nil {
		return nil, err
	}
	receivers, err := c.receivers(p.getenv)
	if err != nil {
		return nil, err
	}
	if err := c.createParent(); err != nil {
		return nil, err
	}
	lock, err := lockDatabase(c.databaseFlag)
	if err != nil {
		return nil, err
	}
	c.newIncidents = c.NewIncidents
	db, key, err := c.openWithKey(ctx, c.databaseFlag, p.getenv)
	if err != nil {
		lock.Close()
		return nil, err
	}
	s := &server{
		store:     db,
		receivers: receivers,
		retention: retention,
		files:     files,
		lock:      lock,
		log:       slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: c.logLevel()})),
		setupFile: c.setupFile(p.getenv),
		hosts:     c.hosts(),
		demo:      c.Demo,
		apiRate:   c.APIRate,
	}
	if err := s.listen(c.Listen, c.PublicURL); err != nil {
		s.close()
		return nil, err
	}
	if err := s.wire(profiles, key, c.mappingFlag, c.KeyRate); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// logLevel leaves the demo's own requests out: they would push the link off the screen.
func (c *serveCommand) logLevel() slog.Level {
	if c.Demo {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// setupFile is beside the database, or, when that is on a PostgreSQL server, beside the fingerprint key.
func (c *serveCommand) setupFile(getenv func(string) string) string {
	beside := c.DB
	if c.postgres() {
		beside, _ = c.path(c.databaseFlag, getenv)
	}
	return filepath.Join(filepath.Dir(beside), "setup-token")
}
