package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A target is one figure that the product has to reach, beside what it reached in this run.
type target struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
	Unit    string  `json:"unit"`
	Reached bool    `json:"reached"`
	Note    string  `json:"note,omitempty"` // where the run was smaller than the target asks for
}

func atLeast(name string, value, bound float64, unit string) target {
	return target{Name: name, Value: value, AtLeast: bound, Unit: unit, Reached: value >= bound}
}

func atMost(name string, value, bound float64, unit string) target {
	return target{Name: name, Value: value, AtMost: bound, Unit: unit, Reached: value <= bound}
}

func (t target) bound() string {
	if t.AtLeast > 0 {
		return "≥ " + figure(t.AtLeast)
	}
	return "≤ " + figure(t.AtMost)
}

// targets compares what was measured with what is asked for.
func (r *result) targets() []target {
	var out []target
	for _, f := range r.Files {
		out = append(out, f.targets()...)
	}
	if r.Classify > 0 {
		out = append(out, atLeast("classify alone, one core", r.Classify, 200_000, "failures/s"))
	}
	if r.Command != nil {
		for _, f := range r.Files {
			if f.Percent == commandPercent {
				out = append(out, atLeast("authwatch classify, 10 % failures", ratio(r.Command.RecordsPerSecond, f.Product.RecordsPerSecond), 0.5, "× ingest"))
			}
		}
	}
	if r.Reads != nil {
		out = append(out, r.Reads.targets()...)
	}
	return out
}

// largeFile and enoughRounds are what the figures of ingestion are asked for.
const (
	largeFile    = 1_000_000
	enoughRounds = 5
)

func (f fileResult) targets() []target {
	name := fmt.Sprintf("ingest, %d %% failures", f.Percent)
	reference := f.timesFaster(func(i int) float64 { return f.ReferenceRuns[i].RecordsPerSecond })
	var out []target
	switch f.Percent {
	case 2:
		out = append(out, atLeast(name, reference, 8, "× reference"))
	case 10:
		split := f.timesFaster(func(i int) float64 { return f.SplitRuns[i].RecordsPerSecond })
		out = append(out, atLeast(name, reference, 6, "× reference"), atLeast(name, split, 0.25, "× split only"))
	case 100:
		bulk := f.timesFaster(func(i int) float64 { return f.ProductRuns[i].BulkPerSecond })
		out = append(out, atLeast(name, reference, 2, "× reference"), atLeast(name, bulk, 0.6, "× bulk insert"))
	}
	out = append(out, f.besideVictoriaLogs()...)
	out = append(out,
		atMost(fmt.Sprintf("peak memory, %d %%", f.Percent), f.Product.PeakMiB, 256, "MiB"),
		atMost(fmt.Sprintf("acknowledgement p99 at half rate, %d %%", f.Percent), f.HalfRate.AckP99, 150, "ms"))
	if rounds := len(f.ProductRuns); f.Records < largeFile || rounds < enoughRounds {
		for i := range out {
			out[i].Note = fmt.Sprintf("%d records, rounds: %d; asked for %d, %d", f.Records, rounds, largeFile, enoughRounds)
		}
	}
	return out
}

// besideVictoriaLogs compares with it where it was measured.
func (f fileResult) besideVictoriaLogs() []target {
	bound := map[int]float64{10: 6, 100: 1.5}[f.Percent]
	if len(f.VictoriaLogsRuns) == 0 || bound == 0 {
		return nil
	}
	faster := f.timesFaster(func(i int) float64 { return f.VictoriaLogsRuns[i].RecordsPerSecond })
	return []target{
		atLeast(fmt.Sprintf("ingest, %d %% failures", f.Percent), faster, bound, "× VictoriaLogs"),
		atMost(fmt.Sprintf("processor time of a record, %d %%", f.Percent), ratio(f.Product.CPUMicros, f.VictoriaLogs.CPUMicros), 1, "× VictoriaLogs"),
	}
}

// timesFaster is the median over the rounds of the product's speed by another one of the same round: what else ran on the
// machine met both.
func (f fileResult) timesFaster(other func(round int) float64) float64 {
	list := make([]float64, len(f.ProductRuns))
	for i, run := range f.ProductRuns {
		list[i] = ratio(run.RecordsPerSecond, other(i))
	}
	return median(list)
}

// largeDatabase is the size for which the figures of reading are asked.
const largeDatabase = 10_000_000

func (r *readResult) targets() []target {
	bounds := []float64{10, 20, 20, 20, 20} // in the order of questions
	var out []target
	for i, q := range r.Requests {
		out = append(out, atMost(q.Name+", p95", q.P95, bounds[i], "ms"))
	}
	pages := r.pageTargets()
	out = append(out, atMost("start to ready", r.ReadyMS, 2000, "ms"))
	if n := len(r.StoredPerSecond); n > 1 && r.Failures >= largeDatabase/10 { // of fewer a tenth is too short
		out = append(out, atLeast("speed of storing, last tenth", ratio(r.StoredPerSecond[n-1], r.StoredPerSecond[0]), 0.8, "× first tenth"))
	}
	if r.Failures < largeDatabase {
		for i := range out {
			out[i].Note = fmt.Sprintf("on %d failures; asked for %d", r.Failures, largeDatabase)
		}
	}
	return append(out, pages...)
}

// pageTargets are asked for on a tenth of the largest database.
func (r *readResult) pageTargets() []target {
	var out []target
	for _, page := range r.Pages {
		out = append(out, page.targets()...)
	}
	if r.Failures < largeDatabase/10 {
		for i := range out {
			out[i].Note = fmt.Sprintf("on %d failures; asked for %d", r.Failures, largeDatabase/10)
		}
	}
	return out
}

// figure is a number to three digits, large ones to the whole.
func figure(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// print writes the tables.
func (r *result) print(to io.Writer) error {
	fmt.Fprintf(to, "%s, %d cores shared with the senders, %d senders, %d records a request, seed %d, medians of %d rounds\n", r.Go, r.Cores, r.Senders, r.Batch, r.Seed, r.Rounds)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	r.printFiles(w)
	r.printFormats(w)
	r.printAlone(w)
	if r.Reads != nil {
		fmt.Fprintf(w, "\nreads, %d failures of %d days, %.0f MiB\tp50 ms\tp95 ms\n", r.Reads.Failures, r.Reads.Days, float64(r.Reads.Bytes)/(1<<20))
		for _, q := range r.Reads.Requests {
			fmt.Fprintf(w, "%s\t%.1f\t%.1f\n", q.Name, q.P50, q.P95)
		}
		fmt.Fprintf(w, "start to ready\t%.0f\n", r.Reads.ReadyMS)
		fmt.Fprintf(w, "bytes a failure\t%.0f\n", float64(r.Reads.Bytes)/float64(r.Reads.Failures))
		if n := len(r.Reads.StoredPerSecond); n > 0 {
			fmt.Fprintf(w, "stored a second, first and last tenth\t%.0f\t%.0f\n", r.Reads.StoredPerSecond[0], r.Reads.StoredPerSecond[n-1])
		}
		if len(r.Reads.Pages) > 0 {
			fmt.Fprint(w, "\npages\tp50 ms\tp95 ms\tKB\tKB on the first visit\n")
		}
		for _, page := range r.Reads.Pages {
			fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\n", page.Name, page.P50, page.P95, float64(page.Bytes)/1000, float64(page.FirstBytes)/1000)
		}
	}
	fmt.Fprint(w, "\ntarget\tasked for\tmeasured\tunit\treached\n")
	for _, t := range r.Targets {
		reached := "no"
		if t.Reached {
			reached = "yes"
		}
		if t.Note != "" {
			reached += " (" + t.Note + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.Name, t.bound(), figure(t.Value), t.Unit, reached)
	}
	return w.Flush()
}

func (r *result) printFiles(w io.Writer) {
	for _, f := range r.Files {
		fmt.Fprintf(w, "\n%d %% failures, %d records, %.0f MB\trecords/s\t× product\tack p50 ms\tp99\tmax\tpeak MiB\tCPU µs/record\tbytes/failure\n", f.Percent, f.Records, float64(f.Bytes)/1e6)
		for _, row := range []struct {
			name string
			figures
		}{{"product", f.Product}, {"product at half rate", f.HalfRate}, {"reference", f.Reference}, {"split only", f.Split}, {"VictoriaLogs", f.VictoriaLogs}} {
			if row.RecordsPerSecond == 0 {
				continue // not measured
			}
			fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%.1f\t%.1f\t%.0f\t%.1f\t", row.name, row.RecordsPerSecond, ratio(row.RecordsPerSecond, f.Product.RecordsPerSecond),
				row.AckP50, row.AckP99, row.AckMax, row.PeakMiB, row.CPUMicros)
			if row.FailureBytes > 0 {
				fmt.Fprintf(w, "%.0f", row.FailureBytes)
			}
			fmt.Fprintln(w)
		}
		if f.Product.BulkPerSecond > 0 {
			fmt.Fprintf(w, "bulk insert of the rows\t%.0f rows/s\n", f.Product.BulkPerSecond)
		}
	}
}

func (r *result) printFormats(w io.Writer) {
	if len(r.Formats) > 0 {
		fmt.Fprintf(w, "\nthe same traffic, %d %% failures, in\tbytes/record\trecords/s\tMB/s\tCPU µs/record\tpeak MiB\n", formatPercent)
	}
	for _, f := range r.Formats {
		size := float64(f.Bytes) / float64(f.Records)
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.1f\t%.0f\n", f.Format, size, f.RecordsPerSecond, size*f.RecordsPerSecond/1e6, f.CPUMicros, f.PeakMiB)
	}
}

func (r *result) printAlone(w io.Writer) {
	if len(r.Allocations) > 0 {
		fmt.Fprint(w, "\ningest path, one record\tallocations\tbytes\n")
		for _, a := range r.Allocations {
			fmt.Fprintf(w, "%d %% failures\t%.0f\t%.0f\n", a.Percent, a.Objects, a.Bytes)
		}
	}
	if r.Classify > 0 {
		fmt.Fprintf(w, "\nclassify alone, one core\t%.0f failures/s\n", r.Classify)
	}
	if r.Command != nil {
		fmt.Fprintf(w, "authwatch classify, 10 %% failures\t%.0f records/s\tpeak %.0f MiB\n", r.Command.RecordsPerSecond, r.Command.PeakMiB)
	}
}
