package classify

import "strings"

// A challenge is one challenge of a WWW-Authenticate field, RFC 9110 section 11.6.1.
type challenge struct {
	scheme      string // lower case
	failure     string // the error parameter, RFC 6750 section 3
	description string
	scope       string
}

// maxChallenge bounds the field that is read, in bytes.
const maxChallenge = 8 << 10

// challengesOf reads a WWW-Authenticate field that may hold several challenges. Parameters are separated from the next
// challenge only by their "=", so a token that no "=" follows begins a new challenge.
func challengesOf(field string) []challenge {
	if len(field) > maxChallenge {
		field = field[:maxChallenge]
	}
	var out []challenge
	rest := field
	for {
		rest = strings.TrimLeft(rest, " \t,\r\n")
		if rest == "" || len(out) > 16 {
			return out
		}
		name := leadingToken(rest)
		if name == "" {
			rest = rest[1:]
			continue
		}
		rest = rest[len(name):]
		after := strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(after, "=") || strings.HasPrefix(after, "==") {
			out = append(out, challenge{scheme: strings.ToLower(name)})
			continue
		}
		var value string
		value, rest = parameterValue(strings.TrimLeft(after[1:], " \t"))
		if len(out) == 0 {
			out = append(out, challenge{}) // some servers send parameters without a scheme
		}
		out[len(out)-1].set(name, value)
	}
}

func (c *challenge) set(name, value string) {
	switch {
	case strings.EqualFold(name, "error"):
		c.failure = value
	case strings.EqualFold(name, "error_description"):
		c.description = value
	case strings.EqualFold(name, "scope"):
		c.scope = value
	}
}

func leadingToken(text string) string {
	i := 0
	for i < len(text) && strings.IndexByte(" \t,=\"\r\n", text[i]) < 0 {
		i++
	}
	return text[:i]
}

// parameterValue reads a token or a quoted string; an unclosed quote ends with the field.
func parameterValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		value = leadingToken(text)
		return value, text[len(value):]
	}
	text = text[1:]
	end := strings.IndexByte(text, '"')
	if end < 0 {
		return text, ""
	}
	if strings.IndexByte(text[:end], '\\') < 0 {
		return text[:end], text[end+1:]
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			out = append(out, text[i])
		case c == '"':
			return string(out), text[i+1:]
		default:
			out = append(out, c)
		}
	}
	return string(out), ""
}
