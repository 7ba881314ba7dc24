package classify

import (
	"encoding/json"
	"strings"
)

// A form is the parameters of a token request, RFC 6749 section 4.4.2, whether they were logged as an object or urlencoded.
type form struct {
	known  bool // a body was logged that holds parameters
	values map[string]any
	twice  string // the name of a parameter that was sent more than once
}

// maxForm bounds the body that is read as parameters, in bytes.
const maxForm = 64 << 10

// formOf reads the body of a token request. Only client_assertion_type, grant_type and the like are looked at, so unknown
// parameters cost nothing but their decoding.
func formOf(body Body) form {
	if len(body) == 0 || len(body) > maxForm {
		return form{}
	}
	var f form
	switch body[0] {
	case '{':
		if unmarshalExact(body, &f.values) != nil {
			return form{}
		}
		for name, value := range f.values {
			if list, ok := value.([]any); ok && repeatable(name) && len(list) > 1 {
				if f.twice == "" || name < f.twice {
					f.twice = name
				}
			}
		}
	case '"':
		var text string
		if json.Unmarshal(body, &text) != nil {
			return form{}
		}
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			return formOf(Body(strings.TrimSpace(text)))
		}
		f.values, f.twice = urlencoded(text)
	default:
		return form{}
	}
	f.known = len(f.values) > 0
	return f
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

func urlencoded(text string) (values map[string]any, twice string) {
	values = map[string]any{}
	for n := 0; text != "" && n < 64; n++ {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || strings.ContainsAny(name, " {<\"\n") {
			continue
		}
		name = unescapeForm(name)
		if _, again := values[name]; again && repeatable(name) && twice == "" {
			twice = name
		}
		values[name] = unescapeForm(value)
	}
	return values, twice
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

// has reports whether the parameter was sent, empty or not.
func (f form) has(name string) bool { _, ok := f.values[name]; return ok }

// text returns a parameter's value, "" unless it is one string.
func (f form) text(name string) string { return textOf(f.values[name]) }
