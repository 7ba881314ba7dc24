package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// A verdictForm is one form of --output.
type verdictForm struct {
	ndjson bool
	colour palette
}

// write writes one verdict.
func (w verdictForm) write(out *bytes.Buffer, v *classify.Verdict) error {
	if !w.ndjson {
		w.block(out, v)
		return nil
	}
	from := out.Len()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode verdict %q: %w", v.ID, err)
	}
	line := out.Bytes()[from : out.Len()-1]
	if slices.ContainsFunc(line, func(c byte) bool { return c < ' ' || c > '~' }) {
		text := printableJSON(string(line))
		out.Truncate(from)
		out.WriteString(text + "\n")
	}
	return nil
}

// block is a verdict for people: when, what, who; why; what to do.
func (w verdictForm) block(out *bytes.Buffer, v *classify.Verdict) {
	c := w.colour
	fmt.Fprintf(out, "%s  %s  %s  %s\n", v.Time.UTC().Format(time.RFC3339), c.bold(c.red(string(v.Cause))),
		w.confidence(v.Confidence), printable(subject(v)))
	if v.Summary != "" {
		fmt.Fprintf(out, "    %s\n", printable(v.Summary))
	}
	for _, e := range v.Fix.Edits {
		fmt.Fprintf(out, "    %s %s\n", c.dim("fix:"), printable(editText(e)))
	}
	if len(v.Fix.Edits) == 0 && len(v.Fix.Steps) > 0 {
		fmt.Fprintf(out, "    %s %s\n", c.dim("fix:"), printable(v.Fix.Steps[0]))
	}
	if len(v.Alternatives) > 0 {
		fmt.Fprintf(out, "    %s %s\n", c.dim("or:"), alternatives(v.Alternatives))
	}
}

func (w verdictForm) confidence(level classify.Confidence) string {
	switch level {
	case classify.Proven:
		return w.colour.green(string(level))
	case classify.Stated:
		return string(level)
	}
	return w.colour.yellow(string(level))
}

// subject says where it happened, leaving out what is not known.
func subject(v *classify.Verdict) string {
	place := strings.Trim(v.Provider+"/"+v.Environment, "/")
	return strings.TrimSpace(strings.Join([]string{place, v.ClientID}, "  "))
}

func editText(e classify.Edit) string {
	if e.Value == nil {
		return e.Op + " " + e.Path
	}
	var value bytes.Buffer
	enc := json.NewEncoder(&value)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e.Value); err != nil {
		return e.Op + " " + e.Path
	}
	return fmt.Sprintf("%s %s = %s", e.Op, e.Path, strings.TrimSpace(value.String()))
}

func alternatives(list []classify.Alternative) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = string(a.Cause)
	}
	return strings.Join(names, ", ")
}

// finish writes the figures of the run, for people only.
func (w *verdictWriter) finish(n counts) error {
	w.shown.clear()
	if w.ndjson {
		return nil
	}
	var out bytes.Buffer
	if n.failures > 0 {
		fmt.Fprintln(&out)
	}
	causes := slices.Collect(maps.Keys(n.causes))
	slices.SortFunc(causes, func(a, b classify.Code) int {
		return cmp.Or(cmp.Compare(n.causes[b], n.causes[a]), cmp.Compare(a, b))
	})
	for _, code := range causes {
		fmt.Fprintf(&out, "%7d  %s\n", n.causes[code], code)
	}
	fmt.Fprintf(&out, "%s in %s, %s accepted", plural(n.failures, "auth failure"), plural(n.records, "record"), number(n.accepted))
	if n.repeated > 0 {
		fmt.Fprintf(&out, ", %s repeated", number(n.repeated))
	}
	if n.bad > 0 {
		fmt.Fprintf(&out, ", %s unreadable", number(n.bad))
	}
	fmt.Fprintln(&out)
	_, err := w.stdout.Write(out.Bytes())
	return err
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return number(n) + " " + noun
}

// number groups digits by thousands.
func number(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
