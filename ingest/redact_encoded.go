package ingest

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

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
	last, classes := 0, w.classes
	for i := 0; i < len(s) && !w.failed; {
		if classes[s[i]]&byteBase64 == 0 {
			i++
			continue
		}
		end := i
		for end < len(s) && classes[s[end]]&byteBase64 != 0 {
			end++
		}
		if end-i < minEncoded {
			i = end
			continue
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
	if last == 0 {
		return s
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
func mayEncodeText[T string | []byte](classes *byteClasses, s T) bool {
	var start [minEncoded / 4 * 3]byte
	known := 0 // bytes of start: most texts end the search with the first
	for i := 0; i < len(start); {
		for known < min(i+utf8.UTFMax, len(start)) {
			at := known / 3 * 4
			three := classes[s[at]]>>byteSextet<<18 | classes[s[at+1]]>>byteSextet<<12 | classes[s[at+2]]>>byteSextet<<6 | classes[s[at+3]]>>byteSextet
			start[known], start[known+1], start[known+2] = byte(three>>16), byte(three>>8), byte(three)
			known += 3
		}
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
	if !mayEncodeText(w.classes, s) {
		return "", false
	}
	data, err := decodeBase64(s)
	if err != nil { // a last sextet that was cut off
		if data, err = decodeBase64(s[:len(s)/4*4]); err != nil {
			return "", false
		}
	}
	if claims, err := decodeObject(data); err == nil && (claims.Get("iss") != nil || claims.Get("sub") != nil) && claims.Get("exp") != nil {
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
