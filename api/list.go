package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
)

// A list is a page of any list. Next is the cursor of the page after it, absent on the last.
type list[T any] struct {
	Data []T    `json:"data"`
	Next string `json:"next,omitempty"`
}

// sendList answers with a page; the Link header holds the whole address of the next one, its relative times made
// absolute so that all pages see one window.
func sendList[T any](c echo.Context, q *query, data []T, next string) error {
	if data == nil {
		data = []T{}
	}
	if next != "" {
		q.next.Set("cursor", next)
		c.Response().Header().Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+q.next.Encode()+`>; rel="next"`)
	}
	return sendJSON(c, http.StatusOK, list[T]{Data: data, Next: next})
}

// sendJSON writes an answer that was encoded whole before its status, so that a value that cannot be encoded is a clean 500.
func sendJSON(c echo.Context, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	// net/http counts only short bodies by itself, and those of HEAD not at all.
	c.Response().Header().Set("Content-Length", strconv.Itoa(len(body)))
	return c.JSONBlob(status, body)
}

// convert maps store rows to what the API shows.
func convert[From, To any](rows []From, to func(From) To) []To {
	out := make([]To, len(rows))
	for i, row := range rows {
		out[i] = to(row)
	}
	return out
}
