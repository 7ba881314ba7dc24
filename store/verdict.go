package store

import (
	"encoding/json"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"authwatch/classify"
)

// A verdictWriter writes the JSON of a verdict as encoding/json would, but for the escapes of texts, in a fraction of the
// time: a verdict is written for every failure. What is read back is equal in every field but id and time, which the row knows.
type verdictWriter struct {
	b     []byte
	first bool // no member was written yet
	err   error

	checks map[*classify.Check]string // those without a digit, as they are written: verdicts share them
	plain  []stretch                  // where they are in b
}

// mostChecks are remembered; beyond that all are forgotten.
const mostChecks = 500

func newVerdictWriter() *verdictWriter {
	return &verdictWriter{checks: map[*classify.Check]string{}}
}

// write returns the text of a verdict, which is good until the next one.
func (w *verdictWriter) write(v *classify.Verdict) ([]byte, error) {
	w.b, w.plain, w.err = w.b[:0], w.plain[:0], nil
	w.object(func() {
		w.textIfAny("provider", v.Provider)
		w.textIfAny("environment", v.Environment)
		w.textIfAny("client_id", v.ClientID)
		w.text("phase", string(v.Phase))
		w.text("cause", string(v.Cause))
		w.text("confidence", string(v.Confidence))
		w.text("fault", string(v.Fault))
		w.text("summary", v.Summary)
		writeList(w, "evidence", v.Evidence, w.evidence)
		w.checkList(v.Checks)
		writeList(w, "alternatives", v.Alternatives, func(a *classify.Alternative) {
			w.text("cause", string(a.Cause))
			w.text("confidence", string(a.Confidence))
		})
		w.name("fix")
		w.object(func() { w.fix(&v.Fix) })
	})
	return w.b, w.err
}

func (w *verdictWriter) evidence(e *classify.Evidence) {
	w.text("witness", string(e.Witness))
	w.textIfAny("path", e.Path)
	w.value("observed", e.Observed)
	w.value("expected", e.Expected)
	w.text("detail", e.Detail)
	w.textIfAny("cause", string(e.Cause))
}

func (w *verdictWriter) fix(f *classify.Fix) {
	if len(f.Edits) > 0 {
		writeList(w, "edits", f.Edits, func(e *classify.Edit) {
			w.text("op", e.Op)
			w.text("path", e.Path)
			w.value("value", e.Value)
		})
	}
	w.name("verified")
	w.b = strconv.AppendBool(w.b, f.Verified)
	if len(f.NotCheckable) > 0 {
		w.texts("not_checkable", f.NotCheckable)
	}
	w.texts("steps", f.Steps)
}

// checkList writes checks. Nearly all without a digit were written before, and the others mostly say what only this record says.
func (w *verdictWriter) checkList(list []*classify.Check) {
	w.name("checks")
	if list == nil {
		w.b = append(w.b, `null`...)
		return
	}
	w.b = append(w.b, '[')
	for i, c := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		begin := len(w.b)
		if text, known := w.checks[c]; known {
			w.b = append(w.b, text...)
			w.notePlain(begin)
			continue
		}
		w.object(func() { w.check(c) })
		if text := w.b[begin:]; nextDigit(text, 0) == len(text) {
			if len(w.checks) >= mostChecks {
				clear(w.checks)
			}
			w.checks[c] = string(text)
		}
	}
	w.b = append(w.b, ']')
}

func (w *verdictWriter) check(c *classify.Check) {
	w.text("check", c.Check)
	w.text("result", string(c.Result))
	w.textIfAny("path", c.Path)
	w.text("detail", c.Detail)
}

// notePlain says that what was written from begin on holds no digit, nor the comma before it.
func (w *verdictWriter) notePlain(begin int) {
	if last := len(w.plain) - 1; last >= 0 && w.plain[last].to == begin-1 {
		w.plain[last].to = len(w.b)
		return
	}
	w.plain = append(w.plain, stretch{begin, len(w.b)})
}

func (w *verdictWriter) object(members func()) {
	w.b, w.first = append(w.b, '{'), true
	members()
	w.b, w.first = append(w.b, '}'), false
}

func (w *verdictWriter) name(s string) {
	if !w.first {
		w.b = append(w.b, ',')
	}
	w.first = false
	w.b = append(append(append(w.b, '"'), s...), '"', ':')
}

func (w *verdictWriter) text(name, s string) {
	w.name(name)
	w.b = appendText(w.b, s)
}

func (w *verdictWriter) textIfAny(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *verdictWriter) texts(name string, list []string) {
	w.name(name)
	if list == nil {
		w.b = append(w.b, `null`...)
		return
	}
	w.b = append(w.b, '[')
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = appendText(w.b, s)
	}
	w.b = append(w.b, ']')
}

// value writes what may be of any type; nil is left out.
func (w *verdictWriter) value(name string, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		w.text(name, v)
	default:
		w.name(name)
		text, err := json.Marshal(v)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.b = append(w.b, text...)
	}
}

func writeList[T any](w *verdictWriter, name string, list []T, members func(*T)) {
	w.name(name)
	if list == nil {
		w.b = append(w.b, `null`...)
		return
	}
	w.b = append(w.b, '[')
	for i := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.object(func() { members(&list[i]) })
	}
	w.b = append(w.b, ']')
}

// appendText appends a JSON string. Bytes that are no UTF-8 become the replacement character.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0 // where the text begins that is not written yet
	for i := plainEnd(s, 0); i < len(s); i = plainEnd(s, i) {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[plain:i]...), "\uFFFD"...)
				plain = i + 1
			}
			i += size
			continue
		}
		const hex = "0123456789abcdef"
		b = append(b, s[plain:i]...)
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			b = append(b, '\\', c)
		}
		i++
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}

// plainEnd is the index of the first byte from i on that does not stand for itself in a JSON string of ASCII, or the length.
// It looks at eight bytes at a time.
func plainEnd(s string, i int) int {
	const ones = ^uint64(0) / 255
	for ; i+8 <= len(s); i += 8 {
		x := eightBytes(s, i)
		quote, escape := x^('"'*ones), x^('\\'*ones)
		// The lowest bit that is set is right; above it a borrow can set others.
		if stop := ((quote-ones)&^quote | (escape-ones)&^escape | (x-' '*ones)&^x | x) & (128 * ones); stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// eightBytes is the text from i on as a number, its first byte the lowest.
func eightBytes(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
