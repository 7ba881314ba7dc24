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

const minuteStep = int64(time.Minute / time.Millisecond)

// rollupSteps are the widths of buckets that are kept, in milliseconds, finest first. Each divides the next.
func rollupSteps() []int64 {
	return []int64{minuteStep, time.Hour.Milliseconds(), 24 * time.Hour.Milliseconds()}
}

// floorTo is the start of the bucket that holds ms.
func floorTo(ms, step int64) int64 {
	rest := ms % step
	if rest < 0 {
		rest += step
	}
	return ms - rest
}

// A series is what is counted together. cause is "" for accepted traffic.
type series struct {
	provider, environment, clientID, cause, endpoint string
}

func (f *Failure) series() series {
	v := f.Verdict
	return series{v.Provider, v.Environment, v.ClientID, string(v.Cause), f.Endpoint}
}

func (s series) compare(other series) int {
	return cmp.Or(cmp.Compare(s.provider, other.provider), cmp.Compare(s.environment, other.environment),
		cmp.Compare(s.clientID, other.clientID), cmp.Compare(s.cause, other.cause), cmp.Compare(s.endpoint, other.endpoint))
}

// rollupCounts are changes of counts by series and start of the minute.
type rollupCounts map[series]map[int64]int64

func (c rollupCounts) add(s series, at time.Time, n int64) {
	if c[s] == nil {
		c[s] = map[int64]int64{}
	}
	c[s][floorTo(toMillis(at), minuteStep)] += n
}

// addCounts adds the changes to every rollup. Negative ones take back what was counted before.
func (t *Tx) addCounts(ctx context.Context, counts rollupCounts) error {
	names := make([]series, 0, len(counts))
	for s := range counts {
		names = append(names, s)
	}
	slices.SortFunc(names, series.compare)
	for _, s := range names {
		id, err := t.seriesID(ctx, s)
		if err != nil {
			return fmt.Errorf("find series: %w", err)
		}
		for _, step := range rollupSteps() {
			if err := t.addBuckets(ctx, id, step, counts[s]); err != nil {
				return fmt.Errorf("count in rollup: %w", err)
			}
		}
	}
	return nil
}

func (t *Tx) addBuckets(ctx context.Context, id, step int64, minutes map[int64]int64) error {
	buckets := map[int64]int64{}
	for minute, n := range minutes {
		buckets[floorTo(minute, step)] += n
	}
	starts := make([]int64, 0, len(buckets))
	for start := range buckets {
		starts = append(starts, start)
	}
	slices.Sort(starts)
	for _, start := range starts {
		n := buckets[start]
		err := t.exec(ctx, `insert into rollup (step, bucket, series_id, count) values ($1, $2, $3, $4)
			on conflict (step, bucket, series_id) do update set count = rollup.count + excluded.count`, step, start, id, n)
		if err != nil {
			return err
		}
		if n >= 0 {
			continue
		}
		err = t.exec(ctx, `delete from rollup where step = $1 and bucket = $2 and series_id = $3 and count <= 0`, step, start, id)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) seriesID(ctx context.Context, s series) (int64, error) {
	find := func() (id int64, err error) {
		err = t.queryRow(ctx, `select id from series
			where provider = $1 and environment = $2 and client_id = $3 and cause = $4 and endpoint = $5`,
			s.provider, s.environment, s.clientID, s.cause, s.endpoint).Scan(&id)
		return id, err
	}
	id, err := find()
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	err = t.exec(ctx, `insert into series (id, provider, environment, client_id, cause, endpoint) values ($1, $2, $3, $4, $5, $6)
		on conflict (provider, environment, client_id, cause, endpoint) do nothing`,
		newRef(), s.provider, s.environment, s.clientID, s.cause, s.endpoint)
	if err != nil {
		return 0, err
	}
	return find() // another replica may have been first
}
