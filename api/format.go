package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// The media types that answers come in. JSON is what who asks for nothing gets.
const (
	mediaJSON     = "application/json"
	mediaNDJSON   = "application/x-ndjson"
	mediaCSV      = "text/csv"
	mediaMarkdown = "text/markdown"
)

// negotiate returns the offered media type that the header Accept likes best (RFC 9110 section 12.5.1); the first is for
// who does not say. Asking for none of them is an error that lists them.
func negotiate(c echo.Context, offered ...string) (string, error) {
	header := strings.Join(c.Request().Header.Values(echo.HeaderAccept), ",")
	c.Response().Header().Add(echo.HeaderVary, echo.HeaderAccept)
	if strings.TrimSpace(header) == "" {
		return offered[0], nil
	}
	best, bestWeight := "", 0.0
	for _, offer := range offered {
		if weight := weightOf(header, offer); weight > bestWeight {
			best, bestWeight = offer, weight
		}
	}
	if best == "" {
		return "", fail(http.StatusNotAcceptable, "This address answers none of the media types that were asked for.",
			fault{Header: echo.HeaderAccept, Code: "not_acceptable", Detail: "ask for one of these", Allowed: offered})
	}
	return best, nil
}

// weightOf is the weight that a header Accept gives to a media type: the most exact range that fits it counts.
func weightOf(header, offer string) float64 {
	family, _, _ := strings.Cut(offer, "/")
	weight, exactness := 0.0, 0
	for _, part := range strings.Split(header, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		exact := slices.Index([]string{"*/*", family + "/*", offer}, name) + 1
		if exact <= exactness {
			continue
		}
		weight, exactness = 1, exact
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q >= 0 && q <= 1 {
			weight = q
		}
	}
	return weight
}

// A column is one member of the rows of a list.
type column struct {
	name  string
	index []int
	omit  func(reflect.Value) bool
}

// columnsOf lists the members that the JSON form of a row has, in its order. An embedded struct's come where it stands,
// unless the row names them itself.
func columnsOf(row reflect.Type) []column {
	var columns []column
	for _, field := range reflect.VisibleFields(row) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		col := column{name: name, index: field.Index, omit: func(reflect.Value) bool { return false }}
		switch {
		case strings.Contains(options, "omitempty"):
			col.omit = isEmpty
		case strings.Contains(options, "omitzero"):
			col.omit = reflect.Value.IsZero
		}
		if at := slices.IndexFunc(columns, func(c column) bool { return c.name == name }); at < 0 {
			columns = append(columns, col)
		} else if len(field.Index) < len(columns[at].index) {
			columns[at] = col
		}
	}
	return columns
}

// isEmpty is what omitempty leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

// choose keeps the columns that fields names, in its order; no fields keeps all.
func choose(columns []column, fields []string) ([]column, error) {
	if len(fields) == 0 {
		return columns, nil
	}
	var chosen []column
	for _, name := range fields {
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		if at < 0 {
			var allowed []string
			for _, c := range columns {
				allowed = append(allowed, c.name)
			}
			return nil, fail(http.StatusBadRequest, "The parameter fields names what is no member of these rows.",
				fault{Parameter: "fields", Code: "not_allowed", Detail: "names of members, with commas between them", Allowed: allowed})
		}
		chosen = append(chosen, columns[at])
	}
	return chosen, nil
}

// value is a member of a row as JSON, nil when the row leaves it out.
func (c column) value(row reflect.Value) (json.RawMessage, error) {
	v := row.FieldByIndex(c.index)
	if c.omit(v) {
		return nil, nil
	}
	return json.Marshal(v.Interface())
}

// object writes a row with some of its members.
func object(columns []column, row reflect.Value) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, c := range columns {
		value, err := c.value(row)
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", c.name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// asLines writes one row a line.
func asLines(columns []column, rows reflect.Value) ([]byte, error) {
	var b bytes.Buffer
	for i := range rows.Len() {
		line, err := object(columns, rows.Index(i))
		if err != nil {
			return nil, fmt.Errorf("encode row %d: %w", i, err)
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes(), nil
}

// asTable writes rows as CSV (RFC 4180) with a head. Text and numbers are written bare, lists and objects as JSON.
func asTable(columns []column, rows reflect.Value) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	cells := make([]string, len(columns))
	for n, c := range columns {
		cells[n] = c.name
	}
	if err := w.Write(cells); err != nil {
		return nil, err
	}
	for i := range rows.Len() {
		for n, c := range columns {
			value, err := c.value(rows.Index(i))
			if err != nil {
				return nil, fmt.Errorf("encode row %d: %w", i, err)
			}
			cells[n] = cell(value)
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// cell writes a value so that a spreadsheet takes it for text or a number, and never for a formula (OWASP, CSV injection):
// log text that begins like one gets an apostrophe.
func cell(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value) // a number, true, a list, an object
	}
	if strings.ContainsAny(first(text), "=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20") {
		return "'" + text
	}
	return text
}

// first is the first character of a text.
func first(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}
