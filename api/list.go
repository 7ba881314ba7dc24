package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/labstack/echo/v4"
)

// A list is a page of any list. Next is the cursor of the page after it, absent on the last.
type list[T any] struct {
	Data []T    `json:"data"`
	Next string `json:"next,omitempty"`
}

// sendList answers with a page, as JSON, NDJSON or CSV; the Link header holds the whole address of the next one, its
// relative times made absolute so that all pages see one window.
func sendList[T any](c echo.Context, q *query, data []T, next string) error {
	media, err := negotiate(c, mediaJSON, mediaNDJSON, mediaCSV)
	if err != nil {
		return err
	}
	columns, err := choose(columnsOf(reflect.TypeFor[T]()), q.fields)
	if err != nil {
		return err
	}
	if next != "" {
		q.next.Set("cursor", next)
		c.Response().Header().Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+q.next.Encode()+`>; rel="next"`)
	}
	rows := reflect.ValueOf(data)
	switch {
	case media == mediaNDJSON:
		return sendRows(c, media, columns, rows, asLines)
	case media == mediaCSV:
		return sendRows(c, media+"; charset=utf-8; header=present", columns, rows, asTable)
	case len(q.fields) == 0:
		if data == nil {
			data = []T{}
		}
		return sendJSON(c, http.StatusOK, list[T]{Data: data, Next: next})
	}
	short := make([]json.RawMessage, len(data))
	for i := range data {
		if short[i], err = object(columns, rows.Index(i)); err != nil {
			return fmt.Errorf("encode row %d: %w", i, err)
		}
	}
	return sendJSON(c, http.StatusOK, list[json.RawMessage]{Data: short, Next: next})
}

func sendRows(c echo.Context, media string, columns []column, rows reflect.Value, write func([]column, reflect.Value) ([]byte, error)) error {
	body, err := write(columns, rows)
	if err != nil {
		return err
	}
	return sendBlob(c, http.StatusOK, media, body)
}

// sendJSON writes an answer that was encoded whole before its status, so that a value that cannot be encoded is a clean 500.
func sendJSON(c echo.Context, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return sendBlob(c, status, echo.MIMEApplicationJSON, body)
}

// sendBlob writes an answer. One that was read carries the hash of its content as ETag, unless it has a version of its
// own, so that who polls is told cheaply that nothing has changed (RFC 9110 section 13).
func sendBlob(c echo.Context, status int, media string, body []byte) error {
	h := c.Response().Header()
	if isRead(c) && status == http.StatusOK {
		if h.Get("ETag") == "" {
			sum := sha256.Sum256(body)
			h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
		}
		if isKnown(c) {
			return c.NoContent(http.StatusNotModified)
		}
	}
	// net/http counts only short bodies by itself, and those of HEAD not at all.
	h.Set("Content-Length", strconv.Itoa(len(body)))
	return c.Blob(status, media, body)
}

// isKnown is true when who asks has the answer already that the header ETag names.
func isKnown(c echo.Context) bool {
	return isRead(c) && matches(unweakened(c.Request().Header.Values("If-None-Match")), c.Response().Header().Get("ETag"))
}

// convert maps store rows to what the API shows.
func convert[From, To any](rows []From, to func(From) To) []To {
	out := make([]To, len(rows))
	for i, row := range rows {
		out[i] = to(row)
	}
	return out
}
