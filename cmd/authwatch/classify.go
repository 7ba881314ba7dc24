package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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

Exit status: 0 no failures, 1 failures found, 2 the input could not be read or the verdicts not written.`
}

// Run judges every record of the input.
func (c *classifyCommand) Run(ctx context.Context, p *program) error {
	profiles, err := c.profiles()
	if err != nil {
		return err
	}
	documented := classify.NewKnowledge(classify.DocumentedTexts())
	redactor, err := c.redactor()
	if err != nil {
		return err
	}
	input, err := openInput(c.File, p.stdin)
	if err != nil {
		return usageError("%w", err)
	}
	defer input.Close()
	settleMemory(p.getenv, grantedAlone)
	j, out := &judge{memory: newMemory(), documented: documented, redactor: redactor}, newVerdictWriter(c.Output, p)
	if err := j.run(ctx, input, ingest.NewReader(profiles, documented, redactor), out); err != nil {
		return usageError("%w", err)
	}
	if err := out.finish(j.counts); err != nil {
		return usageError("write the verdicts: %w", err)
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
	memory     *memory
	met        metSet
	documented *classify.Knowledge
	redactor   *ingest.Redactor
}

// run reads records on all cores, judges them in their order and writes what that comes to, all three beside each other. The bad ones are
// reported by line and reason, never with their text.
func (j *judge) run(ctx context.Context, in io.Reader, reader *ingest.Reader, out *verdictWriter) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	groups := newGroups()
	read := readAhead(ctx, newDocumentReader(in), groups, func(g *group) { g.read(reader) })
	for next := range j.judgeAhead(ctx, read, groups, out.verdictForm) {
		if err := out.writeGroup(<-next); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// group judges what was read of some documents, in their order.
func (j *judge) group(g *group) (list []told, err error) {
	g.facts.recall(j.memory)
	for n := range g.documents {
		doc := &g.documents[n]
		switch {
		case doc.tooLong:
			j.bad++
			list = append(list, told{complaint: fmt.Sprintf("line %d: record_too_large: a line may hold at most %d MiB\n", doc.line, maxDocument>>20)})
		case doc.bundle:
			if list, err = j.bundle(doc.text, list); err != nil {
				return list, err
			}
		default:
			list = j.document(g, doc, list)
		}
	}
	if g.err != nil && !errors.Is(g.err, io.EOF) {
		return list, fmt.Errorf("read the records: %w", g.err)
	}
	return list, nil
}

// document judges the records of one.
func (j *judge) document(g *group, doc *readDocument, list []told) []told {
	for n := doc.from; n < doc.to; n++ {
		r := &g.readings.List[n]
		if r.Bad != nil {
			j.bad++
			list = append(list, told{complaint: fmt.Sprintf("line %d%s: %s: %s\n", doc.line, place(*r.Bad, doc.document), r.Bad.Code, printable(r.Bad.Detail))})
			continue
		}
		j.records++
		said := &g.said[n]
		switch r.Outcome {
		case classify.Accepted:
			j.accepted++
		case classify.Failed:
			if r.Exchange.Record.ID != "" && !j.met.add(said.id) {
				j.repeated++
				continue
			}
			list = append(list, told{})
			v := &list[len(list)-1].verdict
			classify.Judge(&r.Exchange, g.facts.held(said.asked), v)
			j.count(v)
		}
		g.facts.observe(r, said)
	}
	return list
}

// count adds a verdict to the figures.
func (j *judge) count(v *classify.Verdict) {
	j.failures++
	if j.causes == nil {
		j.causes = map[classify.Code]int{}
	}
	j.causes[v.Cause]++
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
