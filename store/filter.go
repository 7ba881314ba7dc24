package store

import (
	"strconv"
	"strings"
	"time"
)

// A where collects the conditions of a filter. Values only ever become parameters.
type where struct {
	conditions []string
	args       []any
}

// arg adds a parameter and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

// and adds a condition in which each ? stands for the next of args.
func (w *where) and(condition string, args ...any) {
	var b strings.Builder
	for _, r := range condition {
		if r == '?' {
			b.WriteString(w.arg(args[0]))
			args = args[1:]
			continue
		}
		b.WriteRune(r)
	}
	w.conditions = append(w.conditions, b.String())
}

// in adds "column is one of values"; no values select all.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.arg(v)
	}
	w.conditions = append(w.conditions, column+" in ("+strings.Join(marks, ", ")+")")
}

// between adds the half-open window [from, to); a zero time leaves its side open.
func (w *where) between(column string, from, to time.Time) {
	if !from.IsZero() {
		w.and(column+` >= ?`, from)
	}
	if !to.IsZero() {
		w.and(column+` < ?`, to)
	}
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return "1 = 1"
	}
	return strings.Join(w.conditions, " and ")
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

func numbers[T ~int | ~int64](list []T) []int64 {
	out := make([]int64, len(list))
	for i, v := range list {
		out[i] = int64(v)
	}
	return out
}
