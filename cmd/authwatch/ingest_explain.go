package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"authwatch/classify"
	"authwatch/ingest"
)

// mappingFlag names files that say where logs of one's own formats keep things.
type mappingFlag struct {
	Mapping []string `placeholder:"FILE" sep:"none" help:"Mapping of a log format of one's own; may be repeated."`
}

// redactor is that of one run: its fingerprints mean nothing in another.
func (f mappingFlag) redactor() (*ingest.Redactor, error) {
	redactor, err := ingest.NewRedactor(randomKey())
	if err != nil {
		return nil, fmt.Errorf("prepare redaction: %w", err)
	}
	return f.mapped(redactor)
}

// mapped gives a redactor the mappings.
func (f mappingFlag) mapped(r *ingest.Redactor) (*ingest.Redactor, error) {
	for _, path := range f.Mapping {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError("read mapping: %w", err)
		}
		list, err := ingest.ReadMappings(path, text)
		if err != nil {
			return nil, &exitError{Status: exitUsage, Err: err}
		}
		r = r.WithMappings(list)
	}
	return r, nil
}

type ingestExplainCommand struct {
	mappingFlag
	profileFlag
	Source string `placeholder:"NAME" help:"Name of the ingest key, for mappings that are for one source."`
	Limit  int    `default:"20" help:"Records to explain, at most (default: ${default})."`
	Output string `default:"text" enum:"text,json" help:"Form of the explanation: ${enum} (default: ${default})."`
	File   string `arg:"" optional:"" default:"-" help:"A sample of the log; .gz and .zst are unpacked; - is standard input."`
}

// Help shows the examples and the exit statuses.
func (ingestExplainCommand) Help() string {
	return `Shows for each record where every field was found and by which format or mapping, what was ignored, the record as it would be stored, without secrets, and the verdict if it is a failure. Nothing is sent.

    authwatch ingest explain access.log
    tail -n 1 app.log | authwatch ingest explain --mapping mine.yaml --output json

Exit status: 0 every record was understood, 1 some were not, 2 usage.`
}

// An explained record is one line of --output json.
type explained struct {
	Line int `json:"line"` // where the document of the record begins in the file
	ingest.Explanation
	Outcome classify.Outcome  `json:"outcome,omitempty"`
	Verdict *classify.Verdict `json:"verdict,omitempty"`
}

// Run explains the sample.
func (c *ingestExplainCommand) Run(p *program) error {
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
	x := &explainer{classifier: classifier, history: newMemory(), redactor: redactor.ForSource(c.Source), out: bufio.NewWriter(p.stdout), colour: p.palette(), json: c.Output == "json"}
	if err := x.read(input, c.Limit); err != nil {
		return usageError("%w", err)
	}
	if err := x.out.Flush(); err != nil {
		return fmt.Errorf("write the explanation: %w", err)
	}
	if x.bad > 0 || x.records == 0 {
		return &exitError{Status: exitNotOK}
	}
	return nil
}

// An explainer writes how records are read.
type explainer struct {
	classifier *classify.Classifier
	history    *memory
	redactor   *ingest.Redactor
	out        *bufio.Writer
	colour     palette
	json       bool
	records    int
	bad        int
}

func (x *explainer) read(in io.Reader, limit int) error {
	documents := newDocumentReader(in)
	for x.records < limit {
		doc, err := documents.next(nil)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the sample: %w", err)
		}
		for _, e := range ingest.Explain(doc.text, x.redactor) {
			if x.records == limit {
				return nil
			}
			x.records++
			if err := x.write(x.judge(explained{Line: doc.line, Explanation: e})); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge adds what the record means for authentication.
func (x *explainer) judge(e explained) explained {
	if e.Record == nil {
		x.bad++
		return e
	}
	exchange := x.classifier.Locate(e.Record)
	e.Outcome = exchange.Outcome
	if e.Outcome == classify.Failed {
		v := classify.Classify(exchange, x.history.lookup(exchange.Keys()))
		e.Verdict = &v
	}
	x.history.observe(e.Record.Time, exchange.Facts())
	return e
}

func (x *explainer) write(e explained) error {
	if x.json {
		text, err := encodeLine(e)
		if err != nil {
			return fmt.Errorf("encode the explanation of line %d: %w", e.Line, err)
		}
		x.out.WriteString(printableJSON(text) + "\n")
		return nil
	}
	return x.text(e)
}

// text is an explanation for people.
func (x *explainer) text(e explained) error {
	c := x.colour
	fmt.Fprintf(x.out, "%s\n", c.bold(fmt.Sprintf("line %d, record %d", e.Line, e.Index)))
	table := tabwriter.NewWriter(x.out, 0, 0, 2, ' ', 0)
	for _, f := range e.Found {
		from := f.Path
		if from == "" {
			from = "(constant)"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", printable(f.Field), printable(from), printable(f.By))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(e.Ignored) > 0 {
		fmt.Fprintf(x.out, "  %s %s\n", c.dim("ignored:"), printable(strings.Join(e.Ignored, ", ")))
	}
	if e.Error != nil {
		at := ""
		if e.Error.Pointer != "" {
			at = " at " + e.Error.Pointer
		}
		fmt.Fprintf(x.out, "  %s %s%s: %s\n\n", c.red("rejected:"), printable(e.Error.Code), printable(at), printable(e.Error.Detail))
		return nil
	}
	record, err := encodeLine(e.Record)
	if err != nil {
		return fmt.Errorf("encode the record of line %d: %w", e.Line, err)
	}
	fmt.Fprintf(x.out, "  %s %s\n", c.dim("record:"), printableJSON(record))
	fmt.Fprintf(x.out, "  %s %s\n\n", c.dim("means:"), x.meaning(e))
	return nil
}

// meaning says in words what becomes of the record.
func (x *explainer) meaning(e explained) string {
	switch {
	case e.LogLine:
		return "no HTTP exchange; counted, not stored"
	case e.Verdict != nil:
		return fmt.Sprintf("auth failure: %s, %s. %s", x.colour.red(string(e.Verdict.Cause)), e.Verdict.Confidence, printable(e.Verdict.Summary))
	case e.Outcome == classify.Accepted:
		return x.colour.green("accepted") + "; kept as history"
	}
	return "says nothing about authentication; counted, not stored"
}

func encodeLine(v any) (string, error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(line.String(), "\n"), nil
}
