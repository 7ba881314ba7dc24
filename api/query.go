package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A query reads the parameters in a URL's query. Asking for one declares it, so that err can refuse those that nobody
// asked for: a filter with a typing mistake must not select everything.
type query struct {
	given  url.Values
	now    time.Time
	asked  []string
	faults []fault
	fields []string   // members that the rows of a list are to have; empty: all
	next   url.Values // what was given, with relative times made absolute: the link to the next page
}

func (s *Server) query(c echo.Context) *query {
	given := c.QueryParams()
	next := url.Values{}
	for name, values := range given {
		next[name] = slices.Clone(values)
	}
	return &query{given: given, now: s.Now().UTC(), next: next}
}

// err is nil when every parameter was asked for and understood; call it after the last of them.
func (q *query) err() error {
	for name := range q.given {
		if !slices.Contains(q.asked, name) {
			q.fault(name, "unknown_parameter", "there is no such parameter here", q.asked...)
		}
	}
	if len(q.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(q.faults, func(a, b fault) int { return strings.Compare(a.Parameter, b.Parameter) })
	return fail(http.StatusBadRequest, "The query has parameters that are unknown or not valid; errors says which and what is allowed.", q.faults...)
}

func (q *query) fault(name, code, detail string, allowed ...string) {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	q.faults = append(q.faults, fault{Parameter: name, Code: code, Detail: detail, Allowed: allowed})
}

// all returns the values of a parameter that may repeat; empty ones, as an HTML form sends them, are none.
func (q *query) all(name string) []string {
	q.asked = append(q.asked, name)
	var values []string
	for _, v := range q.given[name] {
		if v != "" {
			values = append(values, v)
		}
	}
	if len(values) > 50 {
		q.fault(name, "too_many", "at most 50 values of one parameter")
		return nil
	}
	for _, v := range values {
		if len(v) > 2048 || !isText(v) {
			q.fault(name, "not_text", "UTF-8 text of at most 2048 bytes without NUL")
			return nil
		}
	}
	return values
}

// one returns the value of a parameter that may occur once, or "".
func (q *query) one(name string) string {
	values := q.all(name)
	if len(values) > 1 {
		q.fault(name, "repeated", "only one value is allowed")
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// manyOf returns the values of a repeatable parameter that takes words of a closed set.
func manyOf[T ~string](q *query, name string, allowed ...T) []T {
	var out []T
	for _, v := range q.all(name) {
		if !slices.Contains(allowed, T(v)) {
			q.fault(name, "not_allowed", "not one of the values allowed", texts(allowed)...)
			break
		}
		out = append(out, T(v))
	}
	return out
}

// oneOf returns the one word of a closed set, or the first of them when none is given.
func oneOf[T ~string](q *query, name string, allowed ...T) T {
	value := q.one(name)
	if value == "" {
		return allowed[0]
	}
	if !slices.Contains(allowed, T(value)) {
		q.fault(name, "not_allowed", "not one of the values allowed", texts(allowed)...)
	}
	return T(value)
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// whole returns a whole number within bounds, or the fallback when none is given.
func (q *query) whole(name string, low, high, fallback int) int {
	text := q.one(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		q.fault(name, "out_of_range", fmt.Sprintf("a whole number from %d to %d", low, high))
		return fallback
	}
	return n
}

// page returns limit and cursor, and notes which members of the rows are asked for.
func (q *query) page() store.Page {
	q.rows()
	return store.Page{Limit: q.whole("limit", 1, 200, 50), Cursor: q.one("cursor")}
}

// rows notes which members the rows of a list are to have: fields=id,cause.
func (q *query) rows() {
	for _, names := range q.all("fields") {
		for _, name := range strings.Split(names, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(q.fields, name) {
				q.fields = append(q.fields, name)
			}
		}
	}
}

// moment returns an RFC 3339 time, now or now-24h; the zero time when none is given.
func (q *query) moment(name string) time.Time {
	text := q.one(name)
	if text == "" {
		return time.Time{}
	}
	at, err := parseMoment(text, q.now)
	if err != nil {
		q.fault(name, "not_a_time", err.Error(), "2006-01-02T15:04:05Z", "now", "now-24h", "now-7d")
		return time.Time{}
	}
	q.next.Set(name, at.Format(time.RFC3339Nano))
	return at
}

// window returns [from, to), either of which may be zero: open.
func (q *query) window() (from, to time.Time) {
	from, to = q.moment("from"), q.moment("to")
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		q.fault("from", "empty_window", "from must be before to")
	}
	return from, to
}

// span returns a length of time such as 90s, 5m, 24h, 7d or 2w; 0 when none is given.
func (q *query) span(name string) time.Duration {
	text := q.one(name)
	if text == "" {
		return 0
	}
	d, err := parseSpan(text)
	if err != nil {
		q.fault(name, "not_a_duration", err.Error(), "5m", "1h", "24h", "7d", "2w")
	}
	return d
}

func parseMoment(text string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		if rest == "" {
			return now, nil
		}
		back, err := parseSpan(strings.TrimPrefix(rest, "-"))
		if err != nil || !strings.HasPrefix(rest, "-") {
			return time.Time{}, fmt.Errorf("a relative time is now or now-24h")
		}
		return now.Add(-back), nil
	}
	// An unescaped + arrives as a blank.
	at, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
	if err != nil || at.Year() < 1970 {
		return time.Time{}, fmt.Errorf("a time is RFC 3339 and not before 1970, now or now-24h")
	}
	return at.UTC(), nil
}

// parseSpan reads a positive Go duration, or whole days (7d) or weeks (2w), of at most 10 years.
func parseSpan(text string) (time.Duration, error) {
	const longest = 10 * 366 * 24 * time.Hour
	d, err := time.ParseDuration(text)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			n, bad := strconv.Atoi(number)
			if bad == nil && n > int(longest/length) {
				n = 0
			}
			d, err = time.Duration(n)*length, bad
		}
	}
	if err != nil || d <= 0 || d > longest {
		return 0, fmt.Errorf("a length of time is 90s, 5m, 24h, 7d or 2w, and at most 10 years")
	}
	return d, nil
}

// param returns a path parameter, decoded: Echo leaves it encoded when the URL holds an escape such as %2F. What is not
// text, or no text that a database can hold, names nothing: store.ErrNotFound.
func param(c echo.Context, name string) (string, error) {
	value := c.Param(name)
	if c.Request().URL.RawPath != "" {
		decoded, err := url.PathUnescape(value)
		if err != nil {
			return "", store.ErrNotFound
		}
		value = decoded
	}
	if value == "" || !isText(value) {
		return "", store.ErrNotFound
	}
	return value, nil
}

// isText is false for what PostgreSQL refuses as text.
func isText(value string) bool { return utf8.ValidString(value) && !strings.Contains(value, "\x00") }
