package store

import (
	"context"
	"fmt"
	"time"
)

// Storage says what the database takes and what it holds.
type Storage struct {
	Used     int64     // bytes in use, of failures and of everything else
	Free     int64     // bytes in the file that wait to be used again
	Failures int64     // kept
	OldestAt time.Time // event of the oldest of them; zero when there is none
	PerDay   float64   // failures a day, over the last week or as long as there are any
}

// storageWeek is the time from which the rate is taken: all days of a week, which differ.
const storageWeek = 7 * 24 * time.Hour

// Forecast is how many bytes will be in use once failures are kept for an age and come as fast as lately: those of today and
// the share of each failure that is still to come. Retention works in the same bytes.
func (s Storage) Forecast(records time.Duration) int64 {
	if s.Failures == 0 {
		return s.Used
	}
	each := float64(s.Used) / float64(s.Failures)
	return int64(each * s.PerDay * records.Hours() / 24)
}

// GetStorage measures. It counts by the rollups: nothing is read row by row.
func (s *Store) GetStorage(ctx context.Context) (Storage, error) {
	var out Storage
	if err := s.readers.QueryRowContext(ctx, s.writes.dialect.size).Scan(&out.Used, &out.Free); err != nil {
		return Storage{}, fmt.Errorf("measure database: %w", err)
	}
	var oldest rowID
	err := s.readers.QueryRowContext(ctx, `select coalesce(min(id), 0) from failure`).Scan((*int64)(&oldest))
	if err != nil {
		return Storage{}, fmt.Errorf("find oldest failure: %w", err)
	}
	if oldest == 0 {
		return out, nil
	}
	now := s.now()
	out.OldestAt = fromMillis(oldest.millis())
	kept, err := s.countFailures(ctx, out.OldestAt, now)
	if err != nil {
		return Storage{}, err
	}
	out.Failures = kept
	week := now.Add(-storageWeek)
	if out.OldestAt.After(week) {
		week = out.OldestAt
	}
	lately, err := s.countFailures(ctx, week, now)
	if err != nil {
		return Storage{}, err
	}
	out.PerDay = float64(lately) / max(now.Sub(week).Hours()/24, 1./24)
	return out, nil
}

// countFailures counts the failures of a time, and of a day beyond it: some clocks are ahead.
func (s *Store) countFailures(ctx context.Context, from, to time.Time) (n int64, err error) {
	begin, end := wholeMinutes(from, to.Add(24*time.Hour))
	tx, err := beginReading(ctx, s.readers)
	if err != nil {
		return 0, fmt.Errorf("count failures: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	read := countReader{tx: tx, grain: byNothing, filter: seriesFilter{failed: true}, window: window{begin, end, end - begin}}
	counts, err := readCounts(ctx, read, func(series) bool { return true })
	if err != nil {
		return 0, fmt.Errorf("count failures: %w", err)
	}
	for _, steps := range counts {
		n += steps[0]
	}
	return n, nil
}
