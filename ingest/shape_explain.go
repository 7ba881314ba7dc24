package ingest

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"authwatch/classify"
)

// An Explanation says how one log record was read.
type Explanation struct {
	Index   int              `json:"index"`            // of the record in its body, from 0
	Found   []FoundField     `json:"found"`            // in the order of being found
	Ignored []string         `json:"ignored"`          // dotted paths of what was not looked at, sorted
	LogLine bool             `json:"log_line"`         // it is no HTTP exchange: counted and left
	Record  *classify.Record `json:"record,omitempty"` // redacted; nil when there is an error
	Error   *RecordError     `json:"error,omitempty"`
}

// A FoundField is where a native field came from. It holds no value.
type FoundField struct {
	Field string `json:"field"` // dotted native path
	Path  string `json:"path"`  // where it stood in the log record, dotted; "" for a constant
	By    string `json:"by"`    // "native", the name of a log format, or "mapping " and its name
}

// maxIgnored is how many ignored paths are named for a record.
const maxIgnored = 200

// Explain reads a body as Decode does and says of each record how it was read.
func Explain(body []byte, red *Redactor) []Explanation {
	var out []Explanation
	s := newSplitter(body)
	for index := 0; ; index++ {
		p, more := s.next()
		if !more {
			return out
		}
		e := Explanation{Index: index, Found: []FoundField{}, Ignored: []string{}}
		d, f := red.decodePart(p, func(members map[string]any) (decoded, *fault) {
			log := red.shapes.native(members)
			e.LogLine = log.logLine
			red.explain(&e, log, members)
			return red.decodeShaped(log)
		})
		if f != nil {
			bad := f.at(index)
			e.Error = &bad
		} else {
			e.Record = d.record
		}
		out = append(out, e)
	}
}

// explain notes what was found and what was not. Names of members are text from a log, and redacted as such.
func (r *Redactor) explain(e *Explanation, log shaped, members map[string]any) {
	w := &walk{Redactor: r}
	trace, levels := log.trace, log.levels
	if len(levels) == 0 { // a native record: shapes had nothing to do
		g := &gathering{shapes: r.shapes, fields: map[string]any{}}
		g.copyNative(members)
		trace, levels = g.trace, []level{{members: members}}
	}
	used := map[string]bool{}
	for _, f := range trace {
		used[f.Path] = true
		e.Found = append(e.Found, FoundField{Field: w.text(f.Field), Path: w.text(f.Path), By: f.By})
	}
	for _, l := range levels {
		used[strings.TrimSuffix(l.path, ".")] = true
	}
	for _, l := range levels {
		for path := range leaves(l.members, l.path, used) {
			if len(e.Ignored) < maxIgnored {
				e.Ignored = append(e.Ignored, w.text(path))
			}
		}
	}
	slices.Sort(e.Ignored)
	e.Ignored = slices.Compact(e.Ignored)
}

// leaves are the dotted paths of all values that are not used and not below a used one.
func leaves(members map[string]any, prefix string, used map[string]bool) map[string]bool {
	out := map[string]bool{}
	for name, v := range members {
		path := prefix + name
		if used[path] {
			continue
		}
		switch inner := v.(type) {
		case map[string]any:
			maps.Copy(out, leaves(inner, path+".", used))
		case []any:
			if len(inner) > 0 && !isScalar(inner[0]) {
				maps.Copy(out, leaves(indexed(inner), path+".", used))
				continue
			}
			out[path] = true
		default:
			out[path] = true
		}
	}
	return out
}

func indexed(list []any) map[string]any {
	out := make(map[string]any, len(list))
	for i, v := range list {
		out[strconv.Itoa(i)] = v
	}
	return out
}

// Cut takes a body apart as Decode does: the text of each record, or why there is none at that place.
func Cut(body []byte) iter.Seq2[[]byte, *RecordError] {
	return func(yield func([]byte, *RecordError) bool) {
		s := newSplitter(body)
		for n := 0; ; n++ {
			p, more := s.next()
			if !more {
				return
			}
			var bad *RecordError
			if p.fault != nil {
				of := p.fault.at(n)
				bad = &of
			}
			if !yield(p.raw, bad) {
				return
			}
		}
	}
}

// CountRecords says how many records Decode finds in a body, good and bad.
func CountRecords(body []byte) (n int) {
	for range Cut(body) {
		n++
	}
	return n
}
