package classify

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxShown is how much of a sender's value is repeated in a verdict, in bytes: a kid may be a megabyte.
const maxShown = 256

// maxAudiences is how many elements of an aud array are looked at.
const maxAudiences = 64

// clip shortens text to maxShown bytes on a rune boundary and replaces what is not UTF-8.
func clip(text string) string {
	if len(text) > maxShown {
		cut := maxShown
		for cut > 0 && text[cut]&0xC0 == 0x80 {
			cut--
		}
		text = text[:cut] + "…"
	}
	return validText(text)
}

// validText replaces what is not UTF-8.
func validText(text string) string {
	if utf8.ValidString(text) { // many times quicker than looking for what to replace
		return text
	}
	return strings.ToValidUTF8(text, "�")
}

// shown is a claim's value as evidence repeats it: short texts and numbers as they are, anything else clipped JSON.
func shown(value any) any {
	switch v := value.(type) {
	case nil, bool, float64, int, int64:
		return v
	case string:
		if text := clip(v); text != v {
			return text
		}
		return value // which is boxed already
	case json.Number:
		if len(v) <= 32 {
			return value
		}
		return clip(string(v))
	case []any:
		if len(v) > 8 {
			return append(shown(v[:8]).([]any), "…")
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = shown(e)
		}
		return out
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return "a value that is not JSON"
		}
		return clip(string(data))
	}
}

// said is a value inside a sentence.
func said(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return clip(v)
	case json.Number:
		return clip(string(v))
	default:
		data, err := json.Marshal(shown(v))
		if err != nil {
			return "a value that is not JSON"
		}
		return clip(string(data))
	}
}

// textOf returns value when it is a non-empty string.
func textOf(value any) string {
	text, _ := value.(string)
	return text
}

// audiencesOf returns the strings of an aud claim, RFC 7519 section 4.1.3: one string or an array of them.
// well is false for any other shape.
func audiencesOf(value any) (list []string, well bool) {
	switch v := value.(type) {
	case string:
		return []string{v}, v != ""
	case []any:
		if len(v) > maxAudiences {
			v = v[:maxAudiences]
		}
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
		return list, len(list) > 0
	}
	return nil, false
}

// A dateForm says how a NumericDate claim (RFC 7519 section 2: seconds since 1970) is written.
type dateForm int

const (
	dateAbsent dateForm = iota
	dateSeconds
	dateFiner // milliseconds, microseconds or nanoseconds where seconds are due
	dateText  // a string where a number is due
	dateWrong // no time at all: an array, a boolean, a number beyond any calendar
)

// A numericDate is a time claim, kept as a number so that no value of a sender becomes an impossible time.Time.
type numericDate struct {
	form    dateForm
	seconds float64 // meaningful for dateSeconds, and for the other forms when the intended time can be guessed
	guessed bool    // seconds holds what a value of the wrong unit or type was meant to say
}

// lastSecond is 9999-12-31T23:59:59Z, the last time that RFC 3339 can write.
const lastSecond = 253402300799

// dateOf reads a time claim; at is the event's time in seconds. A number counts as a finer unit only when seconds would
// be absurd and the finer unit lands near the event, so that a far exp such as the year 9999 stays what it says.
func dateOf(value any, at float64) numericDate {
	switch v := value.(type) {
	case nil:
		return numericDate{}
	case json.Number:
		return dateOfNumber(string(v), at)
	case float64:
		return dateOfFloat(v, at)
	case int:
		return dateOfFloat(float64(v), at)
	case int64:
		return dateOfFloat(float64(v), at)
	case string:
		if n := dateOfNumber(strings.TrimSpace(v), at); n.form == dateSeconds || n.form == dateFiner {
			return numericDate{form: dateText, seconds: n.seconds, guessed: true}
		}
		if len(v) <= 64 {
			if t, err := time.Parse(time.RFC3339, strings.TrimSpace(v)); err == nil {
				return numericDate{form: dateText, seconds: float64(t.Unix()), guessed: true}
			}
		}
		return numericDate{form: dateText}
	}
	return numericDate{form: dateWrong}
}

func dateOfNumber(text string, at float64) numericDate {
	if n, ok := wholeNumber(text); ok {
		return dateOfFloat(n, at)
	}
	if len(text) > 64 {
		return numericDate{form: dateWrong}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return numericDate{form: dateWrong}
	}
	return dateOfFloat(n, at)
}

// wholeNumber reads what nearly every NumericDate is: up to 15 digits, which a float64 holds exactly.
func wholeNumber(text string) (float64, bool) {
	if text == "" || len(text) > 15 {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(text[i]-'0')
	}
	return float64(n), true
}

func dateOfFloat(n, at float64) numericDate {
	const nearby = 20 * 365 * 86400 // seconds
	if math.Abs(n-at) > nearby {
		for _, unit := range [...]float64{1e3, 1e6, 1e9} {
			if math.Abs(n/unit-at) < nearby {
				return numericDate{form: dateFiner, seconds: n / unit, guessed: true}
			}
		}
	}
	if math.IsNaN(n) || math.Abs(n) > lastSecond {
		return numericDate{form: dateWrong}
	}
	return numericDate{form: dateSeconds, seconds: n}
}

// clockText writes a time in seconds as people read it: RFC 3339, UTC.
func clockText(seconds float64) string {
	if math.IsNaN(seconds) || math.Abs(seconds) > lastSecond {
		return strconv.FormatFloat(seconds, 'g', 6, 64)
	}
	return time.Unix(int64(math.Floor(seconds)), 0).UTC().Format(time.RFC3339)
}

// spanText writes a span of seconds as a person says it: "45 s", "13 min", "5.0 h", "27 d".
func spanText(seconds float64) string {
	number, unit := spanOf(seconds)
	return number + unit
}

// spanOf is spanText in two parts.
func spanOf(seconds float64) (number, unit string) {
	seconds = math.Abs(seconds)
	switch {
	case seconds < 10 && seconds != math.Trunc(seconds):
		return strconv.FormatFloat(seconds, 'f', 1, 64), " s"
	case seconds < 120:
		return strconv.Itoa(int(math.Round(seconds))), " s"
	case seconds < 7200:
		return strconv.Itoa(int(math.Round(seconds / 60))), " min"
	case seconds < 172800:
		return strconv.FormatFloat(seconds/3600, 'f', 1, 64), " h"
	}
	return strconv.FormatFloat(math.Round(seconds/86400), 'f', 0, 64), " d"
}

// secondsOf is t as seconds since 1970 with its fraction.
func secondsOf(t time.Time) float64 {
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}
