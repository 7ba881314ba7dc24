package classify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// fingerprint identifies a decoded token whatever the order of its members: SHA-256 over its canonical JSON.
func (t *JWT) fingerprint() string {
	if t == nil {
		return ""
	}
	var room [1 << 10]byte
	data := append(appendObject(room[:0], t.Header), '.')
	sum := sha256.Sum256(appendObject(data, t.Claims))
	var name [32]byte
	hex.Encode(name[:], sum[:16])
	return string(name[:])
}

// appendObject appends the canonical text of a header or of claims. What is nested is written apart, so that plain members, which
// nearly all are, need no room but the caller's.
func appendObject(out []byte, object Object) []byte {
	out = append(out, '{')
	for i := range object {
		out = append(appendQuoted(out, object[i].Name), ':')
		switch v := object[i].Value.(type) {
		case string:
			out = appendQuoted(out, v)
		case json.Number:
			out = append(out, v...)
		default:
			out = append(out, canonical(v, 1)...)
		}
		out = append(out, ',')
	}
	return append(out, '}')
}

// canonical writes a value so that equal ones have equal texts.
func canonical(value any, depth int) []byte {
	if depth > maxDepth*4 {
		return []byte("~")
	}
	switch v := value.(type) {
	case nil:
		return []byte("null")
	case string:
		return appendQuoted(nil, v)
	case json.Number:
		return []byte(v)
	case bool:
		return strconv.AppendBool(nil, v)
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64)
	case []any:
		out := []byte("[")
		for _, e := range v {
			out = append(append(out, canonical(e, depth+1)...), ',')
		}
		return append(out, ']')
	case map[string]any:
		return canonical(ObjectOf(v), depth)
	case Object:
		out := []byte("{")
		for _, m := range v {
			out = append(appendQuoted(out, m.Name), ':')
			out = append(append(out, canonical(m.Value, depth+1)...), ',')
		}
		return append(out, '}')
	}
	data, err := json.Marshal(value)
	if err != nil {
		return []byte("!")
	}
	return data
}

// appendQuoted is strconv.AppendQuote, which looks at each rune for what has to be escaped; nearly no text has any.
func appendQuoted(out []byte, text string) []byte {
	if !plain(text) {
		return strconv.AppendQuote(out, text)
	}
	return append(append(append(out, '"'), text...), '"')
}

// identity names the exchange: the source's id, else a hash of its content, so that a redelivered line is the same exchange.
func (e *Exchange) identity() string {
	if e.Record.ID != "" {
		return boundedName(e.Record.ID)
	}
	data, err := json.Marshal(e.Record)
	if err != nil {
		data = []byte(e.Record.Time.String() + e.Endpoint + e.credential().fingerprint())
	}
	sum := sha256.Sum256(data)
	return "content:" + hex.EncodeToString(sum[:16])
}

// plain reports whether a text is printable ASCII without quotes and backslashes. It looks at eight bytes at a time.
func plain(text string) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(text) >= 8 {
		w := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 | uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		quote, backslash, del := w^ones*'"', w^ones*'\\', w^ones*0x7f
		if (w|(w-ones*' ')|(quote-ones)|(backslash-ones)|(del-ones))&tops != 0 {
			return false
		}
		text = text[8:]
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
