package store

import (
	"context"
	"strconv"
	"strings"
)

// A rowList is rows that a statement is run for, as many at a time as one statement takes.
type rowList struct {
	tx         *Tx
	ctx        context.Context
	head, tail string // of the statement, before the values of the rows and after them
	columns    int
	values     []any
	err        error // the first
}

func (t *Tx) rowList(ctx context.Context, head string, columns int, tail string) *rowList {
	l := &rowList{tx: t, ctx: ctx, head: head, tail: tail, columns: columns, values: t.values[:0]}
	t.values = nil // until its end
	return l
}

// add adds a row, for which the statement is run sooner or later.
func (l *rowList) add(row ...any) {
	if l.values = append(l.values, row...); len(l.values) == rowsAtOnce*l.columns {
		l.run()
	}
}

func (l *rowList) run() {
	if l.err == nil {
		l.err = eachRows(l.values, l.columns, func(n int, values []any) error {
			return l.tx.exec(l.ctx, l.tx.rows.statement(l.head, n, l.columns, l.tail), values...)
		})
	}
	clear(l.values)
	l.values = l.values[:0]
}

// end runs the statement for the last rows.
func (l *rowList) end() error {
	l.run()
	l.tx.values = l.values
	return l.err
}

const rowsAtOnce = 64 // that one statement inserts at most, a power of four

// eachRows cuts the parameters of many rows into those of full statements and of ever smaller ones, so that a few
// prepared statements serve any number.
func eachRows(args []any, columns int, do func(n int, args []any) error) error {
	return cutRows(rowsAtOnce, args, columns, do)
}

// cutRows is eachRows for statements of at most n rows, a power of four.
func cutRows(n int, args []any, columns int, do func(n int, args []any) error) error {
	for len(args) > 0 {
		for len(args) < n*columns {
			n /= 4
		}
		if err := do(n, args[:n*columns]); err != nil {
			return err
		}
		args = args[n*columns:]
	}
	return nil
}

// rowTexts are the texts of statements for rows of parameters that were asked for, of which there are few.
type rowTexts map[rowText]string

type rowText struct {
	head, tail string
	n, columns int
}

// of is the text of the rows alone.
func (r rowTexts) of(n, columns int) string { return r.statement("", n, columns, "") }

func (r rowTexts) statement(head string, n, columns int, tail string) string {
	key := rowText{head, tail, n, columns}
	text, known := r[key]
	if !known {
		text = head + valueRows(n, columns) + tail
		r[key] = text
	}
	return text
}

// valueRows is the text of n rows of parameters.
func valueRows(n, columns int) string {
	var b strings.Builder
	for row := range n {
		b.WriteString([]string{"(", ", ("}[min(row, 1)])
		for column := range columns {
			b.WriteString([]string{"$", ", $"}[min(column, 1)])
			b.WriteString(strconv.Itoa(row*columns + column + 1))
		}
		b.WriteByte(')')
	}
	return b.String()
}
