package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"authwatch/store"
)

// retentionFlag says how long a server keeps what it stores.
type retentionFlag struct {
	Retain          age  `default:"30d" placeholder:"AGE" help:"How long to keep failures, with what recognises a repeated delivery and the minutes of trends: 30d, 720h, or forever. By the time of the event; older log lines are refused, since nothing would recognise their repetition (default: ${default})."`
	RetainSummaries age  `default:"396d" placeholder:"AGE" help:"How long to keep incidents, clients and trends (default: ${default}, 13 months)."`
	RetainSize      size `default:"0" placeholder:"SIZE" help:"Remove the oldest failures before their time when the SQLite database holds more, such as 20GB; 0 is no limit (default: ${default})."`
}

func (f retentionFlag) retention(db databaseFlag) (store.Retention, error) {
	r := store.Retention{Records: time.Duration(f.Retain), Summaries: time.Duration(f.RetainSummaries), Bytes: int64(f.RetainSize)}
	if r.Summaries != 0 && (r.Records == 0 || r.Records > r.Summaries) {
		return r, usageError("--retain-summaries must not be shorter than --retain: an incident outlives its failures")
	}
	if r.Bytes > 0 && db.postgres() {
		return r, usageError("--retain-size is for SQLite files: PostgreSQL does not give back what is removed")
	}
	return r, nil
}

// An age is a length of time in days or as Go writes it; 0 is forever.
type age time.Duration

// UnmarshalText reads 30d, 720h or forever. An age under an hour is refused: it is a slip.
func (a *age) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "forever" {
		*a = 0
		return nil
	}
	d, err := time.ParseDuration(s)
	if days, found := strings.CutSuffix(s, "d"); found {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(n, 100_000)) * 24 * time.Hour
	}
	if err != nil || d < time.Hour {
		return fmt.Errorf("%q is no age: write 30d, 720h or forever, and at least 1h", s)
	}
	*a = age(d)
	return nil
}

// A size is a number of bytes.
type size int64

// UnmarshalText reads 20GB, 512MiB or a number of bytes.
func (b *size) UnmarshalText(text []byte) error {
	s, unit := string(text), int64(1)
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}} {
		if number, found := strings.CutSuffix(s, u.name); found {
			s, unit = strings.TrimSpace(number), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no size: write 20GB, 512MiB or a number of bytes", text)
	}
	*b = size(n * unit)
	return nil
}
