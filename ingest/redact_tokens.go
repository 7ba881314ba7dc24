package ingest

import (
	"encoding/base64"
	"strings"
)

// tokens replaces every JWT, JWE and piece of one in a text by a marker, and keeps the decoded token for the record.
// A token is told by decoding its first segment, never by how it begins: a pretty-printed header starts ewo, not eyJ.
func (w *walk) tokens(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	var out strings.Builder
	last := 0
	for i := 0; i < len(s) && !w.failed; {
		if !isBase64Byte(s[i]) {
			i++
			continue
		}
		run := readRun(s, i)
		if start, ok := w.tokenStart(run.text); ok {
			from := run.position(start)
			to := run.end
			text := run.text[start:]
			if strings.HasSuffix(text, ".") && strings.Count(text, ".") > 2 { // the end of a sentence
				text, to = text[:len(text)-1], to-1
			}
			out.WriteString(s[last:from] + w.note(text, isCutAt(s, to)))
			last = to
		}
		i = run.end
	}
	return out.String() + s[last:]
}

// isCutAt is true when what follows says that whoever logged the text shortened it there.
func isCutAt(s string, i int) bool {
	return strings.HasPrefix(s[i:], "…") || strings.HasPrefix(s[i:], "...") || i > 0 && strings.HasSuffix(s[:i], "..")
}

// note remembers a token for the record and returns its marker.
func (w *walk) note(text string, cut bool) string {
	t := decodeToken(text)
	t.cut = cut
	if t.kind != kindEncrypted {
		w.found = append(w.found, foundToken{rawToken: t, side: w.side, name: foldName(w.name)})
	}
	return w.marker(t)
}

func (w *walk) marker(t rawToken) string {
	switch {
	case t.cut:
		return "[jwt cut]"
	case t.kind == kindEncrypted:
		return "[jwe " + w.fingerprint("jwe", t.text) + "]"
	case t.kind == kindMalformed:
		return "[malformed: " + countSegments(1+strings.Count(t.text, ".")) + "]"
	}
	tail := ""
	if n := len(t.text); n >= 32 && t.text[n-1] != '.' {
		if end := t.text[n-4:]; !strings.Contains(end, ".") {
			tail = " …" + end
		}
	}
	return "[jwt " + w.fingerprint("jwt", t.text) + tail + "]"
}

// tokenMarker names a value that is, or was meant to be, one JWT. An opaque credential may hold dots too, so a text
// of several segments counts only when it decodes, begins like a header, or has exactly the three segments of a JWT.
func (w *walk) tokenMarker(s string) (string, bool) {
	plain := strings.Join(strings.Fields(s), "")
	if !w.spend(len(s)) {
		return "", true
	}
	segments := strings.Split(plain, ".")
	for _, segment := range segments {
		if !isTokenText(strings.TrimRight(segment, "=")) {
			return "", false
		}
	}
	if w.startsToken(plain) {
		return w.note(s, false), true
	}
	begins := strings.HasPrefix(plain, "ey")
	three := len(segments) == 3 && segments[0] != "" && segments[1] != ""
	_, claimsErr := decodeSegment(canonicalSegment(segments[min(1, len(segments)-1)]))
	if !begins && !three && (len(segments) < 2 || claimsErr != nil) {
		return "", false
	}
	t := decodeToken(plain)
	t.kind = kindMalformed
	w.found = append(w.found, foundToken{rawToken: t, side: w.side, name: foldName(w.name)})
	return w.marker(t), true
}

// tokenStart finds where in a run of token characters a JWT begins: at its start, after a dot or a slash, or after
// whatever it was glued to.
func (w *walk) tokenStart(run string) (int, bool) {
	if !strings.Contains(run, ".") {
		return 0, false
	}
	for at := 0; at < len(run)-8; at++ {
		if !mayStartObject(run[at:]) {
			continue
		}
		if w.startsToken(run[at:]) {
			return at, true
		}
		if w.failed {
			return 0, true
		}
	}
	return 0, false
}

// mayStartObject is a cheap test whether base64 text decodes to something that begins like a JSON object.
func mayStartObject(s string) bool {
	switch s[0] {
	case 'e': // the first sextet of an opening brace; its last two bits come with the second letter
		if c := s[1]; !(c >= 'w' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	case 'I', 'C', 'D': // the sextets of a blank, line feed or tab, carriage return
	default:
		return false
	}
	var b [3]byte
	if _, err := base64.RawURLEncoding.Decode(b[:], []byte(s[:4])); err != nil {
		return false
	}
	space := func(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
	return b[0] == '{' && (space(b[1]) || b[1] == '"' || b[1] == '}') || space(b[0]) && (space(b[1]) || b[1] == '{')
}

// startsToken is true when s begins with a JOSE header and a dot, or with any JSON object whose next segment is one too.
func (w *walk) startsToken(s string) bool {
	first, rest, ok := strings.Cut(s, ".")
	if !ok || len(first) < 4 || !w.spend(len(first)) {
		return w.failed
	}
	header, err := decodeSegment(canonicalSegment(first))
	if err != nil {
		return false
	}
	if header.Has("alg") {
		return true
	}
	// A token whose front was cut off: claims and a signature.
	if header.Has("iss") && len(rest) >= 8 {
		return true
	}
	second, _, _ := strings.Cut(rest, ".")
	if len(second) < 4 || !mayStartObject(second) {
		return false
	}
	_, err = decodeSegment(canonicalSegment(second))
	return err == nil
}

// A run is a stretch of token characters and dots, joined over the line breaks of a wrapped text.
type run struct {
	text   string
	end    int   // in the source
	start  int   // in the source
	breaks []int // pairs: offset in text, bytes skipped in the source before it
}

// position maps an offset in the run's text to the source.
func (r run) position(at int) int {
	p := r.start + at
	for i := 0; i < len(r.breaks) && r.breaks[i] <= at; i += 2 {
		p += r.breaks[i+1]
	}
	return p
}

// wrapWidth is the shortest line that counts as wrapped: the tools that wrap do so at 64 or 76 columns.
const wrapWidth = 40

func readRun(s string, i int) run {
	r := run{start: i}
	var joined strings.Builder
	for {
		end := i
		for end < len(s) && (isBase64Byte(s[end]) || s[end] == '.' || s[end] == '=' && endsSegment(s, end)) {
			end++
		}
		r.end = end
		if end-i < wrapWidth {
			break
		}
		next, ok := afterLineBreak(s, end)
		if !ok || !isTokenLine(s[next:]) {
			break
		}
		joined.WriteString(s[i:end])
		r.breaks = append(r.breaks, joined.Len(), next-end)
		i = next
	}
	if joined.Len() == 0 {
		r.text = s[r.start:r.end]
		return r
	}
	joined.WriteString(s[i:r.end])
	r.text = joined.String()
	return r
}

// endsSegment is true for padding: an equals sign before a dot, another one, or the end of the token.
func endsSegment(s string, i int) bool {
	for i < len(s) && s[i] == '=' {
		i++
	}
	return i == len(s) || s[i] == '.' || !isBase64Byte(s[i])
}

// isTokenLine is true when s goes on with a whole line of token characters.
func isTokenLine(s string) bool {
	i := 0
	for i < len(s) && (isBase64Byte(s[i]) || s[i] == '.' || s[i] == '=') {
		i++
	}
	return i > 0 && (i == len(s) || strings.IndexByte("\r\n\\\"' ,;)", s[i]) >= 0) && (i >= 20 || i == len(s) || s[i] != ' ')
}
