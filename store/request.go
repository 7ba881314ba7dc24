package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Failures are found by the ids of request and trace in slices: each holds what came in one stretch of time, in the order
// of the ids' digests. So a write meets only the pages of the newest slice however many failures there are, and a
// search looks into each slice once.
//
// Even there each entry of a small write is a page. So SQLite leaves the entries of a write in one row of
// failure_request_new, where they are as durable and whoever looks finds them, and files the rows of many writes together:
// all of a slice anew, in order, so that a row holds many entries. Replicas file each entry in a row of its own.

const (
	sliceSize = 1 << 15 // entries, after which a new slice is begun
	sliceTime = 24 * time.Hour
	sliceRow  = 15  // entries of a row: of longer rows few fit on the pages that lead to others
	newRows   = 128 // which a search has to read at most
)

// A slicer knows the slice that is written to now, and about how much is new.
type slicer struct {
	id      int64 // when it was begun, in milliseconds
	entries int

	rows, rowEntries int  // that are not filed
	known            bool // how many: an earlier process may have left some

	list, sorted []entry // room for those of a write, and for those of a slice
}

// isDue reports whether what is new is to be filed, with a row of n entries more.
func (s *slicer) isDue(n int) bool {
	s.rows, s.rowEntries = s.rows+1, s.rowEntries+n
	if s.known && s.rows < newRows && s.rowEntries < sliceSize {
		return false
	}
	s.rows, s.rowEntries, s.known = 0, 0, true
	if s.entries > sliceSize/2 {
		s.entries = sliceSize // what is filed is not to be filed again for the little that still fits
	}
	return true
}

// slice is where n entries are to be written.
func (s *slicer) slice(now time.Time, n int) int64 {
	ms := toMillis(now)
	if s.id == 0 || s.entries+n > sliceSize || ms-s.id >= sliceTime.Milliseconds() {
		s.id, s.entries = max(ms, s.id+1), 0
	}
	s.entries += n
	return s.id
}

// nameDigest is 64 bits that stand for a text, which is given in parts.
func nameDigest(parts ...string) int64 {
	var room [128]byte
	text := room[:0]
	for _, part := range parts {
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:]))
}

func nameDigests(list []string) []int64 {
	out := make([]int64, len(list))
	for i, s := range list {
		out[i] = nameDigest(keyText(s))
	}
	return out
}

// An entry is a digest of an id of request or trace, and the failure that has it.
type entry [16]byte

func entryOf(kind, name string, id rowID) (e entry) {
	binary.BigEndian.PutUint64(e[:], uint64(nameDigest(kind, name)))
	binary.BigEndian.PutUint64(e[8:], uint64(id))
	return e
}

func (e entry) failure() rowID { return rowID(binary.BigEndian.Uint64(e[8:])) }

func (e entry) compare(other entry) int { return bytes.Compare(e[:], other[:]) }

// sortedEntries returns the entries in order, in room if there is enough. Digests lie evenly over all numbers: so as many equal parts of
// those as there are entries have about one each, and little is left to be sorted.
func sortedEntries(list, room []entry) []entry {
	shift := 64 - bits.Len(uint(len(list)))
	part := func(e *entry) uint64 { return binary.BigEndian.Uint64(e[:]) >> shift }
	ends := make([]int32, 1<<(64-shift)+1)
	for i := range list {
		ends[part(&list[i])+1]++
	}
	for i := range len(ends) - 1 {
		ends[i+1] += ends[i]
	}
	sorted := slices.Grow(room[:0], len(list))[:len(list)]
	for i := range list {
		end := &ends[part(&list[i])] // as yet the part's begin
		sorted[*end] = list[i]
		*end++
	}
	begin := int32(0)
	for _, end := range ends {
		if end-begin > 1 {
			slices.SortFunc(sorted[begin:end], entry.compare)
		}
		begin = end
	}
	return sorted
}

// The kinds of ids, as in Pending.JoinKey.
const (
	byRequest = "request:"
	byTrace   = "trace:"
)

// noteRequests makes stored failures findable by the ids of their request and trace.
func (t *Tx) noteRequests(ctx context.Context, list []Failure) error {
	entries := slices.Grow(t.slices.list[:0], 2*len(list))
	for i := range list {
		if f := &list[i]; f.RequestID != "" {
			entries = append(entries, entryOf(byRequest, f.RequestID, f.id))
		}
		if f := &list[i]; f.TraceID != "" {
			entries = append(entries, entryOf(byTrace, f.TraceID, f.id))
		}
	}
	for chunk := range slices.Chunk(entries, claimSize) {
		if err := t.noteEntries(ctx, t.slices.slice(t.now(), len(chunk)), chunk); err != nil {
			return fmt.Errorf("note requests: %w", err)
		}
	}
	t.slices.list = roomOf(entries)
	return nil
}

// roomOf is the room of a list, if it is worth keeping.
func roomOf(list []entry) []entry {
	if cap(list) > 4*sliceSize {
		return nil
	}
	return list
}

func (t *Tx) noteEntries(ctx context.Context, slice int64, list []entry) error {
	if t.dialect.othersWrote == "" { // replicas would wait for each other to file the same rows
		return t.fileEntries(ctx, slice, sortedEntries(list, nil))
	}
	t.body = packEntries(t.body[:0], list)
	err := t.exec(ctx, `insert into failure_request_new (id, slice, entries) values ($1, $2, $3)`, newRef(), slice, t.body)
	if err == nil && t.slices.isDue(len(list)) {
		err = t.fileNew(ctx)
	}
	return err
}

// packEntries appends entries as they are kept.
func packEntries(packed []byte, list []entry) []byte {
	for _, e := range list {
		packed = append(packed, e[:]...)
	}
	return packed
}

// fileNew files what is new, with what was filed in the same slices before.
func (t *Tx) fileNew(ctx context.Context) error {
	all, err := newEntries(context.WithoutCancel(ctx), t.conn, `delete from failure_request_new returning slice, entries`, sliceSize)
	if err != nil {
		return err
	}
	for slice, list := range all {
		if err := t.fileSlice(ctx, slice, list); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) fileSlice(ctx context.Context, slice int64, list []entry) error {
	was, err := t.query(ctx, `delete from failure_request where slice = $1 returning entry, more`, slice)
	if err != nil {
		return err
	}
	if err := filedEntries(was, func(e entry) { list = append(list, e) }); err != nil {
		return err
	}
	sorted := sortedEntries(list, t.slices.sorted)
	t.slices.sorted = roomOf(sorted)
	return t.writeSliceRows(ctx, slice, sorted)
}

// writeSliceRows adds entries, which are in order, to a slice that has none between them.
func (t *Tx) writeSliceRows(ctx context.Context, slice int64, list []entry) error {
	rows := t.rowList(ctx, `insert into failure_request (slice, entry, more) values `, 3, ``)
	for row := range slices.Chunk(slices.Compact(list), sliceRow) {
		packed := packEntries(make([]byte, 0, len(row)*len(entry{})), row)
		rows.add(slice, packed[:len(entry{})], packed[len(entry{}):])
	}
	return rows.end()
}

// fileEntries files each entry in a row of its own.
func (t *Tx) fileEntries(ctx context.Context, slice int64, list []entry) error {
	t.body = packEntries(t.body[:0], list)
	return t.exec(ctx, `insert into failure_request (entry, slice) select substr(cast($1 as `+t.dialect.bytes+`), i * 16 + 1, 16), $2 from number
		where i < $3 on conflict do nothing`, t.body, slice, int64(len(list)))
}

var errDamagedEntries = errors.New("the ids of new requests are damaged")

// newEntries runs a query for slices and their new entries, of which a slice has about so many.
func newEntries(ctx context.Context, from rowsQuerier, query string, about int) (map[int64][]entry, error) {
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	all := map[int64][]entry{}
	_, err = collect(rows, func(scan func(...any) error) (struct{}, error) {
		var slice int64
		var packed sql.RawBytes
		if err := scan(&slice, &packed); err != nil {
			return struct{}{}, err
		}
		list, known := all[slice]
		if !known {
			list = make([]entry, 0, about)
		}
		err := unpackEntries(packed, func(e entry) { list = append(list, e) })
		all[slice] = list
		return struct{}{}, err
	})
	return all, err
}

// unpackEntries hands over entries that packEntries has packed.
func unpackEntries(packed []byte, each func(entry)) error {
	if len(packed)%len(entry{}) != 0 {
		return errDamagedEntries
	}
	for e := range slices.Chunk(packed, len(entry{})) {
		each(entry(e))
	}
	return nil
}

// filedEntries hands over the entries of rows, of which each has the first and those that follow it.
func filedEntries(rows *sql.Rows, each func(entry)) error {
	_, err := collect(rows, func(scan func(...any) error) (struct{}, error) {
		var first, more sql.RawBytes
		if err := scan(&first, &more); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, errors.Join(unpackEntries(first, each), unpackEntries(more, each))
	})
	return err
}

// A requestFinder finds failures by the ids of their request and trace.
type requestFinder struct {
	from rowsQuerier
	new  []entry // sorted
}

// newRequestFinder reads what is new, before the finder looks into the slices: what is filed meanwhile is in both.
func newRequestFinder(ctx context.Context, from rowsQuerier) (requestFinder, error) {
	all, err := newEntries(ctx, from, `select slice, entries from failure_request_new`, 0)
	list := slices.Concat(slices.Collect(maps.Values(all))...)
	slices.SortFunc(list, entry.compare)
	return requestFinder{from, list}, err
}

// sliceNumbers finds the slices one from the other: to list them otherwise would be to read the whole table.
const sliceNumbers = `with recursive part(id) as (
		select max(slice) from failure_request
		union all select (select max(slice) from failure_request where slice < part.id) from part where part.id is not null)`

// entriesOf finds the rows of every slice that may hold entries between two: the last that begins before, and all that begin
// there.
const entriesOf = sliceNumbers + `
	select entry, more from part join failure_request on slice = part.id
		and entry >= coalesce((select entry from failure_request where slice = part.id and entry <= $1 order by entry desc limit 1), $1) and entry <= $2`

// find returns the failures of one id, in no order; one may be there twice.
func (r requestFinder) find(ctx context.Context, kind, name string) ([]rowID, error) {
	first, last := entryOf(kind, keyText(name), 0), entryOf(kind, keyText(name), 1<<63-1)
	rows, err := r.from.QueryContext(ctx, entriesOf, first[:], last[:])
	if err != nil {
		return nil, err
	}
	var list []rowID
	err = filedEntries(rows, func(e entry) {
		if e.compare(first) >= 0 && e.compare(last) <= 0 {
			list = append(list, e.failure())
		}
	})
	for i, _ := slices.BinarySearchFunc(r.new, first, entry.compare); i < len(r.new) && r.new[i].compare(last) <= 0; i++ {
		list = append(list, r.new[i].failure())
	}
	return list, err
}

// newestFirst sorts ids, drops repeated ones and keeps the newest.
func newestFirst(list []rowID, limit int) []rowID {
	slices.SortFunc(list, func(a, b rowID) int { return int(max(-1, min(1, b-a))) })
	list = slices.Compact(list)
	return list[:min(len(list), limit)]
}

// namedLimit bounds the failures of one request id that a list shows: an id that more share names nothing.
const namedLimit = 1000

// failuresNamed returns the ids before one of failures with one of the filter's request ids, newest first.
func (s *Store) failuresNamed(ctx context.Context, f FailureFilter, before rowID) ([]rowID, error) {
	finder, err := newRequestFinder(ctx, s.readers)
	if err != nil {
		return nil, fmt.Errorf("find new requests: %w", err)
	}
	var found []rowID
	for _, name := range f.RequestIDs {
		list, err := finder.find(ctx, byRequest, name)
		if err != nil {
			return nil, fmt.Errorf("find requests: %w", err)
		}
		found = append(found, list...)
	}
	found = slices.DeleteFunc(found, func(id rowID) bool { return id >= before })
	return newestFirst(found, namedLimit), nil
}

// joinLimit bounds what one request id can pull in: an id that every request repeats is no identity.
const joinLimit = 200

// FailuresByRequest returns failures with one of these request ids or trace ids, for the late join of a token: the
// newest 200 of each id, oldest event first.
func (t *Tx) FailuresByRequest(ctx context.Context, requestIDs, traceIDs []string) ([]Failure, error) {
	finder, err := newRequestFinder(context.WithoutCancel(ctx), t.conn)
	if err != nil {
		return nil, fmt.Errorf("find new requests: %w", err)
	}
	var found []rowID
	find := func(kind string, names []string) error {
		for _, name := range names {
			if name == "" {
				continue
			}
			list, err := finder.find(context.WithoutCancel(ctx), kind, name)
			if err != nil {
				return err
			}
			found = append(found, newestFirst(list, joinLimit)...)
		}
		return nil
	}
	err = find(byRequest, requestIDs)
	if err == nil {
		err = find(byTrace, traceIDs)
	}
	if err != nil {
		return nil, fmt.Errorf("find failures by request: %w", err)
	}
	found = newestFirst(found, len(found))
	slices.Reverse(found)
	var list []Failure
	for chunk := range slices.Chunk(found, joinLimit) {
		marks := make([]string, len(chunk))
		args := make([]any, len(chunk))
		for i, id := range chunk {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), int64(id)
		}
		some, err := t.failures(ctx, `select `+failureColumns+` from failure where id in (`+strings.Join(marks, ", ")+`) order by id`, args...)
		if err != nil {
			return nil, fmt.Errorf("load failures of requests: %w", err)
		}
		list = append(list, some...)
	}
	return list, nil
}
