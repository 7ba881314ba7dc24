package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"authwatch/bundle"
	"authwatch/classify"
	"authwatch/ingest"
)

type classifyCommand struct {
	profileFlag
	mappingFlag
	Output string `default:"table" enum:"table,ndjson" help:"Form of the verdicts: ${enum} (default: ${default})."`
	File   string `arg:"" optional:"" default:"-" help:"Records, native or of a log format that is known: NDJSON, a JSON array or one object, or lines of an access log; .gz and .zst are unpacked; - is standard input."`
}

// Help shows the examples and the exit statuses.
func (classifyCommand) Help() string {
	return `Records are read in order; what earlier ones show (a jti used before, a token accepted before) counts for later ones. Nothing is stored and nothing leaves the machine.

    authwatch classify access.ndjson
    zcat access.ndjson.gz | authwatch classify --output ndjson - | jq .cause

Exit status: 0 no failures, 1 failures found, 2 the input could not be read.`
}

// Run judges every record of the input.
func (c *classifyCommand) Run(ctx context.Context, p *program) error {
	classifier, err := c.classifier()
	if err != nil {
		return err
	}
	redactor, err := c.redactor()
	if err != nil {
		return err
	}
	input, err := openInput(c.File, p.stdin)
	if err != nil {
		return usageError("%w", err)
	}
	defer input.Close()
	j := &judge{classifier: classifier, history: newMemory(), seen: map[string]bool{}, out: newVerdictWriter(c.Output, p)}
	if err := j.read(ctx, input, redactor, p.stderr); err != nil {
		return usageError("%w", err)
	}
	if err := j.out.finish(j.counts); err != nil {
		return fmt.Errorf("write the verdicts: %w", err)
	}
	switch {
	case j.records == 0 && j.bad > 0:
		return usageError("no readable record: expected native records as JSON objects, one a line, each with an RFC 3339 \"time\"")
	case j.failures > 0:
		return &exitError{Status: exitNotOK}
	}
	return nil
}

// counts are the figures of one run.
type counts struct {
	records  int // readable ones
	bad      int
	repeated int // failures delivered more than once
	accepted int
	failures int
	causes   map[classify.Code]int
}

// A judge classifies a stream of records and remembers what history needs.
type judge struct {
	counts
	classifier *classify.Classifier
	history    *memory
	seen       map[string]bool // ids of judged failures: a line delivered twice is one failure
	out        verdictWriter
}

// read judges the records of in and reports the bad ones by line and reason, never with their text.
func (j *judge) read(ctx context.Context, in io.Reader, redactor *ingest.Redactor, stderr io.Writer) error {
	documents := newDocumentReader(in)
	for {
		doc, err := documents.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the records: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if doc.tooLong {
			j.bad++
			fmt.Fprintf(stderr, "line %d: record_too_large: a line may hold at most %d MiB\n", doc.line, maxDocument>>20)
			continue
		}
		if doc.whole && bundle.IsBundle(doc.text) {
			if err := j.bundle(doc.text, redactor); err != nil {
				return err
			}
			continue
		}
		records, bad := ingest.Decode(doc.text, redactor)
		for _, b := range bad {
			j.bad++
			fmt.Fprintf(stderr, "line %d%s: %s: %s\n", doc.line, place(b, doc), b.Code, printable(b.Detail))
		}
		for i := range records {
			if err := j.record(&records[i].Record); err != nil {
				return err
			}
		}
	}
}

// place points into a document of several records.
func place(b ingest.RecordError, doc document) string {
	text := ""
	if doc.whole {
		text = fmt.Sprintf(", record %d", b.Index)
	}
	if b.Pointer != "" {
		text += " at " + printable(b.Pointer)
	}
	return text
}

func (j *judge) record(r *classify.Record) error {
	j.records++
	e := j.classifier.Locate(r)
	switch e.Outcome {
	case classify.Accepted:
		j.accepted++
	case classify.Failed:
		v := classify.Classify(e, j.history.lookup(e.Keys()))
		if v.ID != "" && j.seen[v.ID] {
			j.repeated++
			return nil
		}
		j.seen[v.ID] = true
		if err := j.tell(v); err != nil {
			return err
		}
	}
	j.history.observe(r.Time, e.Facts())
	return nil
}

// tell counts and writes one verdict.
func (j *judge) tell(v classify.Verdict) error {
	j.failures++
	if j.causes == nil {
		j.causes = map[classify.Code]int{}
	}
	j.causes[v.Cause]++
	if err := j.out.write(v); err != nil {
		return fmt.Errorf("write the verdicts: %w", err)
	}
	return nil
}

// A memory is the history of one run. It forgets facts that cannot matter any more, so that a long file does not fill the machine.
type memory struct {
	facts classify.History
	sweep int // size at which the next sweep is due
}

func newMemory() *memory { return &memory{facts: classify.History{}, sweep: 100_000} }

func (m *memory) lookup(keys []classify.Key) classify.History {
	found := make(classify.History, len(keys))
	for _, k := range keys {
		if f, ok := m.facts[k]; ok {
			found[k] = f
		}
	}
	return found
}

func (m *memory) observe(at time.Time, facts []classify.Fact) {
	m.facts.Observe(facts)
	if len(m.facts) < m.sweep {
		return
	}
	const late = time.Hour // files merged from several hosts are not quite in order
	for k, f := range m.facts {
		if !f.Expires.IsZero() && f.Expires.Before(at.Add(-late)) {
			delete(m.facts, k)
		}
	}
	m.sweep = max(100_000, 2*len(m.facts))
}

// openInput opens the file, or standard input for "-".
func openInput(path string, stdin io.Reader) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(stdin), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return decompress(path, file)
}
