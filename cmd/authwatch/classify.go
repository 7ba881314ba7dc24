package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
	j := &judge{classifier: classifier, history: newMemory(), out: newVerdictWriter(c.Output, p), shown: newProgress(p)}
	if err := j.read(ctx, input, redactor, p.stderr); err != nil {
		return usageError("%w", err)
	}
	j.shown.clear()
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
	met        metSet
	out        verdictWriter
	shown      *progress
}

// read judges the records of in, in their order, and reports the bad ones by line and reason, never with their text.
func (j *judge) read(ctx context.Context, in io.Reader, redactor *ingest.Redactor, stderr io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for group := range readAhead(ctx, newDocumentReader(in), func(doc document) []located { return j.locate(doc, redactor) }) {
		done := <-group
		for n := range done.documents {
			if err := j.document(&done.documents[n], redactor, stderr); err != nil {
				return err
			}
		}
		if done.err != nil && !errors.Is(done.err, io.EOF) {
			return fmt.Errorf("read the records: %w", done.err)
		}
		j.shown.at(j.records)
	}
	return ctx.Err()
}

// located is a record with its exchange and what it adds to history, or why it was not read.
type located struct {
	exchange classify.Exchange
	facts    []classify.Fact
	bad      *ingest.RecordError
}

// locate reads the records of a document. It only reads, so that any number of documents can be read at once.
func (j *judge) locate(doc document, redactor *ingest.Redactor) []located {
	if doc.tooLong || doc.whole && bundle.IsBundle(doc.text) {
		return nil
	}
	records, bad := ingest.Decode(doc.text, redactor)
	list := make([]located, 0, len(records)+len(bad))
	for n := range bad {
		list = append(list, located{bad: &bad[n]})
	}
	for n := range records {
		e := j.classifier.Locate(&records[n].Record)
		list = append(list, located{exchange: e, facts: e.Facts()})
	}
	return list
}

// document judges what was read of a document.
func (j *judge) document(doc *readDocument, redactor *ingest.Redactor, stderr io.Writer) error {
	switch {
	case doc.tooLong:
		j.bad++
		j.shown.clear()
		fmt.Fprintf(stderr, "line %d: record_too_large: a line may hold at most %d MiB\n", doc.line, maxDocument>>20)
		return nil
	case doc.whole && bundle.IsBundle(doc.text):
		return j.bundle(doc.text, redactor)
	}
	for n := range doc.records {
		r := &doc.records[n]
		if r.bad != nil {
			j.bad++
			j.shown.clear()
			fmt.Fprintf(stderr, "line %d%s: %s: %s\n", doc.line, place(*r.bad, doc.document), r.bad.Code, printable(r.bad.Detail))
			continue
		}
		if err := j.record(r); err != nil {
			return err
		}
	}
	return nil
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

func (j *judge) record(r *located) error {
	j.records++
	e := &r.exchange
	switch e.Outcome {
	case classify.Accepted:
		j.accepted++
	case classify.Failed:
		v := classify.Classify(*e, j.history.lookup(e.Keys()))
		if v.ID != "" && !j.met.add(v.ID) {
			j.repeated++
			return nil
		}
		if err := j.tell(v); err != nil {
			return err
		}
	}
	j.history.observe(e.Record.Time, r.facts)
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
