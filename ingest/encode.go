package ingest

import (
	"encoding/json"
	"math/bits"
	"strconv"
	"time"
	"unicode/utf8"

	"authwatch/classify"
)

// appendRecord writes a record as json.Marshal does, but for the escapes that only a page of HTML needs. ok is false for a
// value that no decoder of ours makes.
func appendRecord(b []byte, r *classify.Record) (out []byte, ok bool) {
	e := encoder{b: b, ok: true}
	e.record(r)
	return e.b, e.ok
}

func (e *encoder) record(r *classify.Record) {
	e.begin(r.Time)
	for _, field := range [...]struct{ name, text string }{
		{`"id":`, r.ID}, {`"provider":`, r.Provider}, {`"environment":`, r.Environment}, {`"service":`, r.Service}, {`"client_id":`, r.ClientID},
		{`"request_id":`, r.RequestID}, {`"trace_id":`, r.TraceID}, {`"client_ip":`, r.ClientIP}, {`"user_agent":`, r.UserAgent},
	} {
		e.field(field.name, field.text)
	}
	if q := r.Request; q != nil {
		e.open(`"request":`)
		e.field(`"method":`, q.Method)
		e.field(`"url":`, q.URL)
		e.headers(q.Headers)
		e.body(q.Body)
		e.close()
	}
	if a := r.Response; a != nil {
		e.open(`"response":`)
		e.status(a.Status)
		e.headers(a.Headers)
		e.body(a.Body)
		e.close()
	}
	e.token(`"client_assertion":`, r.ClientAssertion)
	e.token(`"access_token":`, r.AccessToken)
	e.field(`"error":`, r.Error)
	e.close()
}

// An encoder appends JSON to b.
type encoder struct {
	b    []byte
	ok   bool
	last *Redactor // whose last net looks at each text that is written; nil for none
	hold bool      // something was written in which that net could catch something
}

func (e *encoder) text(s string) {
	e.look(s)
	e.b = appendText(e.b, s)
}

func (e *encoder) look(s string) {
	if e.last != nil && !e.hold {
		e.hold = e.last.mayHoldShape(s)
	}
}

// begin opens a record.
func (e *encoder) begin(at time.Time) {
	e.b = append(e.b, `{"time":"`...)
	e.b = append(at.AppendFormat(e.b, time.RFC3339Nano), '"')
	e.ok = e.ok && at.Year() >= 0 && at.Year() <= 9999
}

// name writes the name of a member, which ends in a colon, with a comma before it unless the member is the first.
func (e *encoder) name(name string) {
	e.comma()
	e.b = append(e.b, name...)
}

func (e *encoder) comma() {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
}

func (e *encoder) open(name string) {
	e.name(name)
	e.b = append(e.b, '{')
}

func (e *encoder) close() { e.b = append(e.b, '}') }

func (e *encoder) field(name, text string) {
	if text != "" {
		e.name(name)
		e.text(text)
	}
}

func (e *encoder) status(status int) {
	if status != 0 {
		e.name(`"status":`)
		e.b = strconv.AppendInt(e.b, int64(status), 10)
	}
}

func (e *encoder) headers(headers classify.Headers) {
	if len(headers) == 0 {
		return
	}
	e.open(`"headers":`)
	for i := range headers {
		e.comma()
		e.text(headers[i].Name)
		e.b = append(e.b, ':')
		e.text(headers[i].Value)
	}
	e.close()
}

// body writes a body, which is compact JSON already.
func (e *encoder) body(body classify.Body) {
	if len(body) > 0 {
		e.look(string(body))
		e.name(`"body":`)
		e.b = append(e.b, body...)
	}
}

func (e *encoder) token(name string, t *classify.JWT) {
	if t == nil {
		return
	}
	e.open(name)
	e.name(`"header":`)
	e.object(t.Header)
	e.name(`"claims":`)
	e.object(t.Claims)
	e.field(`"malformed":`, t.Malformed)
	e.field(`"signature":`, t.Signature)
	e.close()
}

func (e *encoder) object(o classify.Object) {
	if o == nil {
		e.b = append(e.b, "null"...)
		return
	}
	e.b = append(e.b, '{')
	for i := range o {
		e.comma()
		e.text(o[i].Name)
		e.b = append(e.b, ':')
		e.value(o[i].Value)
	}
	e.close()
}

func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.b = append(e.b, "null"...)
	case string:
		e.text(v)
	case json.Number:
		e.number(v)
	case bool:
		e.b = strconv.AppendBool(e.b, v)
	case []any:
		e.b = append(e.b, '[')
		for i, element := range v {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			e.value(element)
		}
		e.b = append(e.b, ']')
	case map[string]any:
		e.object(classify.ObjectOf(v))
	case classify.Object:
		e.object(v)
	default:
		e.ok = false
	}
}

func (e *encoder) number(n json.Number) {
	e.look(string(n))
	e.b = append(e.b, n...)
	e.ok = e.ok && n != ""
}

// appendText appends a JSON string.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := plainEnd(s, 0); i < len(s); i = plainEnd(s, i) {
		c := s[i]
		b = append(b, s[start:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size - 1
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// plainEnd is the index of the first byte from i on that does not stand for itself in a JSON string of ASCII, or the length.
// It looks at eight bytes at a time, as plainRun does.
func plainEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, escape := x^('"'*everyByte), x^('\\'*everyByte)
		if stop := ((quote-everyByte)&^quote | (escape-everyByte)&^escape | (x-' '*everyByte)&^x | x) & topBits; stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}
