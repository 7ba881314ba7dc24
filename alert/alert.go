// Package alert tells people and programs outside of authwatch what its rules find: it looks at the incidents, decides what is
// news, and delivers it. It connects to nothing but the receivers that the operator's file names, and tells nothing of the past.
package alert

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// evaluateEvery is how often the rules are looked at.
	evaluateEvery = 5 * time.Second
	// deliverEvery is how often deliveries are looked for that other replicas left, or that are to be tried again.
	deliverEvery = 5 * time.Second
	// forgetEvery is how often old alerts are removed.
	forgetEvery = 24 * time.Hour
	// stale is how old an event may be at its receipt to be news.
	stale = time.Hour
	// keep is how long ended alerts, deliveries and silences can be looked up.
	keep = 90 * 24 * time.Hour
)

// Options configure New. All are required but Receivers and Now.
type Options struct {
	Store      *store.Store
	Receivers  []Receiver // from ReadReceivers; none: alerts show on the dashboard only, and nothing is connected to
	PublicURL  string     // where people reach the dashboard, for links
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// A Service evaluates rules and delivers what they find. Several replicas on one database share the work.
type Service struct {
	Options
	metrics *metrics
	fired   chan struct{} // something waits to be delivered
}

// New checks the options.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Logger == nil || o.Registerer == nil || o.PublicURL == "" {
		return nil, errors.New("alert: options Store, PublicURL, Logger and Registerer are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{Options: o, fired: make(chan struct{}, 1)}
	s.metrics = newMetrics(o.Registerer, s)
	return s, nil
}

// Run evaluates and delivers until ctx ends and the deliveries in hand are done.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() {
		repeat(ctx, evaluateEvery, nil, func() { s.report("evaluate alert rules", s.Evaluate(ctx)) })
	})
	all.Go(func() {
		repeat(ctx, forgetEvery, nil, func() { s.report("forget alerts", s.Store.ForgetAlerts(ctx, s.Now().Add(-keep))) })
	})
	all.Go(func() {
		repeat(ctx, deliverEvery, s.fired, func() { s.report("deliver alerts", s.Deliver(ctx)) })
	})
	all.Wait()
}

func repeat(ctx context.Context, every time.Duration, early <-chan struct{}, work func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		work()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-early:
		}
	}
}

func (s *Service) report(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.Logger.Error(what, "err", err)
	}
}

// receiver finds a receiver by its name.
func (s *Service) receiver(name string) (Receiver, bool) {
	at := slices.IndexFunc(s.Receivers, func(r Receiver) bool { return r.Name == name })
	if at < 0 {
		return Receiver{}, false
	}
	return s.Receivers[at], true
}
