package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
)

// embeddedJSON opens the JSON in a text, whole or between other words, redacts it and writes it back if that changed it.
func (w *walk) embeddedJSON(s string, depth int) string {
	if !strings.ContainsAny(s, "{[") || !strings.Contains(s, `"`) {
		return s
	}
	var out strings.Builder
	for tries := 0; tries < maxFragments && !w.failed; tries++ {
		at := strings.IndexAny(s, "{[")
		if at < 0 || !w.spend(len(s)-at) {
			break
		}
		value, length := jsonFragment(s[at:])
		if length == 0 {
			out.WriteString(s[:at+1])
			s = s[at+1:]
			continue
		}
		out.WriteString(s[:at])
		fragment := s[at : at+length]
		if redacted := w.value(value, depth+1); !sameJSON(value, redacted) {
			fragment = compactJSON(redacted)
		}
		out.WriteString(fragment)
		s = s[at+length:]
	}
	return out.String() + s
}

// jsonFragment parses the JSON object or array at the start of s; length 0 means that there is none.
func jsonFragment(s string) (value any, length int) {
	if len(s) < 2 || (s[0] == '[' && strings.IndexByte("{[\"] \t\r\n", s[1]) < 0) || (s[0] == '{' && strings.IndexByte("\"} \t\r\n", s[1]) < 0) {
		return nil, 0
	}
	dec := json.NewDecoder(strings.NewReader(s))
	var raw json.RawMessage
	if dec.Decode(&raw) != nil {
		return nil, 0
	}
	value, f := parseValue(raw)
	if f != nil {
		return nil, 0
	}
	return value, int(dec.InputOffset())
}

func sameJSON(a, b any) bool {
	return bytes.Equal(appendCanonical(nil, a), appendCanonical(nil, b))
}

func compactJSON(v any) string {
	e := encoder{b: make([]byte, 0, 256), ok: true}
	if e.value(v); e.ok {
		return string(e.b)
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "[redacted]"
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// assignments redacts name=value, name: value and "name":"value" in running text, also inside quoting that is too
// broken to parse.
func (w *walk) assignments(s string, depth int) string {
	if !strings.ContainsAny(s, "=:") {
		return s
	}
	var out strings.Builder
	last := 0
	for i := 0; i < len(s) && !w.failed; i++ {
		if s[i] != '=' && s[i] != ':' {
			continue
		}
		name, before := nameBefore(s[last:i])
		if name == "" {
			continue
		}
		outer := w.params
		w.params = before == '?' || before == '&' || before == '#'
		class := w.class(name)
		w.params = outer
		if class == notSecret {
			continue
		}
		from, to, quoted := valueAfter(s, i+1, class)
		if from == to {
			continue
		}
		value := s[from:to]
		if s[i] == ':' && !quoted && from > i+1 && (class == secretToken || strings.HasSuffix(foldName(name), "secret")) && isProse(value) {
			continue // "token: expired" says why, not what
		}
		if s[i] == ':' && before == '/' && !isRandom(value) {
			continue // Post "https://id.example/token": EOF names an endpoint
		}
		outerName := w.name
		w.name = name
		out.WriteString(s[last:from] + w.secret(class, value, depth+1))
		w.name = outerName
		last = to
		i = to - 1
	}
	return out.String() + s[last:]
}

// nameBefore reads the identifier that a text ends with, through closing quotes and blanks, and the byte before it, 0 at
// the start: a name after ?, & or # is a URL's parameter, one after / an endpoint.
func nameBefore(s string) (name string, before byte) {
	end := len(strings.TrimRight(s, "\"'\\ "))
	start := end
	for start > 0 && end-start < 64 && isNameByte(s[start-1]) {
		start--
	}
	if start > 0 {
		before = s[start-1]
	}
	return s[start:end], before
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '%'
}

// valueAfter finds the value that begins at i: to the closing quote, to the end of the line for whole headers, else to the next delimiter.
func valueAfter(s string, i int, class nameClass) (from, to int, quoted bool) {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	open := i
	for open < len(s) && s[open] == '\\' {
		open++
	}
	if open < len(s) && (s[open] == '"' || s[open] == '\'') {
		return open + 1, quoteEnd(s, open+1, s[open], open-i), true
	}
	if i < len(s) && (s[i] == '{' || s[i] == '[') {
		return i, i, false // JSON, which has been opened already, or a marker
	}
	stop := " \t\r\n\"'&,;)]}<>\\"
	if class == secretHeader || class == secretCookie || class == secretSetCookie {
		stop = "\r\n\"'\\"
	}
	if n := strings.IndexAny(s[i:], stop); n >= 0 {
		return i, i + n, false
	}
	return i, len(s), false
}

// quoteEnd finds the quote that closes a string which was opened with so many backslashes before its quote.
func quoteEnd(s string, i int, quote byte, backslashes int) int {
	for ; i < len(s); i++ {
		if s[i] != quote {
			continue
		}
		before := 0
		for before < i && s[i-1-before] == '\\' {
			before++
		}
		if before <= backslashes {
			return i - before
		}
	}
	return len(s)
}
