package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// When a client was accepted is kept to the minute, with the first and the last time in it. The minutes of an hour share
// a row: one for each would be the largest table of a quiet day.

// An acceptedMinute is a minute of an hour in which a client was accepted. Times are in milliseconds.
type acceptedMinute struct{ first, last int64 }

func (m acceptedMinute) start() int64 { return floorTo(m.first, minuteStep) }

// acceptedMinutes are of one hour and in rising order.
type acceptedMinutes []acceptedMinute

// add merges rising times of the hour into the minutes.
func (list acceptedMinutes) add(times []int64) acceptedMinutes {
	for _, at := range times {
		i, found := slices.BinarySearchFunc(list, floorTo(at, minuteStep), func(m acceptedMinute, start int64) int { return int(m.start() - start) })
		if !found {
			list = slices.Insert(list, i, acceptedMinute{at, at})
		}
		list[i].first, list[i].last = min(list[i].first, at), max(list[i].last, at)
	}
	return list
}

// encode writes for each minute its number in the hour, when in it the first was, and how much later the last.
func (list acceptedMinutes) encode() []byte {
	b := make([]byte, 0, 6*len(list))
	for _, m := range list {
		start := m.start()
		b = append(b, byte((start-floorTo(start, hourStep))/minuteStep))
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(m.first-start)), uint64(m.last-m.first))
	}
	return b
}

func decodeMinutes(hour int64, b []byte) (list acceptedMinutes, err error) {
	for len(b) > 0 {
		start := hour + int64(b[0])*minuteStep
		first, n := binary.Uvarint(b[1:])
		if n <= 0 {
			return nil, errDamagedCounts
		}
		b = b[1+n:]
		later, n := binary.Uvarint(b)
		if n <= 0 || first >= uint64(minuteStep) || later >= uint64(minuteStep) {
			return nil, errDamagedCounts
		}
		b = b[n:]
		list = append(list, acceptedMinute{start + int64(first), start + int64(first+later)})
	}
	return list, nil
}

// writeSuccesses keeps when clients were accepted. Their rows in client are locked, so that replicas take turns.
func (t *Tx) writeSuccesses(ctx context.Context, keys []clientKey, all map[clientKey]*clientFigures, rows map[clientKey]clientRow) error {
	for _, k := range keys {
		if k.clientID == "" {
			continue // of many clients: nobody asks when
		}
		for rest := all[k].accepted; len(rest) > 0; {
			hour := floorTo(rest[0], hourStep)
			n, _ := slices.BinarySearch(rest, hour+hourStep)
			if err := t.writeSuccessHour(ctx, rows[k].ref, hour, rest[:n]); err != nil {
				return fmt.Errorf("keep successes: %w", err)
			}
			rest = rest[n:]
		}
	}
	return nil
}

func (t *Tx) writeSuccessHour(ctx context.Context, client, hour int64, times []int64) error {
	var known []byte
	err := t.queryRow(ctx, `select minutes from success where client_ref = $1 and hour = $2`, client, hour).Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	minutes, err := decodeMinutes(hour, known)
	if err != nil {
		return err
	}
	return t.exec(ctx, `insert into success (client_ref, hour, minutes) values ($1, $2, $3)
		on conflict (client_ref, hour) do update set minutes = excluded.minutes`, client, hour, minutes.add(times).encode())
}

// Both look at two hours: all that is known of the one of ms may lie on the other side of it.
const (
	successesBefore = `select s.hour, s.minutes from success s join client c on c.ref = s.client_ref
		where c.provider = $1 and c.environment = $2 and c.client_id = $3 and s.hour <= $4 order by s.hour desc limit 2`
	successesAfter = `select s.hour, s.minutes from success s join client c on c.ref = s.client_ref
		where c.provider = $1 and c.environment = $2 and c.client_id = $3 and s.hour >= $4 order by s.hour limit 2`
)

// successBefore is the client's last accepted exchange before ms, 0 if none is known. In the minute of ms itself only
// the first and the last are known: of several the first may be answered where a later one was still before ms.
func (t *Tx) successBefore(ctx context.Context, k clientKey, ms int64) (int64, error) {
	list, err := t.successMinutes(ctx, successesBefore, k, ms)
	if err != nil {
		return 0, fmt.Errorf("find last success: %w", err)
	}
	var before int64
	for _, m := range list {
		if m.last < ms {
			before = max(before, m.last)
		} else if m.first < ms {
			before = max(before, m.first)
		}
	}
	return before, nil
}

// successAfter is the client's first accepted exchange after ms, with the same limit in the minute of ms.
func (t *Tx) successAfter(ctx context.Context, k clientKey, ms int64) (after int64, err error) {
	list, err := t.successMinutes(ctx, successesAfter, k, ms)
	if err != nil {
		return 0, fmt.Errorf("find first success: %w", err)
	}
	for _, m := range list {
		if m.first > ms {
			after = earliest(after, m.first)
		} else if m.last > ms {
			after = earliest(after, m.last)
		}
	}
	return after, nil
}

func (t *Tx) successMinutes(ctx context.Context, query string, k clientKey, ms int64) (acceptedMinutes, error) {
	rows, err := t.query(ctx, query, k.provider, k.environment, k.clientID, floorTo(ms, hourStep))
	if err != nil {
		return nil, err
	}
	return collectMinutes(rows)
}

// collectMinutes reads rows of an hour and its minutes.
func collectMinutes(rows *sql.Rows) (acceptedMinutes, error) {
	hours, err := collect(rows, func(scan func(...any) error) (acceptedMinutes, error) {
		var hour int64
		var minutes sql.RawBytes
		if err := scan(&hour, &minutes); err != nil {
			return nil, err
		}
		return decodeMinutes(hour, minutes)
	})
	return slices.Concat(hours...), err
}
