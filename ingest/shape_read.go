package ingest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A reading is how a value of a format is understood.
type reading int

const (
	asIs           reading = iota
	asTime                 // RFC 3339, or the time of the Common Log Format
	asSeconds              // since 1970, with a fraction
	asMillis               // since 1970
	asMicros               // since 1970
	asNanos                // since 1970
	asCloudflare           // RFC 3339, seconds or nanoseconds since 1970: the three forms of Logpush, nine digits apart
	asStatus               // a number, also as text
	asRequestLine          // METHOD target protocol
	asHeaders              // an object, a list of names and values, or either as JSON text
	asSomeHeaders          // the same, but a choice of the headers
	asHeadersBelow         // the members whose path begins with this one, also a choice
	asHTTPS                // present: the connection was TLS
	asAddress              // host:port, of which the host counts
	asFirst                // the first of a list separated by commas
	asMembers
	asDetails // what Envoy says about a response that it made itself
	asAny     // a text or an object
	asRoute   // METHOD path, without a protocol
	asHAProxyTime
	asFluentBit // the key that Fluent Bit's http output adds: seconds with a fraction
)

// read understands a value; ok is false when it is not what the format documents.
func (r reading) read(v any) (value any, ok bool) {
	switch r {
	case asTime:
		return logTime(v)
	case asSeconds:
		if at, ok := rfc3339(v); ok {
			return at, true
		}
		return epoch(v, time.Second)
	case asMillis:
		return epoch(v, time.Millisecond)
	case asMicros:
		return epoch(v, time.Microsecond)
	case asNanos:
		return epoch(v, time.Nanosecond)
	case asCloudflare:
		return cloudflareTime(v)
	case asStatus:
		return status(v)
	case asHeaders, asSomeHeaders:
		return headerFields(v)
	case asHTTPS:
		return "https", true
	case asAddress:
		return withoutPort(scalarText(v)), true
	case asFirst:
		first, _, _ := strings.Cut(scalarText(v), ",")
		return strings.TrimSpace(first), true
	case asMembers:
		object, ok := v.(map[string]any)
		return object, ok
	case asDetails:
		text, _ := v.(string)
		return text, text != "via_upstream"
	case asAny:
		return v, true
	case asHAProxyTime:
		return haproxyDate(v)
	case asFluentBit:
		if seconds := len(strings.Split(scalarText(v), ".")[0]); seconds != 10 {
			return nil, false
		}
		return epoch(v, time.Second)
	}
	if !isScalar(v) {
		return nil, false
	}
	return v, true
}

// rfc3339 returns v if it is a time in that form.
func rfc3339(v any) (string, bool) {
	text, ok := v.(string)
	if !ok {
		return "", false
	}
	if _, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text)); err != nil {
		return "", false
	}
	return text, true
}

const clfTime = "02/Jan/2006:15:04:05 -0700"

// logTime reads the forms of time that name their zone.
func logTime(v any) (any, bool) {
	if at, ok := rfc3339(v); ok {
		return at, true
	}
	text, _ := v.(string)
	for _, layout := range []string{clfTime, "2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Format(time.RFC3339Nano), true
		}
	}
	return nil, false
}

// epoch reads a number of units since 1970 to the last digit; a float64 would lose nanoseconds.
func epoch(v any, unit time.Duration) (any, bool) {
	text := scalarText(v)
	if _, isBool := v.(bool); isBool || text == "" || len(text) > 32 {
		return nil, false
	}
	if strings.ContainsAny(text, "eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, false
		}
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if !isDigits(text) { // big.Rat reads 0x1p999999999 too, and takes for ever
		return nil, false
	}
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, false
	}
	nanos := number.Mul(number, new(big.Rat).SetInt64(int64(unit)))
	whole := new(big.Int).Quo(nanos.Num(), nanos.Denom())
	if !whole.IsInt64() {
		return nil, false
	}
	return time.Unix(0, whole.Int64()).UTC().Format(time.RFC3339Nano), true
}

func cloudflareTime(v any) (any, bool) {
	if at, ok := rfc3339(v); ok {
		return at, true
	}
	if len(scalarText(v)) >= 18 {
		return epoch(v, time.Nanosecond)
	}
	return epoch(v, time.Second)
}

func status(v any) (any, bool) {
	text := scalarText(v)
	if len(text) != 3 || !isDigits(text) || strings.ContainsAny(text, "-.") {
		return nil, false
	}
	return json.Number(text), true
}

// requestLine reads a request line (RFC 9112 section 3).
func requestLine(s string) (method, target string, ok bool) {
	method, rest, _ := strings.Cut(s, " ")
	target, protocol, _ := strings.Cut(rest, " ")
	if method == "" || len(method) > 20 || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" || target == "" {
		return "", "", false
	}
	return method, target, strings.HasPrefix(protocol, "HTTP/")
}

// headerFields understands an object of fields, a list of {"name","value"} objects or of pairs, and JSON text of these.
func headerFields(v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case string:
		if object, ok := objectIn(strings.TrimSpace(v)); ok {
			return object, true
		}
	case []any:
		out := map[string]any{}
		for _, e := range v {
			if name, value, ok := headerField(e); ok {
				before, _ := out[name].([]any)
				out[name] = append(before, value)
			}
		}
		return out, len(out) > 0
	}
	return nil, false
}

func headerField(v any) (name string, value any, ok bool) {
	switch v := v.(type) {
	case map[string]any:
		if name = scalarText(v["name"]); name == "" {
			name = scalarText(v["key"])
		}
		value = v["value"]
	case []any:
		if len(v) == 2 {
			name, value = scalarText(v[0]), v[1]
		}
	case string:
		name, value, _ = cutHeader(v)
	}
	name = strings.ToLower(strings.TrimSpace(name))
	return name, value, name != "" && value != nil
}

func cutHeader(line string) (name string, value any, ok bool) {
	name, text, ok := strings.Cut(line, ":")
	if !ok {
		return "", nil, false
	}
	return name, strings.TrimSpace(text), true
}

// withoutPort cuts the port off an address, also off [::1]:443.
func withoutPort(s string) string {
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return s[1:end]
		}
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Count(s, ":") == 1 {
		return s[:i]
	}
	return s
}

func scalarText(v any) string {
	switch v := v.(type) {
	case nil, map[string]any, []any:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// at finds a dotted path in nested objects, dotted names, or any mixture: shippers flatten and nest as they like.
func at(v any, path string) any {
	switch v := v.(type) {
	case map[string]any:
		if found, ok := v[path]; ok {
			return found
		}
		for i := 0; i < len(path); i++ {
			if path[i] != '.' {
				continue
			}
			if inner, ok := v[path[:i]]; ok {
				if found := at(inner, path[i+1:]); found != nil {
					return found
				}
			}
		}
	case []any:
		index, rest, more := strings.Cut(path, ".")
		n, err := strconv.Atoi(index)
		if err != nil || n < 0 || n >= len(v) {
			return nil
		}
		if !more {
			return v[n]
		}
		return at(v[n], rest)
	}
	return nil
}

// A member is one of an object.
type member struct {
	name  string
	value any
}

// appendBelow appends the members whose path begins with prefix, flat or nested, by their names without it. What is flat counts
// where a name is both.
func appendBelow(list []member, members map[string]any, prefix string) []member {
	if whole, nested := strings.CutSuffix(prefix, "."); nested {
		if object, ok := at(members, whole).(map[string]any); ok {
			for name, v := range object {
				if _, flat := members[prefix+name]; !flat {
					list = append(list, member{name, v})
				}
			}
		}
	}
	for name, v := range members {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			list = append(list, member{rest, v})
		}
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return list
}
