package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// A fileResult is what the servers made of one generated file: medians of the rounds, and the rounds themselves.
type fileResult struct {
	Percent       int       `json:"percent"` // of the records that are failures
	Records       int       `json:"records"`
	Bytes         int64     `json:"bytes"`
	Product       figures   `json:"product"`
	Reference     figures   `json:"reference"`
	Split         figures   `json:"split"`
	HalfRate      figures   `json:"half_rate"` // the product at half of its records per second
	ProductRuns   []figures `json:"product_runs"`
	ReferenceRuns []figures `json:"reference_runs"`
	SplitRuns     []figures `json:"split_runs"`

	VictoriaLogs     figures   `json:"victorialogs,omitzero"`
	VictoriaLogsRuns []figures `json:"victorialogs_runs,omitempty"`
}

// ingestion measures one share of failures. The servers take turns within each round, so that what else happens on the
// machine meets all of them.
func (r *runner) ingestion(ctx context.Context, percent int) (fileResult, error) {
	t := r.traffic(percent)
	file := filepath.Join(r.dir, fmt.Sprintf("%d.ndjson", percent))
	size, err := t.writeFile(file)
	if err != nil {
		return fileResult{}, err
	}
	result := fileResult{Percent: percent, Records: t.records, Bytes: size}
	for round := range r.rounds {
		p, err := r.runProduct(ctx, t, file, 0)
		if err != nil {
			return result, fmt.Errorf("product: %w", err)
		}
		result.ProductRuns = append(result.ProductRuns, p)
		reference, err := r.runTarget(ctx, "reference", t, file)
		if err != nil {
			return result, fmt.Errorf("reference: %w", err)
		}
		result.ReferenceRuns = append(result.ReferenceRuns, reference)
		split, err := r.runTarget(ctx, "split", t, file)
		if err != nil {
			return result, fmt.Errorf("split: %w", err)
		}
		result.SplitRuns = append(result.SplitRuns, split)
		if r.victoriaLogs != "" {
			v, err := r.runVictoriaLogs(ctx, t, file)
			if err != nil {
				return result, fmt.Errorf("VictoriaLogs: %w", err)
			}
			result.VictoriaLogsRuns = append(result.VictoriaLogsRuns, v)
		}
		r.log("%d %% failures, round %d of %d: product %.0f, reference %.0f, split only %.0f records/s", percent, round+1, r.rounds,
			p.RecordsPerSecond, reference.RecordsPerSecond, split.RecordsPerSecond)
	}
	result.Product, result.Reference, result.Split = medians(result.ProductRuns), medians(result.ReferenceRuns), medians(result.SplitRuns)
	result.VictoriaLogs = medians(result.VictoriaLogsRuns)
	result.HalfRate, err = r.halfRate(ctx, percent, result.Product.RecordsPerSecond)
	return result, err
}

// halfRate measures acknowledgements when the product has room to breathe: at its full rate they only say how long the
// queue of the senders is.
func (r *runner) halfRate(ctx context.Context, percent int, full float64) (figures, error) {
	every := time.Duration(float64(r.batch) / (full / 2) * float64(time.Second))
	t := r.traffic(percent)
	t.seed++
	file := filepath.Join(r.dir, "half.ndjson")
	if _, err := t.writeFile(file); err != nil {
		return figures{}, err
	}
	f, err := r.runProduct(ctx, t, file, every)
	if err != nil {
		return f, fmt.Errorf("product at half of its rate: %w", err)
	}
	return f, nil
}
