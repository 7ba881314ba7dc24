package classify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Record is one HTTP exchange as a log shipper reports it (design: the native record), already redacted: it holds
// decoded tokens and shape markers such as "Bearer [jwt]", never a raw token. Only Time is always there.
type Record struct {
	Time        time.Time `json:"time"`                  // when the exchange happened, by the clock of whoever logged it
	ID          string    `json:"id,omitempty"`          // unique per exchange within one source; empty if the source has none
	Provider    string    `json:"provider,omitempty"`    // id of a profile
	Environment string    `json:"environment,omitempty"` // name of one of the profile's environments
	Service     string    `json:"service,omitempty"`
	ClientID    string    `json:"client_id,omitempty"`
	RequestID   string    `json:"request_id,omitempty"`
	TraceID     string    `json:"trace_id,omitempty"`
	ClientIP    string    `json:"client_ip,omitempty"`
	UserAgent   string    `json:"user_agent,omitempty"`

	Request  *Request  `json:"request,omitempty"`
	Response *Response `json:"response,omitempty"`

	ClientAssertion *JWT `json:"client_assertion,omitempty"` // of a token request, RFC 7521 and 7523
	AccessToken     *JWT `json:"access_token,omitempty"`     // of an API call, RFC 6750 and 9068

	// Error is the client's own log line when there was no response; beside a response it is what the server, or a gateway before it, noted
	// as its reason and did not tell the client: Envoy's response_code_details, an API gateway's authorizer error.
	Error string `json:"error,omitempty"`
}

// A Request is what the client sent.
type Request struct {
	Method  string  `json:"method,omitempty"`
	URL     string  `json:"url,omitempty"`
	Headers Headers `json:"headers,omitempty"`
	Body    Body    `json:"body,omitempty"`
}

// A Response is what the server answered. Status is 0 when there was none.
type Response struct {
	Status  int     `json:"status,omitempty"`
	Headers Headers `json:"headers,omitempty"`
	Body    Body    `json:"body,omitempty"`
}

// UnmarshalJSON accepts a string, a number, a boolean or an array of them as the value of a field, and any letter case in its name.
func (h *Headers) UnmarshalJSON(data []byte) error {
	var fields map[string]any
	if err := unmarshalExact(data, &fields); err != nil {
		return err
	}
	if fields == nil {
		*h = nil
		return nil
	}
	out := make(map[string]string, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text := headerText(fields[name])
		name = strings.ToLower(name)
		if earlier, ok := out[name]; ok && earlier != "" && text != "" {
			text = earlier + ", " + text
		}
		out[name] = text
	}
	*h = HeadersOf(out)
	return nil
}

func headerText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = headerText(e)
		}
		return strings.Join(parts, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// A Body is a message body as one JSON value: an object or array for a decoded one, a string for any other text.
type Body json.RawMessage

// MarshalJSON returns the value itself.
func (b Body) MarshalJSON() ([]byte, error) { return json.RawMessage(b).MarshalJSON() }

// UnmarshalJSON keeps the value itself; null is no body.
func (b *Body) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*b = nil
		return nil
	}
	*b = append((*b)[:0], data...)
	return nil
}

// A JWT is a decoded JSON Web Token without its signature. Claims are statements of whoever sent it.
type JWT struct {
	Header Object `json:"header"`
	Claims Object `json:"claims"`
	// Malformed says why a raw token could not be decoded whole ("2 segments", "payload is not a JSON object"); what could be decoded is still in Header and Claims.
	Malformed string `json:"malformed,omitempty"`
	// Signature is "valid" or "invalid" when it was verified against the profile's JWKS file before it was dropped, else empty.
	Signature string `json:"signature,omitempty"`
}

// UnmarshalJSON decodes an object; null gives a nil Object, anything else is an error.
func (o *Object) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	start, err := dec.Token()
	if err != nil {
		return err
	}
	if start == nil {
		*o = nil
		return nil
	}
	if start != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	out := Object{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return err
		}
		out = append(out, Member[any]{name.(string), value})
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	SortMembers(out)
	*o = slices.CompactFunc(out, func(a, b Member[any]) bool { return a.Name == b.Name })
	return nil
}

// unmarshalExact is json.Unmarshal that keeps every digit of a number.
func unmarshalExact(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}
