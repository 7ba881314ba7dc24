package ingest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
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
	var x, y bytes.Buffer
	writeCanonical(&x, a)
	writeCanonical(&y, b)
	return bytes.Equal(x.Bytes(), y.Bytes())
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

// percentEncoded opens percent-encoded words.
func (w *walk) percentEncoded(s string, depth int) string {
	if !strings.Contains(s, "%") {
		return s
	}
	words := strings.SplitAfter(s, " ")
	for i, word := range words {
		if !strings.Contains(word, "%") || strings.Contains(word, "://") { // URLs have been opened
			continue
		}
		plain, err := url.QueryUnescape(word)
		if err != nil {
			plain = unescapeLoosely(word)
		}
		if plain == word || !utf8.ValidString(plain) {
			continue
		}
		if out := w.nested(plain, depth+1); out != plain {
			words[i] = out
		}
	}
	return strings.Join(words, "")
}

// unescapeLoosely decodes the percent escapes that are whole and leaves the others.
func unescapeLoosely(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(c)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// minEncoded is the shortest base64 text that is opened: shorter ones hold no secret worth the false alarms.
const minEncoded = 24

// base64Encoded opens base64 of printable text, one level deep: what decodes to something secret is dropped whole.
// With alone it leaves runs beside a dot, which can be segments of a token and are for tokens to find.
func (w *walk) base64Encoded(s string, alone bool) string {
	var out strings.Builder
	last := 0
	for i := 0; i < len(s) && !w.failed; {
		if !isBase64Byte(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isBase64Byte(s[end]) {
			end++
		}
		if alone && (i > 0 && s[i-1] == '.' || end < len(s) && s[end] == '.') {
			i = end
			continue
		}
		if start, marker, ok := w.encodedRun(s[i:end]); ok {
			for end < len(s) && s[end] == '=' {
				end++
			}
			out.WriteString(s[last:i+start] + marker)
			last = end
		}
		i = end
	}
	return out.String() + s[last:]
}

// encodedRun finds a secret that begins at the start of a base64 run or, as the slash is of its alphabet, after one of the first path segments.
func (w *walk) encodedRun(run string) (start int, marker string, ok bool) {
	for tries := 0; len(run)-start >= minEncoded && tries < 8; tries++ {
		if marker, ok := w.encodedSecret(run[start:]); ok {
			return start, marker, true
		}
		slash := strings.IndexByte(run[start:], '/')
		if slash < 0 {
			break
		}
		start += slash + 1
	}
	return 0, "", false
}

// mayEncodeText looks at the first characters of base64: what encodes neither text nor an object, as an id in hexadecimal does not,
// holds no secret that a name or a form could tell.
func mayEncodeText(s string) bool {
	var start [minEncoded / 4 * 3]byte
	for i := 0; i < minEncoded; i += 4 {
		a, b, c, d := sextet(s[i]), sextet(s[i+1]), sextet(s[i+2]), sextet(s[i+3])
		start[i/4*3], start[i/4*3+1], start[i/4*3+2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
	}
	for i := 0; i < len(start); {
		switch c := start[i]; {
		case c == '{': // whose strings may hold anything
			return true
		case c < ' ' && c != '\t' && c != '\r' && c != '\n', c == 0x7f:
			return false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(start[i:])
			if r == utf8.RuneError && size == 1 {
				return !utf8.FullRune(start[i:]) // it may go on
			}
			i += size
		}
	}
	return true
}

// sextet decodes one character of base64, of either alphabet.
func sextet(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 26
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	}
	return 63
}

func (w *walk) encodedSecret(s string) (marker string, ok bool) {
	if !w.spend(len(s)) {
		return "", true
	}
	if !mayEncodeText(s) {
		return "", false
	}
	data, err := decodeBase64(s)
	if err != nil { // a last sextet that was cut off
		if data, err = decodeBase64(s[:len(s)/4*4]); err != nil {
			return "", false
		}
	}
	if claims, err := decodeObject(data); err == nil && (claims["iss"] != nil || claims["sub"] != nil) && claims["exp"] != nil {
		return "[jwt cut]", true // the payload of a token by itself
	}
	plain := string(data)
	if !utf8.ValidString(plain) || !isPrintable(plain) {
		return "", false
	}
	redacted := w.nested(plain, maxNesting)
	if redacted == plain {
		return "", false
	}
	if w.isMarker(redacted) {
		return "[base64 " + redacted + "]", true
	}
	return "[base64 of redacted text]", true
}
