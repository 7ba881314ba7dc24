package ingest

import (
	"net/url"
	"strings"
)

// urls redacts the URLs in a text, parameter by parameter.
func (w *walk) urls(s string, depth int) string {
	if !strings.Contains(s, "://") || depth > maxNesting {
		return s
	}
	var out strings.Builder
	last := 0
	for i := 0; i < len(s); {
		from, to := nextURL(s, i)
		if to == 0 {
			break
		}
		if u := w.url(s[from:to], depth); u != s[from:to] {
			out.WriteString(s[last:from] + u)
			last = to
		}
		i = to
	}
	if last == 0 {
		return s
	}
	return out.String() + s[last:]
}

// nextURL finds the first URL of a text at or after i: [A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\]+. to is 0 when there is none.
func nextURL(s string, i int) (from, to int) {
	for at := i; ; {
		n := strings.Index(s[at:], "://")
		if n < 0 {
			return 0, 0
		}
		at += n
		from = at
		for start := at; start > i && isSchemeByte(s[start-1]); start-- {
			if isLetter(s[start-1]) {
				from = start - 1
			}
		}
		if to = at + len("://"); from == at {
			at++
			continue
		}
		for to < len(s) && strings.IndexByte(" \t\n\f\r\"'<>\\", s[to]) < 0 {
			to++
		}
		if to > at+len("://") {
			return from, to
		}
		at++
	}
}

func isSchemeByte(c byte) bool {
	return isLetter(c) || c >= '0' && c <= '9' || c == '+' || c == '.' || c == '-'
}

// url redacts one URL, absolute or relative: user information, path segments, query and fragment. It cuts by hand
// because a URL that net/url refuses holds secrets too.
func (w *walk) url(s string, depth int) string {
	rest, fragment, hasFragment := strings.Cut(s, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	scheme := ""
	if i := strings.Index(rest, "://"); i >= 0 {
		scheme, rest = rest[:i+3], rest[i+3:]
		if strings.Contains(rest, "@") {
			rest = w.patterns.user.ReplaceAllStringFunc(rest, func(userinfo string) string {
				user, _, _ := strings.Cut(userinfo, ":")
				return w.userName(user) + ":[set]@"
			})
		}
	}
	if depth < maxNesting {
		rest = w.base64Encoded(rest, true) // as a whole first: the slash is of its alphabet
	}
	path := w.segments(rest, depth)
	if len(scheme)+len(path) == len(s) && s[len(scheme):] == path {
		return s
	}
	out := scheme + path
	if hasQuery {
		out += "?" + w.parameters(query, depth)
	}
	if hasFragment {
		out += "#" + w.parameters(fragment, depth)
	}
	return out
}

// segments redacts host and path, each piece between slashes by itself.
func (w *walk) segments(s string, depth int) string {
	var out strings.Builder
	last := 0
	for from := 0; from <= len(s); {
		to := len(s)
		if n := strings.IndexByte(s[from:], '/'); n >= 0 {
			to = from + n
		}
		if segment := w.part(s[from:to], depth); segment != s[from:to] {
			out.WriteString(s[last:from] + segment)
			last = to
		}
		from = to + 1
	}
	if last == 0 {
		return s
	}
	return out.String() + s[last:]
}

// part redacts a piece of a URL that may be percent-encoded; what needs no redaction keeps its encoding.
func (w *walk) part(s string, depth int) string {
	plain := s
	if strings.Contains(s, "+") { // which is a blank in a form, and of the alphabet of base64 where somebody forgot to encode it
		if out := w.nested(s, depth+1); out != s {
			return out
		}
	}
	if strings.ContainsAny(s, "%+") {
		if decoded, err := url.QueryUnescape(s); err == nil {
			plain = decoded
		}
	}
	if out := w.nested(plain, depth+1); out != plain {
		return out
	}
	return s
}

// parameters redacts a query, a fragment or a form. code and state are secrets there.
func (w *walk) parameters(s string, depth int) string {
	outerName, outerParams := w.name, w.params
	defer func() { w.name, w.params = outerName, outerParams }()
	pairs := strings.FieldsFunc(s, func(r rune) bool { return r == '&' })
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			pairs[i] = w.part(pair, depth)
			continue
		}
		w.params = true
		w.name = name
		if class := w.class(name); class != notSecret {
			value = w.secret(class, value, depth)
		} else {
			value = w.part(value, depth)
		}
		pairs[i] = w.part(name, depth) + "=" + value
	}
	return strings.Join(pairs, "&")
}

// isForm is true for a text that is one urlencoded form.
func isForm(s string) bool {
	name, _, ok := strings.Cut(s, "=")
	return ok && name != "" && !strings.ContainsAny(s, " \t\r\n<>{}\"'") && !strings.ContainsAny(name, "/:.")
}

// body redacts a message body: a decoded value, or text that may be a form.
func (w *walk) body(v any) any {
	text, ok := v.(string)
	if !ok {
		return w.value(v, 0)
	}
	if trimmed := strings.TrimSpace(text); isForm(trimmed) && w.spend(len(text)) {
		return w.parameters(trimmed, 0)
	}
	return w.text(text)
}

// maxFragments is how many pieces of JSON are opened in one text; a log line holds one or two.
const maxFragments = 16
