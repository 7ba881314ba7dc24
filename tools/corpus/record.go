package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A Line is one line of a corpus.
type Line struct {
	Record Record `json:"record"`
	Truth  *Truth `json:"truth"` // nil: context, no auth failure
}

// A Truth says what was done to the request that Record shows.
type Truth struct {
	Cause    string   `json:"cause"`
	Also     []string `json:"also"`
	Fault    string   `json:"fault"`
	Verifier string   `json:"verifier"`
	Optional bool     `json:"optional,omitempty"` // no verdict is right too
}

// A Record is authwatch's native record, as far as the tool fills it in.
type Record struct {
	Time            time.Time `json:"time"`
	ID              string    `json:"id"`
	Provider        string    `json:"provider"`
	Environment     string    `json:"environment"`
	Service         string    `json:"service"`
	ClientID        string    `json:"client_id,omitempty"`
	Request         *Message  `json:"request,omitempty"`
	Response        *Message  `json:"response,omitempty"`
	ClientAssertion *JWT      `json:"client_assertion,omitempty"`
	AccessToken     *JWT      `json:"access_token,omitempty"`
	Error           string    `json:"error,omitempty"`
}

// A Message is a request or a response. Body is JSON where the content is, else a text.
type Message struct {
	Method  string            `json:"method,omitempty"`
	URL     string            `json:"url,omitempty"`
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

// A JWT is a decoded token. Its signature is not kept.
type JWT struct {
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`
}

// decode reads what a log pipeline would show of a token: nil if it is none.
func decode(token string) *JWT {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	j := &JWT{Header: unb64(parts[0]), Claims: unb64(parts[1])}
	for _, part := range []json.RawMessage{j.Header, j.Claims} {
		if len(part) == 0 || part[0] != '{' || !json.Valid(part) {
			return nil
		}
	}
	return j
}

// cutAuthorization replaces the token in an authorization header by what it is.
func cutAuthorization(value, token string) string {
	if value == "" || token == "" {
		return value
	}
	marker := "[opaque]"
	switch segments := strings.Count(token, ".") + 1; {
	case decode(token) != nil:
		marker = "[jwt]"
	case segments > 1:
		marker = fmt.Sprintf("[malformed: %d segments]", segments)
	}
	return strings.Replace(value, token, marker, 1)
}

// cutForm is the form as a log shows it: parameters that came twice as a list, the assertion redacted.
func cutForm(form url.Values) map[string]any {
	body := map[string]any{}
	for name, values := range form {
		switch {
		case name == "client_assertion":
			body[name] = "[redacted]"
		case len(values) > 1:
			body[name] = values
		default:
			body[name] = values[0]
		}
	}
	return body
}

// keptHeaders are those that say something about authentication, limits or who answered.
func keptHeaders() []string {
	return []string{"content-type", "www-authenticate", "server", "retry-after", "ratelimit", "ratelimit-policy", "ratelimit-limit",
		"ratelimit-remaining", "ratelimit-reset", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
}

// response turns an answer into its record. rewrite puts natural hosts in the place of local ones, and cuts secrets.
func response(res *http.Response, rewrite func(string) string) (*Message, error) {
	data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	m := &Message{Status: res.StatusCode, Headers: map[string]string{}}
	for _, name := range keptHeaders() {
		if values := res.Header.Values(name); len(values) > 0 {
			m.Headers[name] = rewrite(strings.Join(values, ", "))
		}
	}
	text := rewrite(string(data))
	if strings.Contains(res.Header.Get("Content-Type"), "json") && json.Valid([]byte(text)) {
		m.Body = redact(text)
	} else {
		m.Body = text
	}
	return m, nil
}

// redact drops the tokens that a token endpoint issued.
func redact(text string) any {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil {
		return json.RawMessage(text)
	}
	issued := false
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		if _, ok := fields[name]; ok {
			fields[name], issued = json.RawMessage(`"[redacted]"`), true
		}
	}
	if !issued {
		return json.RawMessage(text) // with its members in their own order
	}
	return fields
}

// rewriter puts the natural names of env where the servers know only local ones, and cuts out of the answer what was sent
// as a token: some servers quote it.
func (w *world) rewriter(env *environment, base, natural, token string) func(string) string {
	pairs := []string{base, natural, env.keys.URL, origin(env.Issuer), strings.TrimPrefix(base, "http://"), strings.TrimPrefix(natural, "https://")}
	if len(token) > 20 {
		pairs = append(pairs, token, "[redacted]")
		for _, part := range strings.Split(token, ".") {
			if len(part) > 20 {
				pairs = append(pairs, part, "[redacted]")
			}
		}
	}
	replacer := strings.NewReplacer(pairs...)
	servers := regexp.MustCompile(`https?://(?:127\.0\.0\.1|\[::1\]|localhost):[0-9]+`)
	addresses := regexp.MustCompile(`(?:127\.0\.0\.1|\[?::1\]?|localhost):[0-9]+`)
	fragments := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}`) // of what was sent, quoted by a parser that did not like it
	return func(text string) string {
		text = servers.ReplaceAllString(fragments.ReplaceAllString(replacer.Replace(text), "[redacted]"), origin(env.Issuer))
		return addresses.ReplaceAllString(text, "10.24.8.15:443")
	}
}
