package store

import (
	"encoding/base64"
	"encoding/json"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// A Page is one step through a list: at most Limit rows (0 means 50, never more than 200) after Cursor ("" is the start).
type Page struct {
	Limit  int
	Cursor string
}

// rows is how many rows a page asks for.
func (p Page) rows() int {
	switch {
	case p.Limit <= 0:
		return defaultLimit
	case p.Limit > maxLimit:
		return maxLimit
	}
	return p.Limit
}

// A cursor is the sort key of the last row of a page, in the order named by List.
type cursor struct {
	List string   `json:"l"`
	Key  int64    `json:"k"`
	Tie  []string `json:"t"` // what tells rows of one key apart
}

func (c cursor) String() string {
	text, _ := json.Marshal(c) // of numbers and strings: cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// readCursor reads the cursor of a list; ok is false at the start of the list.
func readCursor(text, list string, ties int) (c cursor, ok bool, err error) {
	if text == "" {
		return cursor{}, false, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &c) != nil || c.List != list || len(c.Tie) != ties {
		return cursor{}, false, ErrInvalidCursor
	}
	return c, true, nil
}

// cut returns the rows of a page from one more than asked for, and whether there are more.
func cut[T any](list []T, limit int) ([]T, bool) {
	if len(list) <= limit {
		return list, false
	}
	return list[:limit], true
}
