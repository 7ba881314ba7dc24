package alert

import (
	"context"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what was found and told. Names of rules and receivers are no labels: people make them up.
type metrics struct {
	fired      *prometheus.CounterVec
	deliveries *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, s *Service) *metrics {
	m := &metrics{
		fired: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_alerts_fired_total", Help: "Alerts fired by this process, by kind of rule.",
		}, []string{"kind"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "authwatch_alert_deliveries_total", Help: "Attempts to deliver an alert, by kind of receiver and result: sent, retry, or failed, which is given up.",
		}, []string{"receiver", "result"}),
	}
	for _, kind := range store.AlertKinds() {
		m.fired.WithLabelValues(string(kind))
	}
	for kind := range receiverKinds() {
		for _, result := range []string{"sent", "retry", "failed"} {
			m.deliveries.WithLabelValues(kind, result)
		}
	}
	r.MustRegister(m.fired, m.deliveries, newGauges(s))
	return m
}

// gauges read the database at each scrape.
type gauges struct {
	service   *Service
	incidents *prometheus.Desc
	firing    *prometheus.Desc
}

// scrapeTime bounds what a scrape waits for the database.
const scrapeTime = 5 * time.Second

func newGauges(s *Service) *gauges {
	return &gauges{
		service:   s,
		incidents: prometheus.NewDesc("authwatch_incidents", "Incidents that are not resolved, by state and cause.", []string{"state", "cause"}, nil),
		firing:    prometheus.NewDesc("authwatch_alerts_firing", "Alerts that go on, at most 200.", nil, nil),
	}
}

// Describe names the gauges.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.incidents
	out <- g.firing
}

// Collect reads the gauges. When the database does not answer they are absent, and the other metrics are not.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	counts, err := g.service.Store.CountOpenIncidents(ctx)
	if err != nil {
		return
	}
	type key struct {
		state store.State
		cause string
	}
	counted := map[key]int64{}
	for _, c := range counts {
		counted[key{c.State, c.Cause}] = c.Count
	}
	for _, row := range classify.Catalogue() {
		for _, state := range []store.State{store.StateOpen, store.StateAcknowledged, store.StateSilenced} {
			n := counted[key{state, string(row.Code)}]
			out <- prometheus.MustNewConstMetric(g.incidents, prometheus.GaugeValue, float64(n), string(state), string(row.Code))
		}
	}
	firing, _, err := g.service.Store.ListAlerts(ctx, store.AlertFilter{Firing: true, Page: store.Page{Limit: 200}})
	if err == nil {
		out <- prometheus.MustNewConstMetric(g.firing, prometheus.GaugeValue, float64(len(firing)))
	}
}
