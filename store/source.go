package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// SourceCounts is what one batch of an ingest key adds to the figures of its minute.
type SourceCounts struct {
	Source     string    // id of the ingest key; "" for requests without a valid one
	At         time.Time // of receipt
	Accepted   int64
	Duplicates int64
	Other      int64 // records that are no HTTP exchange
	Rejected   int64
	Refused    int64            // whole requests
	Gathered   int64            // accepted failures of clients under ManyNewClients
	Altered    int64            // duplicates that say something else than the first
	Lags       Lags             // of records by the time from event to receipt
	Codes      map[string]int64 // why records and requests were not taken
}

// lagClasses is how many classes of lag are told apart.
const lagClasses = 9

// LagClasses are the upper ends of the classes in which lags are counted; the last class has none.
func LagClasses() [lagClasses - 1]time.Duration {
	return [...]time.Duration{time.Second, 4 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute,
		30 * time.Minute, 6 * time.Hour, 24 * time.Hour}
}

// Lags counts records by how long after their event they were received. The zero value is empty.
type Lags struct {
	Records [lagClasses]int64 // by class of LagClasses
	Longest time.Duration
}

// Add counts one record. An event ahead of its receipt has no lag.
func (l *Lags) Add(lag time.Duration) {
	class := 0
	for _, end := range LagClasses() {
		if lag <= end {
			break
		}
		class++
	}
	l.Records[class]++
	l.Longest = max(l.Longest, lag)
}

// Merge adds other to l.
func (l *Lags) Merge(other Lags) {
	for class, n := range other.Records {
		l.Records[class] += n
	}
	l.Longest = max(l.Longest, other.Longest)
}

// Total is how many records were counted.
func (l Lags) Total() (n int64) {
	for _, records := range l.Records {
		n += records
	}
	return n
}

// Median is an upper end of the lag of half of the records: that of their class, or the longest lag where it is less. 0 without records.
func (l Lags) Median() time.Duration {
	half, ends := (l.Total()+1)/2, LagClasses()
	for class, n := range l.Records {
		if half -= n; half <= 0 && class < len(ends) && n > 0 {
			return min(ends[class], l.Longest)
		}
	}
	return l.Longest
}

// CountSource adds to the figures of a source's minute.
func (t *Tx) CountSource(ctx context.Context, c SourceCounts) error {
	source, minute := keyText(c.Source), floorTo(toMillis(c.At), minuteStep)
	args := []any{source, minute, c.At, c.Accepted, c.Duplicates, c.Other, c.Rejected, c.Refused, c.Gathered, c.Altered, c.Lags.Longest.Milliseconds()}
	for _, n := range c.Lags.Records {
		args = append(args, n)
	}
	if err := t.exec(ctx, countSource, args...); err != nil {
		return fmt.Errorf("count source %s: %w", source, err)
	}
	for _, code := range sortedKeys(c.Codes) {
		err := t.exec(ctx, `insert into source_reject (source, minute, code, count) values ($1, $2, $3, $4)
			on conflict (source, minute, code) do update set count = source_reject.count + excluded.count`, source, minute, code, c.Codes[code])
		if err != nil {
			return fmt.Errorf("count rejects of source %s: %w", source, err)
		}
	}
	return nil
}

const countSource = `insert into source_minute (source, minute, last_at, accepted, duplicates, other, rejected, refused, gathered, altered, lag_max,
		lag_0, lag_1, lag_2, lag_3, lag_4, lag_5, lag_6, lag_7, lag_8)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
	on conflict (source, minute) do update set
		last_at    = case when excluded.last_at > source_minute.last_at then excluded.last_at else source_minute.last_at end,
		accepted   = source_minute.accepted + excluded.accepted,
		duplicates = source_minute.duplicates + excluded.duplicates,
		other      = source_minute.other + excluded.other,
		rejected   = source_minute.rejected + excluded.rejected,
		refused    = source_minute.refused + excluded.refused,
		gathered   = source_minute.gathered + excluded.gathered,
		altered    = source_minute.altered + excluded.altered,
		lag_max    = case when excluded.lag_max > source_minute.lag_max then excluded.lag_max else source_minute.lag_max end,
		lag_0 = source_minute.lag_0 + excluded.lag_0, lag_1 = source_minute.lag_1 + excluded.lag_1,
		lag_2 = source_minute.lag_2 + excluded.lag_2, lag_3 = source_minute.lag_3 + excluded.lag_3,
		lag_4 = source_minute.lag_4 + excluded.lag_4, lag_5 = source_minute.lag_5 + excluded.lag_5,
		lag_6 = source_minute.lag_6 + excluded.lag_6, lag_7 = source_minute.lag_7 + excluded.lag_7,
		lag_8 = source_minute.lag_8 + excluded.lag_8`

// sourceKept is how long the figures of minutes are kept: a week to look back on, and a day more.
const sourceKept = 8 * 24 * time.Hour

// ForgetSources removes figures of minutes that are older than a source's page shows, and answers to idempotency keys whose time is over.
func (s *Store) ForgetSources(ctx context.Context) error {
	before := s.now().Add(-sourceKept)
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		for _, statement := range []string{`delete from source_minute where minute < $1`, `delete from source_reject where minute < $1`} {
			if err := tx.exec(ctx, statement, before); err != nil {
				return err
			}
		}
		return tx.exec(ctx, `delete from idempotency where expires_at <= $1`, s.now())
	})
	if err != nil {
		return fmt.Errorf("forget figures of sources: %w", err)
	}
	return nil
}

// A SourceMinute is what a source delivered in one minute of receipt.
type SourceMinute struct {
	Start, LastAt                                  time.Time
	Accepted, Duplicates, Other, Rejected, Refused int64
	Gathered                                       int64 // of those accepted
	Altered                                        int64 // of the duplicates
	Lags                                           Lags
}

// Records is how many records came, whatever became of them.
func (m SourceMinute) Records() int64 { return m.Accepted + m.Duplicates + m.Other + m.Rejected }

// SourceMinutes lists the minutes of receipt in [from, to) in which a source sent anything, in order.
func (s *Store) SourceMinutes(ctx context.Context, source string, from, to time.Time) ([]SourceMinute, error) {
	rows, err := s.readers.QueryContext(ctx, `select minute, last_at, accepted, duplicates, other, rejected, refused, gathered, altered, lag_max,
			lag_0, lag_1, lag_2, lag_3, lag_4, lag_5, lag_6, lag_7, lag_8
		from source_minute where source = $1 and minute >= $2 and minute < $3 order by minute`, keyText(source), toMillis(from), toMillis(to))
	if err != nil {
		return nil, fmt.Errorf("read minutes of source %s: %w", source, err)
	}
	list, err := collect(rows, scanSourceMinute)
	if err != nil {
		return nil, fmt.Errorf("read minutes of source %s: %w", source, err)
	}
	return list, nil
}

func scanSourceMinute(scan func(...any) error) (m SourceMinute, err error) {
	var start, last, longest int64
	into := []any{&start, &last, &m.Accepted, &m.Duplicates, &m.Other, &m.Rejected, &m.Refused, &m.Gathered, &m.Altered, &longest}
	for class := range m.Lags.Records {
		into = append(into, &m.Lags.Records[class])
	}
	err = scan(into...)
	m.Start, m.LastAt, m.Lags.Longest = fromMillis(start), fromMillis(last), time.Duration(longest)*time.Millisecond
	return m, err
}

// A CodeCount is how often records or requests of a source were not taken for one reason.
type CodeCount struct {
	Code  string
	Count int64
}

// SourceCodes lists why records and requests of a source were not taken in [from, to), the most frequent first.
func (s *Store) SourceCodes(ctx context.Context, source string, from, to time.Time) ([]CodeCount, error) {
	rows, err := s.readers.QueryContext(ctx, `select code, cast(sum(count) as bigint) from source_reject
		where source = $1 and minute >= $2 and minute < $3 group by code`, keyText(source), toMillis(from), toMillis(to))
	if err != nil {
		return nil, fmt.Errorf("read rejects of source %s: %w", source, err)
	}
	list, err := collect(rows, func(scan func(...any) error) (c CodeCount, err error) { return c, scan(&c.Code, &c.Count) })
	if err != nil {
		return nil, fmt.Errorf("read rejects of source %s: %w", source, err)
	}
	slices.SortFunc(list, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return list, nil
}

// A Source is an ingest key and what came with it.
type Source struct {
	Key     APIKey         // the zero key stands for requests without a valid one
	Minutes []SourceMinute // of the day up to its last request
	Codes   []CodeCount    // of the last day by the clock
	Held    int64          // rejected records that can be looked at
}

// ListSources returns every ingest key that is valid or sent something within the week, and first, when there were any
// within the day, the requests without a valid key.
func (s *Store) ListSources(ctx context.Context) ([]Source, error) {
	keys, err := s.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	list := []Source{}
	for _, key := range append([]APIKey{{}}, keys...) {
		if key.Scope != ScopeIngest && key.ID != "" {
			continue
		}
		source, err := s.source(ctx, key)
		if err != nil {
			return nil, err
		}
		if len(source.Minutes) > 0 || key.ID != "" && key.RevokedAt.IsZero() {
			list = append(list, source)
		}
	}
	return list, nil
}

// GetSource returns one source by the id of its key; ErrNotFound when there is no such ingest key.
func (s *Store) GetSource(ctx context.Context, id string) (Source, error) {
	key, err := scanKey(s.readers.QueryRowContext(ctx, `select `+keyColumns+` from api_key where id = $1 and scope = $2`,
		cleanText(id), string(ScopeIngest)).Scan)
	if err != nil {
		return Source{}, missing(err, "load source "+id)
	}
	return s.source(ctx, key)
}

func (s *Store) source(ctx context.Context, key APIKey) (Source, error) {
	out := Source{Key: key}
	now := s.now()
	var last sql.NullInt64
	err := s.readers.QueryRowContext(ctx, `select max(minute) from source_minute where source = $1`, keyText(key.ID)).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Source{}, fmt.Errorf("load source %s: %w", key.ID, err)
	}
	if end := fromMillis(last.Int64); last.Valid && now.Sub(end) < sourceKept && (key.ID != "" || now.Sub(end) < rhythmSpan) {
		if out.Minutes, err = s.SourceMinutes(ctx, key.ID, end.Add(-rhythmSpan), end.Add(time.Minute)); err != nil {
			return Source{}, err
		}
	}
	if out.Codes, err = s.SourceCodes(ctx, key.ID, now.Add(-rhythmSpan), now.Add(time.Minute)); err != nil {
		return Source{}, err
	}
	err = s.readers.QueryRowContext(ctx, `select count(*) from reject where source = $1`, keyText(key.ID)).Scan(&out.Held)
	if err != nil {
		return Source{}, fmt.Errorf("count rejects of source %s: %w", key.ID, err)
	}
	return out, nil
}
