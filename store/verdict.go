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
	b     []byte // what is written
	err   error
	parts *verdictParts // in whose place the verdict is written in brief; nil to write the whole
}

// write appends the text of a verdict to b, in brief when it is given parts.
func (w *verdictWriter) write(b []byte, v *classify.Verdict, parts *verdictParts) ([]byte, error) {
	w.b, w.err, w.parts = append(b, '{'), nil, parts
	w.textIfAny(`"provider":"`, v.Provider)
	w.textIfAny(`"environment":"`, v.Environment)
	w.textIfAny(`"client_id":"`, v.ClientID)
	w.text(`"phase":"`, string(v.Phase))
	w.text(`"cause":"`, string(v.Cause))
	w.text(`"confidence":"`, string(v.Confidence))
	w.text(`"fault":"`, string(v.Fault))
	w.text(`"summary":"`, v.Summary)
	if w.begin(`"evidence":`, v.Evidence == nil) {
		for i := range v.Evidence {
			w.evidence(&v.Evidence[i])
		}
		w.end("],")
	}
	if w.begin(`"checks":`, v.Checks == nil) {
		for _, c := range v.Checks {
			w.sharedCheck(c)
		}
		w.end("],")
	}
	if w.begin(`"alternatives":`, v.Alternatives == nil) {
		for i := range v.Alternatives {
			w.text(`{"cause":"`, string(v.Alternatives[i].Cause))
			w.text(`"confidence":"`, string(v.Alternatives[i].Confidence))
			w.end("},")
		}
		w.end("],")
	}
	w.fix(&v.Fix)
	w.end("}")
	b, w.b = w.b, nil
	return b, w.err
}

func (w *verdictWriter) evidence(e *classify.Evidence) {
	w.text(`{"witness":"`, string(e.Witness))
	w.textIfAny(`"path":"`, e.Path)
	w.value(`"observed":`, e.Observed)
	w.value(`"expected":`, e.Expected)
	w.text(`"detail":"`, e.Detail)
	w.textIfAny(`"cause":"`, string(e.Cause))
	w.end("},")
}

func (w *verdictWriter) check(c *classify.Check) {
	w.text(`{"check":"`, c.Check)
	w.text(`"result":"`, string(c.Result))
	w.textIfAny(`"path":"`, c.Path)
	w.text(`"detail":"`, c.Detail)
	w.end("},")
}

func (w *verdictWriter) fix(f *classify.Fix) {
	w.name(`"fix":{`)
	if len(f.Edits) > 0 && w.begin(`"edits":`, false) {
		for i := range f.Edits {
			e := &f.Edits[i]
			w.text(`{"op":"`, e.Op)
			w.text(`"path":"`, e.Path)
			w.value(`"value":`, e.Value)
			w.end("},")
		}
		w.end("],")
	}
	w.name(`"verified":`)
	w.b = append(strconv.AppendBool(w.b, f.Verified), ',')
	if len(f.NotCheckable) > 0 {
		w.sharedTexts(`"not_checkable":`, f.NotCheckable)
	}
	w.sharedTexts(`"steps":`, f.Steps)
	w.end("},")
}

// sharedCheck writes a check, which verdicts share.
func (w *verdictWriter) sharedCheck(c *classify.Check) {
	if w.parts == nil {
		w.check(c)
		return
	}
	if brief, known := w.parts.checks[c]; known {
		w.b = append(w.b, brief...)
		return
	}
	begin := len(w.b)
	w.check(c)
	if brief, ok := w.shorten(begin); ok {
		w.parts.checks[c] = brief
	}
}

// shorten writes what was written from begin on in brief.
func (w *verdictWriter) shorten(begin int) (brief string, ok bool) {
	if brief, ok = w.parts.brief(w.b[begin:]); ok {
		w.b = append(w.b[:begin], brief...)
	}
	return brief, ok
}

// sharedTexts writes a list that most verdicts take from where others did.
func (w *verdictWriter) sharedTexts(name string, list []string) {
	if w.parts == nil || len(list) == 0 {
		w.texts(name, list)
		return
	}
	w.name(name)
	if brief, known := w.parts.list(list); known {
		w.b = append(w.b, brief...)
		return
	}
	begin := len(w.b)
	w.texts("", list)
	if brief, ok := w.shorten(begin); ok {
		w.parts.keepList(list, brief)
	}
}

func (w *verdictWriter) name(s string) { w.b = append(w.b, s...) }

// begin begins a list, unless there is none.
func (w *verdictWriter) begin(name string, none bool) bool {
	w.name(name)
	if none {
		w.b = append(w.b, `null,`...)
		return false
	}
	w.b = append(w.b, '[')
	return true
}

// end ends an object or a list, in the place of the comma after its last member.
func (w *verdictWriter) end(mark string) {
	if last := len(w.b) - 1; w.b[last] == ',' {
		w.b = w.b[:last]
	}
	w.b = append(w.b, mark...)
}

// text writes a text, whose name comes with the quote before it.
func (w *verdictWriter) text(name, s string) {
	w.b = append(appendEscaped(append(w.b, name...), s), '"', ',')
}

func (w *verdictWriter) textIfAny(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *verdictWriter) texts(name string, list []string) {
	if w.begin(name, list == nil) {
		for _, s := range list {
			w.text(`"`, s)
		}
		w.end("],")
	}
}

// value writes what may be of any type; nil is left out.
func (w *verdictWriter) value(name string, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		w.name(name)
		w.text(`"`, v)
	case []string:
		w.texts(name, v)
	case int:
		w.integer(name, int64(v))
	case int64:
		w.integer(name, v)
	default:
		w.name(name)
		text, err := json.Marshal(v)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.b = append(append(w.b, text...), ',')
	}
}

func (w *verdictWriter) integer(name string, n int64) {
	w.name(name)
	w.b = append(strconv.AppendInt(w.b, n, 10), ',')
}

// appendEscaped appends a text as it stands between the quotes of a JSON string. Bytes that are no UTF-8 become the replacement character.
func appendEscaped(b []byte, s string) []byte {
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
	return append(b, s[plain:]...)
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
