package ingest

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// authorization redacts the value of an Authorization header and keeps its shape, which causes depend on: the scheme,
// absent or doubled, and of each credential whether it is a JWT, of how many segments, or opaque.
func (w *walk) authorization(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		s = w.tokens(s) // a wrapped token is one word
	}
	var out strings.Builder
	basic, afterScheme := false, false
	words := splitCredentials(s)
	for i, word := range words {
		core := strings.Trim(word, "\"', \t\r\n")
		switch {
		case core == "" || w.isMarker(core) || isPlaceholder(core):
			out.WriteString(word)
			afterScheme = false
		case isScheme(core) || (i == 0 && len(words) > 1 && len(core) <= 12 && isLetters(core)):
			out.WriteString(word)
			basic = strings.EqualFold(core, "basic")
			afterScheme = true
			continue
		case isMask(core):
			out.WriteString(strings.Replace(word, core, "[redacted]", 1))
		default:
			before, credential := schemePrefix(core)
			if !w.isMarker(credential) {
				credential = w.credential(credential, basic && afterScheme)
			}
			out.WriteString(strings.Replace(word, core, before+credential, 1))
		}
	}
	return out.String()
}

// schemePrefix cuts off a scheme that is joined to its credential: "Bearer:…".
func schemePrefix(s string) (scheme, credential string) {
	if i := strings.IndexAny(s, ":="); i > 0 && i+1 < len(s) && isScheme(s[:i]) {
		return s[:i+1], s[i+1:]
	}
	return "", s
}

// credential names one word of an Authorization header.
func (w *walk) credential(s string, basic bool) string {
	if basic {
		if user, ok := basicUser(s); ok {
			name := w.userName(user)
			if foldName(w.name) == "authorization" && w.side == sideRequest {
				w.user = name
			}
			return "[" + name + ":set]"
		}
		return w.opaque(s)
	}
	if marker, ok := w.tokenMarker(s); ok {
		return marker
	}
	if found := w.tokens(s); found != s { // a token with something before it
		if before, _, _ := strings.Cut(found, "["); len(before) <= 20 && isLetters(strings.Trim(before, ":=_-")) {
			return found
		}
	}
	return w.opaque(s)
}

// userName is a user name as it may stay before ":set]".
func (w *walk) userName(user string) string {
	user = w.text(user)
	if len(user) > 64 || strings.ContainsAny(user, "[]: \t\r\n") {
		return "user"
	}
	return user
}

func basicUser(s string) (user string, ok bool) {
	data, err := decodeBase64(s)
	if err != nil || !utf8.Valid(data) {
		return "", false
	}
	user, _, ok = strings.Cut(string(data), ":")
	return user, ok && isPrintable(user)
}

func decodeBase64(s string) ([]byte, error) {
	s = strings.TrimRight(s, "=")
	url, std := strings.ContainsAny(s, "-_"), strings.ContainsAny(s, "+/")
	switch {
	case url && std: // some of each alphabet
		return base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(s))
	case url:
		return base64.RawURLEncoding.DecodeString(s)
	}
	return base64.RawStdEncoding.DecodeString(s)
}

// splitCredentials cuts a header into words, each with the white space and commas after it; a bracketed marker is one word.
func splitCredentials(s string) []string {
	var out []string
	start, bracket, between := 0, false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		space := !bracket && (c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n')
		if !space && between {
			out = append(out, s[start:i])
			start = i
		}
		between = space
		if c == '[' {
			bracket = true
		} else if c == ']' {
			bracket = false
		}
	}
	return append(out, s[start:])
}

func isScheme(s string) bool {
	switch strings.ToLower(strings.TrimSuffix(s, ":")) {
	case "bearer", "basic", "token", "oauth", "jwt", "dpop", "digest", "negotiate", "ntlm", "apikey", "key", "mac", "hmac",
		"hawk", "hoba", "mutual", "signature", "sharedkey", "splunk", "aws4-hmac-sha256", "gnap", "privatetoken", "vapid":
		return true
	}
	return false
}

func isLetters(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) < 0
}

func (w *walk) cookieNames(s string) string {
	parts := strings.Split(s, ";")
	for i, p := range parts {
		name, _, ok := strings.Cut(strings.TrimSpace(p), "=")
		if !ok {
			parts[i] = "[set]" // a cookie without a name is all value
			continue
		}
		parts[i] = w.text(name) + "=[set]"
	}
	return strings.Join(parts, "; ")
}

// setCookieNames keeps name and attributes of each cookie. Joined fields are cut at commas that are followed by name=,
// so that the comma of an Expires date is none.
func (w *walk) setCookieNames(s string) string {
	var out []string
	for _, cookie := range splitSetCookie(s) {
		parts := strings.Split(cookie, ";")
		parts[0] = w.cookieNames(parts[0])
		for i, attribute := range parts[1:] {
			parts[i+1] = " [set]"
			if name, _, _ := strings.Cut(strings.TrimSpace(attribute), "="); isCookieAttribute(name) {
				parts[i+1] = w.text(attribute)
			}
		}
		out = append(out, strings.Join(parts, ";"))
	}
	return strings.Join(out, ", ")
}

func isCookieAttribute(name string) bool {
	switch strings.ToLower(name) {
	case "path", "domain", "expires", "max-age", "httponly", "secure", "samesite", "partitioned", "priority":
		return true
	}
	return false
}

func splitSetCookie(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		if s[i] != ',' {
			continue
		}
		next := strings.TrimLeft(s[i+1:], " ")
		name := strings.IndexAny(next, "=;,")
		if name > 0 && next[name] == '=' && !strings.ContainsAny(next[:name], " ") {
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, strings.TrimLeft(s[start:], " "))
}
