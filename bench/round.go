package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Figures are what one run of one server showed. Zero stands for what was not measured.
type figures struct {
	RecordsPerSecond float64 `json:"records_per_second"`
	AckP50           float64 `json:"ack_p50_ms"` // of one batch
	AckP99           float64 `json:"ack_p99_ms"`
	AckMax           float64 `json:"ack_max_ms"`
	PeakMiB          float64 `json:"peak_mib"`        // resident set of the server
	CPUMicros        float64 `json:"cpu_micros"`      // of the server, for one record
	FailureBytes     float64 `json:"failure_bytes"`   // on disk, for one failure; product only
	Repeats          int     `json:"repeats"`         // batches that were refused with 503 and sent again
	BulkPerSecond    float64 `json:"bulk_per_second"` // rows, into an empty database and with nothing else to do
}

// A runner has what every measurement needs.
type runner struct {
	options
	self      string        // path of this program
	dir       string        // for files that are removed at the end
	profiles  []string      // paths
	emptyFile int64         // bytes of a database without records
	judging   time.Duration // how long judging alone is watched
	asks      int           // how often each question about a filled database is asked
	log       func(format string, args ...any)
}

// folder makes a new folder for the files of one run.
func (r *runner) folder() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(r.dir, "run-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// measure sends a file to a running server and reads its figures.
func (r *runner) measure(ctx context.Context, p *process, l load) (figures, sent, error) {
	before, err := p.cpu()
	if err != nil {
		return figures{}, sent{}, err
	}
	s, err := l.send(ctx)
	if err != nil {
		return figures{}, s, err
	}
	after, err := p.cpu()
	if err != nil {
		return figures{}, s, err
	}
	peak, err := p.peakMemory()
	if err != nil {
		return figures{}, s, err
	}
	return figures{
		RecordsPerSecond: s.perSecond(),
		AckP50:           milliseconds(quantile(s.acks, 0.50)), AckP99: milliseconds(quantile(s.acks, 0.99)), AckMax: milliseconds(quantile(s.acks, 1)),
		PeakMiB: float64(peak) / (1 << 20), CPUMicros: float64((after - before).Microseconds()) / float64(s.records), Repeats: s.repeats,
	}, s, nil
}

// runProduct sends t, which is in file, to a new database, checks what the database then holds, and measures the bare
// insertion of the same rows.
func (r *runner) runProduct(ctx context.Context, t traffic, file string, every time.Duration) (f figures, err error) {
	dir, remove, err := r.folder()
	if err != nil {
		return figures{}, err
	}
	defer remove()
	p, err := r.startProduct(ctx, filepath.Join(dir, "authwatch.db"))
	if err != nil {
		return figures{}, err
	}
	if f, err = r.loadProduct(ctx, p, t, file, every); err != nil {
		p.kill()
		return figures{}, err
	}
	if err := p.stop(); err != nil {
		return figures{}, err
	}
	if t.failures() == 0 {
		return f, nil
	}
	info, err := os.Stat(p.db)
	if err != nil {
		return figures{}, err
	}
	f.FailureBytes = float64(info.Size()-r.emptyFile) / float64(t.failures())
	if every == 0 {
		f.BulkPerSecond, err = bulkInsert(ctx, p.db, dir)
	}
	return f, err
}

// loadProduct sends a file and checks that all of it arrived.
func (r *runner) loadProduct(ctx context.Context, p *product, t traffic, file string, every time.Duration) (figures, error) {
	shipper, err := p.key(ctx, "ingest")
	if err != nil {
		return figures{}, err
	}
	reader, err := p.key(ctx, "read")
	if err != nil {
		return figures{}, err
	}
	f, s, err := r.measure(ctx, p.process, load{url: p.url + "/ingest/v1/responses", key: shipper, file: file, senders: r.senders, batch: r.batch, every: every})
	if err != nil {
		return figures{}, err
	}
	if s.accepted != t.records {
		return figures{}, fmt.Errorf("%d records were sent and %d accepted", t.records, s.accepted)
	}
	return f, p.check(ctx, reader, t)
}

// runTarget sends a file to one of the plain servers.
func (r *runner) runTarget(ctx context.Context, name string, t traffic, file string) (figures, error) {
	dir, remove, err := r.folder()
	if err != nil {
		return figures{}, err
	}
	defer remove()
	p, err := startProcess(ctx, dir, r.self, "-serve", name, "-db", filepath.Join(dir, name+".db"))
	if err != nil {
		return figures{}, err
	}
	f, s, err := r.measure(ctx, p, load{url: p.url, file: file, senders: r.senders, batch: r.batch})
	if err != nil {
		p.kill()
		return figures{}, err
	}
	if s.accepted != t.records {
		err = fmt.Errorf("%s: %d records were sent and %d accepted", name, t.records, s.accepted)
	}
	if stopped := p.stop(); err == nil {
		err = stopped
	}
	return f, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile is the value that the share q of the list does not exceed (nearest rank).
func quantile[T time.Duration | float64](list []T, q float64) T {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// median of an even number of values is the mean of the two in the middle.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// medians takes the median of each figure on its own.
func medians(runs []figures) figures {
	of := func(value func(figures) float64) float64 {
		list := make([]float64, len(runs))
		for i, f := range runs {
			list[i] = value(f)
		}
		return median(list)
	}
	return figures{
		RecordsPerSecond: of(func(f figures) float64 { return f.RecordsPerSecond }),
		AckP50:           of(func(f figures) float64 { return f.AckP50 }),
		AckP99:           of(func(f figures) float64 { return f.AckP99 }),
		AckMax:           of(func(f figures) float64 { return f.AckMax }),
		PeakMiB:          of(func(f figures) float64 { return f.PeakMiB }),
		CPUMicros:        of(func(f figures) float64 { return f.CPUMicros }),
		FailureBytes:     of(func(f figures) float64 { return f.FailureBytes }),
		Repeats:          int(of(func(f figures) float64 { return float64(f.Repeats) })),
		BulkPerSecond:    of(func(f figures) float64 { return f.BulkPerSecond }),
	}
}
