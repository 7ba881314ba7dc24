package shippers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A client is one real shipper with one configuration.
type client struct {
	name string
	// run delivers the job's records in processes of their own and returns the request ids of those that the client holds acknowledged.
	run func(ctx context.Context, j job) ([]string, error)
	// How many deliveries pass before authwatch answers 503, and how many more before it is killed.
	calm, calmAgain int
	// loses says what the client drops by its own design, "" if nothing: then it must hold everything acknowledged at the end.
	loses string
}

// A job is what a client has to deliver, and where to.
type job struct {
	records []record
	url     string
	key     string
	dir     string // for the client's own files
	bin     string // where the clients in Go are built
}

// clients lists them, those first that wait most of their time.
func clients() []client {
	return []client{
		{name: "winston-loki json", run: node("winstonloki", "json"), calm: 3},
		{name: "winston-loki protobuf", run: node("winstonloki", "proto"), calm: 3},
		{name: "OTel JS json", run: node("otel", "http"), calm: 5, calmAgain: 5},
		{name: "OTel JS protobuf", run: node("otel", "proto"), calm: 5, calmAgain: 5},
		{name: "OTel Go", run: program("otelgo"), calm: 5, calmAgain: 5, loses: "what is under way when the connection breaks or is refused"},
		{name: "elasticsearch-js 9", run: node("elastic", "@elastic/elasticsearch"), calm: 5, calmAgain: 5},
		{name: "elasticsearch-js 8", run: node("elastic", "elasticsearch8"), calm: 5, calmAgain: 5},
		{name: "go-elasticsearch 9", run: program("elasticgo"), calm: 5, calmAgain: 5},
		{name: "pino-elasticsearch", run: supervised(node("pinoelastic")), calm: 5, calmAgain: 5},
		{name: "pino-loki", run: node("pinoloki"), calm: 5, calmAgain: 5, loses: "what is answered with an error or not at all"},
		{name: "splunk-logging", run: node("splunk"), calm: 5, calmAgain: 5},
		{name: "winston-splunk-httplogger", run: node("winstonsplunk"), calm: 200, calmAgain: 200},
		{name: "syslog-ng http", run: syslogNG, calm: 3, calmAgain: 3},
		{name: "rsyslog omelasticsearch", run: rsyslog, calm: 3, calmAgain: 3},
		{name: "systemd-journal-upload", run: journalUpload},
		{name: "curl", run: curl, calm: 3, calmAgain: 3},
	}
}

// file keeps the records as lines.
func (j job) file() (string, error) {
	var lines bytes.Buffer
	for _, r := range j.records {
		lines.Write(r.JSON)
		lines.WriteByte('\n')
	}
	path := filepath.Join(j.dir, "records.ndjson")
	if err := os.WriteFile(path, lines.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write records: %w", err)
	}
	return path, nil
}

// node runs a script of node/, which prints the request ids of the records that it holds acknowledged.
func node(script string, args ...string) func(context.Context, job) ([]string, error) {
	return func(ctx context.Context, j job) ([]string, error) {
		return j.acknowledged(exec.CommandContext(ctx, "node", append([]string{filepath.Join("node", script+".mjs")}, args...)...))
	}
}

// program runs a client in Go, which prints the same.
func program(name string) func(context.Context, job) ([]string, error) {
	return func(ctx context.Context, j job) ([]string, error) {
		return j.acknowledged(exec.CommandContext(ctx, filepath.Join(j.bin, name)))
	}
}

func (j job) acknowledged(cmd *exec.Cmd) ([]string, error) {
	file, err := j.file()
	if err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), "AUTHWATCH_URL="+j.url, "AUTHWATCH_KEY="+j.key, "RECORDS="+file)
	out, err := j.output(cmd)
	return strings.Fields(out), err
}

// output runs a command. What it says on standard error stays in the job's folder, and in the error if it fails.
func (j job) output(cmd *exec.Cmd) (string, error) {
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &said, pause
	err := cmd.Run()
	if writeErr := os.WriteFile(filepath.Join(j.dir, "stderr"), said.Bytes(), 0o600); writeErr != nil {
		err = errors.Join(err, writeErr)
	}
	if err != nil {
		return out.String(), fmt.Errorf("run %s: %w: %s", filepath.Base(cmd.Path), err, tail(said.String()))
	}
	return out.String(), nil
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

const (
	tries = 20
	pause = 500 * time.Millisecond
)

// supervised starts a client again when it ends with an error, as systemd or a shell would.
func supervised(run func(context.Context, job) ([]string, error)) func(context.Context, job) ([]string, error) {
	return func(ctx context.Context, j job) (acknowledged []string, err error) {
		for range tries {
			if acknowledged, err = run(ctx, j); err == nil {
				return acknowledged, nil
			}
			time.Sleep(pause)
		}
		return nil, err
	}
}

// curl posts a hundred records at a time. Its word is its exit status.
func curl(ctx context.Context, j job) ([]string, error) {
	var held []string
	for n := 0; n < len(j.records); n += 100 {
		batch := j
		batch.records = j.records[n:min(n+100, len(j.records))]
		file, err := batch.file()
		if err != nil {
			return nil, err
		}
		if _, err := j.output(exec.CommandContext(ctx, "gzip", "-f", "-k", file)); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, "curl", "--silent", "--show-error", "--fail", "--retry", "10", "--retry-all-errors",
			"--header", "Authorization: Bearer "+j.key, "--header", "Content-Encoding: gzip", "--data-binary", "@"+file+".gz", j.url+"/ingest/v1/responses")
		if _, err := j.output(cmd); err == nil {
			held = append(held, requestIDs(batch.records)...)
		}
	}
	return held, nil
}

func requestIDs(records []record) []string {
	ids := make([]string, len(records))
	for n, r := range records {
		ids[n] = r.RequestID
	}
	return ids
}
