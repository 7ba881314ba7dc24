package ingest

import (
	"bytes"
	"strings"
	"time"
)

// A lineField is a native field that a text line holds.
type lineField struct {
	field string
	value any
}

// accessLine reads a line of the Common or Combined Log Format, also with the virtual host before it, or of HAProxy's
// option httplog, also after a syslog header. What follows the fields of the format is left.
func accessLine(s string) (fields []lineField, by string, ok bool) {
	if len(s) > maxRecord || !strings.Contains(s, "[") || !strings.Contains(s, `"`) {
		return nil, "", false
	}
	words := lineWords(s)
	if fields, ok := commonLine(words); ok {
		return fields, "Common Log Format", true
	}
	if fields, ok := haproxyLine(words); ok {
		return fields, "HAProxy httplog", true
	}
	return nil, "", false
}

// A word of a log line: bare, in quotes or in brackets.
type word struct {
	text  string
	quote byte // " or [ or 0
}

// maxWords is how far a line is cut; the formats have their fields before.
const maxWords = 48

func lineWords(s string) []word {
	var out []word
	for i := 0; i < len(s) && len(out) < maxWords; {
		switch s[i] {
		case ' ', '\t':
			i++
		case '"', '[', '{':
			end := wordEnd(s, i)
			quote := s[i]
			if quote == '{' {
				quote = 0
			}
			out = append(out, word{text: unescapeQuoted(s[i+1 : end]), quote: quote})
			i = end + 1
		default:
			end := i
			for end < len(s) && s[end] != ' ' && s[end] != '\t' {
				end++
			}
			out = append(out, word{text: s[i:end]})
			i = end
		}
	}
	return out
}

// wordEnd finds what closes the quote or bracket at i, else the end of the line.
func wordEnd(s string, i int) int {
	closing := s[i]
	switch closing {
	case '[':
		closing = ']'
	case '{':
		closing = '}'
	}
	for i++; i < len(s); i++ {
		switch {
		case s[i] == '\\' && closing == '"':
			i++
		case s[i] == closing:
			return i
		}
	}
	return len(s)
}

// unescapeQuoted undoes \" and \\, as Apache and nginx write them; \xNN stays as it is logged.
func unescapeQuoted(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s)
}

// commonLine reads host ident user [time] "request" status bytes, and the user agent of "referer" "user agent" where they follow.
func commonLine(words []word) ([]lineField, bool) {
	at := 3
	if len(words) > 4 && words[3].quote == 0 { // the virtual host before the others, as vhost_combined writes it
		at = 4
	}
	if len(words) < at+3 || words[at].quote != '[' || words[at+1].quote != '"' {
		return nil, false
	}
	when, ok := logTime(words[at].text)
	code, isStatus := status(words[at+2].text)
	method, target, isRequest := requestLine(words[at+1].text)
	if !ok || !isStatus || !isRequest {
		return nil, false
	}
	fields := []lineField{
		{"time", when}, {"client_ip", words[at-3].text}, {"request.method", method}, {"request.url", target}, {"response.status", code},
	}
	if at == 4 {
		fields = append(fields, lineField{"request.url.host", words[0].text})
	}
	if len(words) > at+5 && words[at+4].quote == '"' && words[at+5].quote == '"' {
		fields = append(fields, lineField{"user_agent", words[at+5].text})
	}
	return fields, true
}

const haproxyTime = "02/Jan/2006:15:04:05.000"

// haproxyLine reads client:port [date] frontend backend/server timers status bytes … "request".
func haproxyLine(words []word) ([]lineField, bool) {
	for at := 1; at < len(words) && at < 10; at++ {
		if words[at].quote != '[' || len(words) < at+6 {
			continue
		}
		when, ok := haproxyDate(words[at].text)
		last := words[len(words)-1]
		method, target, isRequest := requestLine(last.text)
		code, isStatus := status(words[at+4].text)
		if ok && isStatus && isRequest && last.quote == '"' && strings.Count(words[at+3].text, "/") == 4 {
			return []lineField{
				{"time.local", when}, {"client_ip", withoutPort(words[at-1].text)}, {"request.method", method},
				{"request.url", target}, {"response.status", code},
			}, true
		}
	}
	return nil, false
}

// haproxyDate reads HAProxy's date, which names no zone: it is the machine's own.
func haproxyDate(v any) (any, bool) {
	at, err := time.Parse(haproxyTime, scalarText(v))
	if err != nil {
		return nil, false
	}
	return at.Format(time.RFC3339Nano), true
}

// lineMembers makes a log record of a line of text in a body, if it is one of an access log; nil if it is none. The record is written as appendCanonical does.
func lineMembers(line []byte) (record []byte, fields []lineField) {
	if len(line) > maxRecord || bytes.IndexByte(line, '[') < 0 {
		return nil, nil
	}
	text := strings.TrimSpace(cleanText(string(line)))
	fields, _, ok := accessLine(text)
	if !ok {
		return nil, nil
	}
	record = make([]byte, 0, len(text)+len(text)/8+32)
	return append(appendText(append(record, `{"message":`...), text), '}'), fields
}
