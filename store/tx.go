package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// A Tx is one caller's share of a write transaction.
type Tx struct {
	conn    *sql.Conn
	dialect dialect
	now     func() time.Time
	mine    *sums // of this write
	group   *sums // of the writes before it in the transaction
	settled bool  // the group's figures are written
	*memory
}

// A memory is what the writer remembers from one transaction to the next. It is the writer's goroutine's alone, but for what
// guards itself.
type memory struct {
	templates *templates
	facts     *factCache // nil where other processes write too
	episodes  map[clientKey]*episodes
	backlog   *backlog
	storm     *storm
	room      int   // for templates; below 0: none
	roomOn    int64 // the day on which it was counted
	slices    slicer
	tails     tails
	incidents ids
	args      []driver.NamedValue // room for those of one statement,
	values    []any               // for the same before they are bound,
	body      []byte              // and for what is put off
	rows      rowTexts
	grouping  grouping
	suspects  suspicion
	shares    episodeShares // room for those of one key
}

// undone forgets what writes that were rolled back may have left: episodes of incidents that are not there any more, and a count of
// templates with some that are not.
func (m *memory) undone() {
	clear(m.episodes)
	m.room = 0
}

// exec runs a statement; ctx lends its values but cannot end it (see newJob).
func (t *Tx) exec(ctx context.Context, query string, args ...any) error {
	return t.onDriver(args, func(conn any) error {
		return t.dialect.exec(context.WithoutCancel(ctx), conn, query, t.args)
	})
}

// execCount is exec that says how many rows were changed.
func (t *Tx) execCount(ctx context.Context, query string, args ...any) (changed int64, err error) {
	err = t.onDriver(args, func(conn any) error {
		result, err := conn.(driver.ExecerContext).ExecContext(context.WithoutCancel(ctx), query, t.args)
		if err == nil {
			changed, err = result.RowsAffected()
		}
		return err
	})
	return changed, err
}

// onDriver gives the driver the arguments in a list that all statements share: database/sql would make two of its own
// for each, and a batch has thousands of arguments.
func (t *Tx) onDriver(args []any, run func(conn any) error) (err error) {
	defer func() { clear(t.args) }()
	if t.args, err = appendBound(t.args[:0], args); err != nil {
		return err
	}
	return t.conn.Raw(run)
}

// appendBound appends arguments as bind makes them, for a driver.
func appendBound(list []driver.NamedValue, args []any) ([]driver.NamedValue, error) {
	for i, a := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(bound(a))
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		list = append(list, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return list, nil
}

// changed is exec that says whether a row was changed.
func (t *Tx) changed(ctx context.Context, query string, args ...any) (bool, error) {
	n, err := t.execCount(ctx, query, args...)
	return n > 0, err
}

// changeOne changes a row that this transaction has seen: it is there unless another replica has removed it since.
func (t *Tx) changeOne(ctx context.Context, query string, args ...any) error {
	there, err := t.changed(ctx, query, args...)
	if err == nil && !there {
		err = errRaced
	}
	return err
}

func (t *Tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.conn.QueryContext(context.WithoutCancel(ctx), query, bind(args)...)
}

func (t *Tx) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.conn.QueryRowContext(context.WithoutCancel(ctx), query, bind(args)...)
}

// bind makes arguments fit for either engine: times become Unix milliseconds, and text that PostgreSQL would refuse
// (NUL, bytes that are no UTF-8) is repaired, so that hostile text cannot fail a batch.
func bind(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = bound(a)
	}
	return out
}

func bound(arg any) any {
	switch v := arg.(type) {
	case time.Time:
		return toMillis(v)
	case string:
		if !isPlain(v) {
			return cleanText(v)
		}
	}
	return arg
}

// isPlain reports whether a text is, as nearly all are, ASCII without NUL.
func isPlain(s string) bool {
	const ones = ^uint64(0) / 255
	plain := 0
	for ; plain+8 <= len(s); plain += 8 {
		if x := eightBytes(s, plain); (x|(x-ones))&(128*ones) != 0 {
			break
		}
	}
	for plain < len(s) && s[plain]-1 < utf8.RuneSelf-1 {
		plain++
	}
	return plain == len(s)
}

func cleanText(s string) string {
	if isPlain(s) {
		return s
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// keyLength bounds text that is part of an index: PostgreSQL refuses an index row of more than 2704 bytes.
const keyLength = 256

// keyText is s as it is kept where rows are found by it. Of a longer one the start stays readable and a digest keeps it distinct.
func keyText(s string) string {
	s = cleanText(s)
	if len(s) <= keyLength {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	digest := "…" + base64.RawURLEncoding.EncodeToString(sum[:16])
	cut := keyLength - len(digest)
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + digest
}

func keyTexts(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = keyText(s)
	}
	return out
}

// toMillis is how a time is kept; the zero time is 0.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// newID returns prefix and a UUIDv7, so that ids grow with time and new rows land at the end of an index.
func newID(prefix string) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return prefix + id.String(), nil
}

// newRef returns a random positive number for rows that only other rows refer to.
func newRef() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}
