package ingest

import (
	"authwatch/classify"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of ingestion. Every label comes from a closed set: result and reason from this package,
// cause from the catalogue, environment from the profiles.
type metrics struct {
	records      *prometheus.CounterVec
	failures     *prometheus.CounterVec
	duration     prometheus.Histogram
	rejected     *prometheus.CounterVec
	environments map[string]bool
	reasons      map[string]bool
}

func newMetrics(r prometheus.Registerer, profiles classify.Profiles) *metrics {
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_records_total", Help: "Records received, by result: accepted, duplicate, rejected, or other, which are no HTTP exchange.",
		}, []string{"result"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_failures_total", Help: "Auth failures stored, by cause when first judged and by environment.",
		}, []string{"cause", "environment"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "authwatch_ingest_duration_seconds", Help: "Time from the first byte of a request to its commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_rejected_total", Help: "Records and requests not taken, by reason.",
		}, []string{"reason"}),
		environments: map[string]bool{},
		reasons:      map[string]bool{},
	}
	for _, p := range profiles {
		for _, e := range p.Environments {
			m.environments[e.Name] = true
		}
	}
	for _, reason := range append(errorCodes(), problemReasons()...) {
		m.reasons[reason] = true
		m.rejected.WithLabelValues(reason)
	}
	for _, result := range []string{"accepted", "duplicate", "rejected", "other"} {
		m.records.WithLabelValues(result)
	}
	r.MustRegister(m.records, m.failures, m.duration, m.rejected)
	return m
}

// reject counts what was not taken.
func (m *metrics) reject(reason string) {
	if !m.reasons[reason] {
		reason = "other"
	}
	m.rejected.WithLabelValues(reason).Inc()
}

// fail counts a stored failure. Only environments that a profile names become a label: a shipper can invent others without end.
func (m *metrics) fail(v classify.Verdict) {
	environment := v.Environment
	if !m.environments[environment] {
		environment = "other"
	}
	m.failures.WithLabelValues(string(v.Cause), environment).Inc()
}

// answered counts the records of an answer.
func (m *metrics) answered(a answer) {
	m.records.WithLabelValues("accepted").Add(float64(a.Accepted))
	m.records.WithLabelValues("duplicate").Add(float64(a.Duplicates))
	m.records.WithLabelValues("rejected").Add(float64(a.Rejected))
	m.records.WithLabelValues("other").Add(float64(a.other))
	for _, e := range a.Errors {
		m.reject(e.Code)
	}
}
