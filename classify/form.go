package classify

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// A form is the parameters of a token request, RFC 6749 section 4.4.2, whether they were logged as an object or urlencoded.
type form struct {
	known  bool // a body was logged that holds parameters
	params []param
	twice  string // the name of a parameter that was sent more than once
	shared bool   // with other examinations: it is remembered
}

// A param is one parameter. Nearly all are texts; other holds what is none.
type param struct {
	name  string
	text  string
	other any
	typed bool // it is no text
}

// maxForm bounds the body that is read as parameters, in bytes; maxParams the parameters that are read one by one.
const (
	maxForm   = 64 << 10
	maxParams = 64
)

// formOf reads the body of a token request. Only client_assertion_type, grant_type and the like are looked at, so unknown
// parameters cost nothing but their decoding.
func formOf(body Body) form {
	var f form
	f.read(body)
	return f
}

func (f *form) read(body Body) {
	if len(body) == 0 || len(body) > maxForm {
		return
	}
	switch body[0] {
	case '{':
		if !f.readTexts(string(body)) && !f.readValues(body) {
			*f = form{}
		}
	case '"':
		var text string
		if json.Unmarshal(body, &text) != nil {
			return
		}
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			f.read(Body(strings.TrimSpace(text)))
			return
		}
		f.readEncoded(text)
	}
	f.known = len(f.params) > 0
}

// readTexts reads an object of plain texts, which nearly every form is, without building a map. It reports false for any other.
func (f *form) readTexts(object string) bool {
	if !utf8.ValidString(object) || strings.IndexByte(object, '\\') >= 0 {
		return false
	}
	params := f.params[:0]
	if params == nil {
		params = make([]param, 0, 8)
	}
	rest := skipSpace(object[1:])
	for len(params) < maxParams {
		name, after, named := plainText(rest)
		after = skipSpace(after)
		if !named || !strings.HasPrefix(after, ":") || paramIndex(params, name) >= 0 {
			return false
		}
		text, after, ok := plainText(skipSpace(after[1:]))
		after = skipSpace(after)
		if !ok || after == "" {
			return false
		}
		params = append(params, param{name: name, text: text})
		rest = skipSpace(after[1:])
		switch {
		case after[0] == '}' && rest == "":
			f.params = params
			return true
		case after[0] != ',':
			return false
		}
	}
	return false
}

// skipSpace cuts the white space of JSON.
func skipSpace(text string) string {
	for text != "" && (text[0] == ' ' || text[0] == '\t' || text[0] == '\r' || text[0] == '\n') {
		text = text[1:]
	}
	return text
}

// plainText reads a JSON string without escapes.
func plainText(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", false
	}
	value, rest, ok = strings.Cut(text[1:], `"`)
	for i := 0; i < len(value); i++ {
		if value[i] < ' ' {
			return value, rest, false
		}
	}
	return value, rest, ok
}

// readValues reads any JSON object; a list of values is a parameter that was sent several times.
func (f *form) readValues(body Body) bool {
	var values map[string]any
	if unmarshalExact(body, &values) != nil {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if list, ok := values[name].([]any); ok && repeatable(name) && len(list) > 1 && f.twice == "" {
			f.twice = name
		}
		text, isText := values[name].(string)
		p := param{name: name, text: text, typed: !isText}
		if !isText {
			p.other = values[name]
		}
		f.params = append(f.params, p)
	}
	return true
}

// repeatable reports whether a second value of the parameter breaks RFC 6749 section 3.2 ("MUST NOT be included more
// than once"); resource may repeat (RFC 8707), audience does at several providers.
func repeatable(name string) bool {
	switch name {
	case "resource", "audience", "authorization_details":
		return false
	}
	return true
}

func (f *form) readEncoded(text string) {
	for n := 0; text != "" && n < maxParams; n++ {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || strings.ContainsAny(name, " {<\"\n") {
			continue
		}
		p := param{name: unescapeForm(name), text: unescapeForm(value)}
		i := paramIndex(f.params, p.name)
		if i < 0 {
			f.params = append(f.params, p)
			continue
		}
		f.params[i] = p
		if repeatable(p.name) && f.twice == "" {
			f.twice = p.name
		}
	}
}

// unescapeForm undoes application/x-www-form-urlencoded; a broken escape stays as it is.
func unescapeForm(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '+':
			out = append(out, ' ')
		case text[i] == '%' && i+2 < len(text) && hexDigit(text[i+1]) >= 0 && hexDigit(text[i+2]) >= 0:
			out = append(out, byte(hexDigit(text[i+1])<<4|hexDigit(text[i+2])))
			i += 2
		default:
			out = append(out, text[i])
		}
	}
	return string(out)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func paramIndex(params []param, name string) int {
	for i := range params {
		if params[i].name == name {
			return i
		}
	}
	return -1
}

// has reports whether the parameter was sent, empty or not.
func (f *form) has(name string) bool { return paramIndex(f.params, name) >= 0 }

// text returns a parameter's value, "" unless it is one string.
func (f *form) text(name string) string {
	if i := paramIndex(f.params, name); i >= 0 {
		return f.params[i].text
	}
	return ""
}

// isText reports whether a parameter was sent as one string.
func (f *form) isText(name string) bool {
	i := paramIndex(f.params, name)
	return i >= 0 && !f.params[i].typed
}

// value returns a parameter's value whatever its type, nil when it was not sent.
func (f *form) value(name string) any {
	i := paramIndex(f.params, name)
	switch {
	case i < 0:
		return nil
	case f.params[i].typed:
		return f.params[i].other
	}
	return f.params[i].text
}

// blank reports whether a parameter was sent with nothing in it: no text, spaces, or null.
func (f *form) blank(name string) bool {
	i := paramIndex(f.params, name)
	return i >= 0 && f.params[i].other == nil && strings.TrimSpace(f.params[i].text) == ""
}
