package store

import (
	"context"
	"slices"
	"time"
)

// Slices of a minute that is over become one, then those of an hour and of a day.

func sliceMerger() merger {
	return merger{
		what:    "slices of requests",
		numbers: sliceNumbers + ` select id from part where id is not null`,
		rows:    `select entry from failure_request where slice = $1 and entry >= $2 order by entry limit 1 offset $3`,
		choose:  slicesOfSpan,
		move:    moveEntries,
	}
}

// slicesOfSpan are the oldest slices that are of one day, hour or minute, if that is over: then nothing is filed in them any more.
func slicesOfSpan(list []int64) []int64 {
	for len(list) > 0 {
		span := spanOf(list[0], list[len(list)-1])
		n := 1
		for n < len(list) && n < mergedLists && list[n]/span == list[0]/span {
			n++
		}
		if n > 1 {
			return list[:n]
		}
		list = list[1:]
	}
	return nil
}

// spanOf is the longest span of a slice that is over by the newest, 1 if none is.
func spanOf(slice, newest int64) int64 {
	for _, span := range [...]time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		if ms := span.Milliseconds(); slice/ms != newest/ms {
			return ms
		}
	}
	return 1
}

// moveEntries moves entries to a slice of their own that begins a moment after the last of those that had them, and is forgotten with it.
func moveEntries(ctx context.Context, t *Tx, list []int64, into *int64, from, to []byte) error {
	var moved []entry
	for _, slice := range list {
		rows, err := t.query(ctx, `delete from failure_request where slice = $1 and entry >= $2 and entry < $3 returning entry, more`, slice, from, to)
		if err != nil {
			return err
		}
		var beyond []entry
		err = filedEntries(rows, func(e entry) {
			if slices.Compare(e[:], to) < 0 {
				moved = append(moved, e)
			} else {
				beyond = append(beyond, e)
			}
		})
		if err != nil {
			return err
		}
		if err := t.writeSliceRows(ctx, slice, beyond); err != nil {
			return err
		}
	}
	if *into == 0 {
		slice, err := t.sliceAfter(ctx, list[len(list)-1])
		if err != nil {
			return err
		}
		*into = slice
	}
	return t.writeSliceRows(ctx, *into, sortedEntries(moved, nil))
}

// sliceAfter is the first number after one that no slice has.
func (t *Tx) sliceAfter(ctx context.Context, slice int64) (int64, error) {
	for taken := true; taken; {
		slice++
		if err := t.queryRow(ctx, `select exists (select 1 from failure_request where slice = $1)`, slice).Scan(&taken); err != nil {
			return 0, err
		}
	}
	return slice, nil
}
