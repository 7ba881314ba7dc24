package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Failures are found by the ids of request and trace in slices: each holds what came in one stretch of time, in the order
// of the ids' digests. So a write meets only the pages of the newest slice however many failures there are, and a
// search looks into each slice once.

const (
	sliceSize = 1 << 14 // entries, after which a new slice is begun
	sliceTime = 24 * time.Hour
)

// A slicer knows the slice that is written to now.
type slicer struct {
	id      int64 // when it was begun, in milliseconds
	entries int
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

// nameDigest is 64 bits that stand for a text.
func nameDigest(text string) int64 {
	sum := sha256.Sum256([]byte(text))
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
	binary.BigEndian.PutUint64(e[:], uint64(nameDigest(kind+name)))
	binary.BigEndian.PutUint64(e[8:], uint64(id))
	return e
}

func (e entry) failure() rowID { return rowID(binary.BigEndian.Uint64(e[8:])) }

// The kinds of ids, as in Pending.JoinKey.
const (
	byRequest = "request:"
	byTrace   = "trace:"
)

// noteRequests makes stored failures findable by the ids of their request and trace.
func (t *Tx) noteRequests(ctx context.Context, list []Failure) error {
	entries := make([]entry, 0, 2*len(list))
	for i := range list {
		if f := &list[i]; f.RequestID != "" {
			entries = append(entries, entryOf(byRequest, f.RequestID, f.id))
		}
		if f := &list[i]; f.TraceID != "" {
			entries = append(entries, entryOf(byTrace, f.TraceID, f.id))
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a[:], b[:]) })
	for chunk := range slices.Chunk(entries, claimSize) {
		packed := make([]byte, 0, len(chunk)*len(entry{}))
		for _, e := range chunk {
			packed = append(packed, e[:]...)
		}
		err := t.exec(ctx, `insert into failure_request (entry, slice) select substr(cast($1 as `+t.dialect.bytes+`), i * 16 + 1, 16), $2 from number
			where i < $3 on conflict do nothing`, packed, t.slices.slice(t.now(), len(chunk)), int64(len(chunk)))
		if err != nil {
			return fmt.Errorf("note requests: %w", err)
		}
	}
	return nil
}

// entriesOf finds the entries between two digests in every slice. The slices are found one from the other: to list them
// otherwise would be to read the whole table.
const entriesOf = `with recursive part(id) as (
		select max(slice) from failure_request
		union all select (select max(slice) from failure_request where slice < part.id) from part where part.id is not null)
	select entry from part join failure_request on slice = part.id and entry >= $1 and entry <= $2`

func entryBounds(kind, name string) (from, to []byte) {
	low, high := entryOf(kind, keyText(name), 0), entryOf(kind, keyText(name), 1<<63-1)
	return low[:], high[:]
}

func scanEntry(scan func(...any) error) (rowID, error) {
	var e []byte
	if err := scan(&e); err != nil {
		return 0, err
	}
	return entry(e).failure(), nil
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
	var found []rowID
	for _, name := range f.RequestIDs {
		from, to := entryBounds(byRequest, name)
		rows, err := s.readers.QueryContext(ctx, entriesOf, from, to)
		if err != nil {
			return nil, fmt.Errorf("find requests: %w", err)
		}
		list, err := collect(rows, scanEntry)
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
	var found []rowID
	find := func(kind string, names []string) error {
		for _, name := range names {
			if name == "" {
				continue
			}
			from, to := entryBounds(kind, name)
			rows, err := t.query(ctx, entriesOf, from, to)
			if err != nil {
				return err
			}
			list, err := collect(rows, scanEntry)
			if err != nil {
				return err
			}
			found = append(found, newestFirst(list, joinLimit)...)
		}
		return nil
	}
	err := find(byRequest, requestIDs)
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
