package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

const (
	valueLength = 256  // of a claim, a header or an identifier
	bodyLength  = 8000 // of a pretty-printed body
)

// shown makes log text fit to be looked at: marks that change how the rest reads (controls, bidirectional overrides,
// zero-width characters, piles of combining marks) become escapes, and what is longer than limit is cut. html/template
// still escapes the result; this is about the reader's eyes, not the browser.
func shown(text string, limit int) string {
	var b strings.Builder
	length, marks := 0, 0
	for _, r := range text {
		if length == limit {
			return b.String() + fmt.Sprintf("… (%s bytes in all)", count(int64(len(text))))
		}
		length++
		if unicode.Is(unicode.Mn, r) {
			marks++
		} else {
			marks = 0
		}
		if isDeceptive(r) || marks > 3 {
			fmt.Fprintf(&b, `\u{%04X}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isDeceptive is true for what a reader cannot see but the machine can; line breaks and tabs are left for bodies.
func isDeceptive(r rune) bool {
	if r == '\n' || r == '\t' || r == ' ' {
		return false
	}
	return !unicode.IsPrint(r) || r == '\u3164' || r == '\u115F' || r == '\u1160'
}

// line is shown for one-line values: breaks become escapes too.
func line(text string) string {
	text = strings.ReplaceAll(shown(text, valueLength), "\n", `\n`) // a Replacer would be built for every value of a page
	return strings.ReplaceAll(text, "\t", `\t`)
}

// mixesScripts is true when one value mixes Latin letters with look-alikes from Cyrillic, Greek or Armenian, as a forged issuer does.
func mixesScripts(text string) bool {
	latin, other := false, false
	for _, r := range text {
		latin = latin || unicode.Is(unicode.Latin, r)
		other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian)
	}
	return latin && other
}

// stringsOf reads a list of strings, as it was made or as it came back from JSON.
func stringsOf(value any) (list []string, ok bool) {
	switch v := value.(type) {
	case []string:
		return v, len(v) > 0
	case []any:
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
	}
	return list, len(list) > 0
}

// wantedText writes what was expected: a list of allowed values reads as alternatives.
func wantedText(value any) string {
	if list, ok := stringsOf(value); ok {
		return line(strings.Join(list, " or "))
	}
	return sentText(value)
}

// sentText writes a JSON value on one line as it was sent: strings bare, everything else as JSON.
func sentText(value any) string {
	if text, ok := value.(string); ok {
		if text == "" {
			return `""`
		}
		return line(text)
	}
	text, err := compactJSON(value)
	if err != nil {
		return line(fmt.Sprint(value))
	}
	return line(text)
}

func compactJSON(value any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// bodyText pretty-prints a message body: JSON with two spaces, other text as it came.
func bodyText(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return shown(text, bodyLength)
	}
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return shown(string(body), bodyLength)
	}
	return shown(b.String(), bodyLength)
}

// join writes "a, b and c".
func join(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
	}
}

// capitalize makes a sentence out of a phrase.
func capitalize(text string) string {
	for _, r := range text {
		return string(unicode.ToUpper(r)) + text[len(string(r)):]
	}
	return text
}

// inSentence lowers the first letter of a title, but for abbreviations: "JWT malformed" stays.
func inSentence(title string) string {
	first := []rune(title)
	if len(first) < 2 || unicode.IsUpper(first[1]) {
		return title
	}
	first[0] = unicode.ToLower(first[0])
	return string(first)
}
