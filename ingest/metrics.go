package ingest

import (
	"context"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of ingestion. Every label comes from a closed set: result and reason from this package,
// cause and fault from the catalogue, provider and environment from the profiles.
type metrics struct {
	records      *prometheus.CounterVec
	failures     *prometheus.CounterVec
	duration     prometheus.Histogram
	rejected     *prometheus.CounterVec
	gathered     prometheus.Counter
	altered      prometheus.Counter
	providers    map[string]bool
	environments map[string]bool
	reasons      map[string]bool
}

func newMetrics(r prometheus.Registerer, profiles classify.Profiles, s *store.Store, now func() time.Time) *metrics {
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_records_total", Help: "Records received, by result: accepted, duplicate, rejected, or other, which are no HTTP exchange.",
		}, []string{"result"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_failures_total", Help: "Auth failures stored, by cause and fault when first judged, provider and environment. Exemplars name a record.",
		}, []string{"cause", "fault", "provider", "environment"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "authwatch_ingest_duration_seconds", Help: "Time from the first byte of a request to its commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_rejected_total", Help: "Records and requests not taken, by reason.",
		}, []string{"reason"}),
		gathered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "authwatch_gathered_failures_total", Help: "Failures of more new clients than may have incidents in an hour, gathered into one incident of each cause.",
		}),
		altered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "authwatch_altered_records_total", Help: "Duplicates that say something else than the record that came first, which is the one that counts.",
		}),
		providers:    map[string]bool{},
		environments: map[string]bool{},
		reasons:      map[string]bool{},
	}
	for _, p := range profiles {
		m.providers[p.ID] = true
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
	r.MustRegister(m.records, m.failures, m.duration, m.rejected, m.gathered, m.altered, newSourceGauges(s, now))
	return m
}

// reject counts what was not taken.
func (m *metrics) reject(reason string) {
	if !m.reasons[reason] {
		reason = "other"
	}
	m.rejected.WithLabelValues(reason).Inc()
}

// fail counts a stored failure. Only providers and environments of profiles become labels: a shipper can invent others without
// end. An exemplar costs more than the count, so that one failure of a batch is enough.
func (m *metrics) fail(v *classify.Verdict, exemplar bool) {
	provider, environment := v.Provider, v.Environment
	if v.ClientID == store.ManyNewClients {
		m.gathered.Inc()
	}
	if !m.providers[provider] {
		provider = "other"
	}
	if !m.environments[environment] {
		environment = "other"
	}
	counter := m.failures.WithLabelValues(string(v.Cause), string(v.Fault), provider, environment)
	if with, ok := counter.(prometheus.ExemplarAdder); ok && exemplar {
		with.AddWithExemplar(1, prometheus.Labels{"record_id": v.ID})
		return
	}
	counter.Inc()
}

// answered counts the records of an answer.
func (m *metrics) answered(a answer) {
	if a.repeated {
		return
	}
	m.records.WithLabelValues("accepted").Add(float64(a.Accepted))
	m.records.WithLabelValues("duplicate").Add(float64(a.Duplicates))
	m.records.WithLabelValues("rejected").Add(float64(a.Rejected))
	m.records.WithLabelValues("other").Add(float64(a.other))
	for _, e := range a.Errors {
		m.reject(e.Code)
	}
}

// sourceGauges say at each scrape how the shippers are doing. Their names are no labels: anybody who makes keys could make
// series without end. The page of sources names them.
type sourceGauges struct {
	store   *store.Store
	now     func() time.Time
	states  *prometheus.Desc
	silence *prometheus.Desc
}

// scrapeTime bounds what a scrape waits for the database.
const scrapeTime = 5 * time.Second

func newSourceGauges(s *store.Store, now func() time.Time) *sourceGauges {
	return &sourceGauges{
		store: s, now: now,
		states: prometheus.NewDesc("authwatch_sources", "Ingest keys by state: ok, lagging, or silent, which send nothing for longer than their habit.",
			[]string{"state"}, nil),
		silence: prometheus.NewDesc("authwatch_source_silence_seconds", "For how long the longest silent ingest key has sent nothing; 0 when none is silent.", nil, nil),
	}
}

// Describe names the gauges.
func (g *sourceGauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.states
	out <- g.silence
}

// Collect reads the sources. When the database does not answer the gauges are absent, and the other metrics are not.
func (g *sourceGauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	sources, err := g.store.ListSources(ctx)
	if err != nil {
		return
	}
	now, counts, silence := g.now(), map[store.SourceState]int{}, time.Duration(0)
	for _, s := range sources {
		if s.Key.ID == "" || !s.Key.RevokedAt.IsZero() {
			continue
		}
		state, since := s.State(now)
		counts[state]++
		if state == store.SourceSilent {
			silence = max(silence, now.Sub(since))
		}
	}
	for _, state := range []store.SourceState{store.SourceOK, store.SourceLagging, store.SourceSilent} {
		out <- prometheus.MustNewConstMetric(g.states, prometheus.GaugeValue, float64(counts[state]), string(state))
	}
	out <- prometheus.MustNewConstMetric(g.silence, prometheus.GaugeValue, silence.Seconds())
}
