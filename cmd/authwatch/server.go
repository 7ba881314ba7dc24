package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authwatch/alert"
	"authwatch/api"
	"authwatch/classify"
	"authwatch/classify/example"
	"authwatch/classify/profile"
	"authwatch/ingest"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// drainTime is how long requests in hand may take after the signal to stop.
const drainTime = 10 * time.Second

// A server is the parts of authwatch put together.
type server struct {
	store     *store.Store
	receivers []alert.Receiver
	alerts    *alert.Service
	retention store.Retention
	files     map[string]string // of profiles, by their ids
	lock      io.Closer         // nobody else serves this database
	log       *slog.Logger
	listener  net.Listener
	base      string // URL for links
	hosts     []string
	setupFile string // takes the sign-in link when nobody watches standard output
	demo      bool
	handler   http.Handler
	draining  atomic.Bool
	streams   func() // ends them
	apiRate   int64
}

func (s *server) listen(address, publicURL string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen HOST:PORT", err)
	}
	s.listener = l
	s.base = strings.TrimSuffix(publicURL, "/")
	if s.base == "" {
		s.base = "http://" + l.Addr().String()
	}
	return nil
}

// wire hands each part what it needs. Only here do ingestion and dashboard meet.
func (s *server) wire(profiles classify.Profiles, fingerprintKey []byte, mappings mappingFlag, keyRate int64) error {
	redactor, err := ingest.NewRedactor(fingerprintKey)
	if err != nil {
		return fmt.Errorf("prepare redaction: %w", err)
	}
	if redactor, err = mappings.mapped(redactor); err != nil {
		return err
	}
	knowledge := classify.NewKnowledge(classify.DocumentedTexts())
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ingester, err := ingest.New(ingest.Options{
		Store: s.store, Profiles: profiles, Knowledge: knowledge, Redactor: redactor, Logger: s.log, Registerer: registry,
		KeyRate: float64(keyRate), Retain: s.retention.Records,
	})
	if err != nil {
		return fmt.Errorf("set up ingestion: %w", err)
	}
	s.alerts, err = alert.New(alert.Options{Store: s.store, Receivers: s.receivers, PublicURL: s.base, Logger: s.log, Registerer: registry})
	if err != nil {
		return fmt.Errorf("set up alerts: %w", err)
	}
	pages, err := s.pages(profiles, knowledge, redactor, ingester, registry)
	if err != nil {
		return fmt.Errorf("set up the API: %w", err)
	}
	s.handler, s.streams = s.refuseWhileDraining(pages), pages.EndStreams
	return nil
}

// pages are the dashboard and the REST API.
func (s *server) pages(profiles classify.Profiles, knowledge *classify.Knowledge, redactor *ingest.Redactor, ingester *ingest.Ingester, registry *prometheus.Registry) (*api.Server, error) {
	recorded, err := example.All(knowledge)
	if err != nil {
		return nil, err
	}
	examples := map[classify.Code]api.Example{}
	for cause, e := range recorded {
		examples[cause] = api.Example(e)
	}
	return api.New(api.Options{
		Store:     s.store,
		Profiles:  profiles,
		Knowledge: knowledge,
		Examples:  examples,
		Ingest:    ingester.Handler(),
		Decode:    func(body []byte) ([]classify.Record, []api.Problem) { return decode(body, redactor) },
		DecodePasted: func(text []byte) (classify.Record, error) {
			return ingest.DecodePasted(text, redactor, time.Now())
		},
		Redact: redactor.Note,
		Replay: func(ctx context.Context, source, reject string) (api.Replayed, error) {
			return replay(ctx, ingester, source, reject)
		},
		Logger:   s.log,
		Registry: registry,
		Alerts:   alertsOf(s.alerts),
		Settings: s.settings(),
		Demo:     s.demo,
		APIRate:  s.apiRate,
		Version:  version(),
		BaseURL:  s.base,
		Hosts:    s.hosts,
		WrongKey: ingester.WrongKey,
	})
}

// settings are what the pages of settings show and try.
func (s *server) settings() api.Settings {
	return api.Settings{
		Retention: s.retention, ProfileFiles: s.files, FormatProfile: profile.Format,
		ParseProfile: func(text []byte) (*classify.Profile, error) { return profile.Parse("profile", text) },
	}
}

// replay gives the API what ingestion says of a record that is tried again, in the API's own words.
func replay(ctx context.Context, ingester *ingest.Ingester, source, reject string) (api.Replayed, error) {
	done, err := ingester.Replay(ctx, source, reject)
	out := api.Replayed{Accepted: done.Accepted, Duplicate: done.Duplicate, Other: done.Other}
	if done.Error != nil {
		p := api.Problem(*done.Error)
		out.Error = &p
	}
	return out, err
}

// decode gives the API what ingestion's decoder says, in the API's own words.
func decode(body []byte, redactor *ingest.Redactor) ([]classify.Record, []api.Problem) {
	decoded, bad := ingest.Decode(body, redactor)
	records := make([]classify.Record, len(decoded))
	for i, d := range decoded {
		records[i] = d.Record
	}
	problems := make([]api.Problem, len(bad))
	for i, b := range bad {
		problems[i] = api.Problem(b)
	}
	return records, problems
}

// refuseWhileDraining answers what still comes in on open connections, so that a balancer turns to another replica.
func (s *server) refuseWhileDraining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.draining.Load() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"authwatch is stopping"}`)
	})
}

// serve answers requests until ctx ends, then drains.
func (s *server) serve(ctx context.Context, p *program) error {
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      120 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	// The sign-in link is there before the first answer, so that whoever waits for one finds it.
	if !s.demo {
		if err := s.welcome(ctx, p); err != nil {
			return err
		}
	}
	defer s.maintain(ctx)()
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(s.listener) }()
	s.log.Info("listening", "address", s.listener.Addr().String(), "version", version())
	if s.demo {
		if err := s.presentDemo(ctx, p); err != nil && ctx.Err() == nil {
			srv.Close()
			return err
		}
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		return s.drain(srv)
	}
}

// maintain looks after the database and tells of alerts until the returned function is called.
func (s *server) maintain(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		s.store.Maintain(ctx, s.retention, func(err error) { s.log.Error("maintain database", "err", err) })
	})
	work.Go(func() { s.alerts.Run(ctx) })
	return func() {
		cancel()
		work.Wait()
	}
}

// drain finishes the requests in hand.
func (s *server) drain(srv *http.Server) error {
	s.log.Info("stopping", "within", drainTime.String())
	s.draining.Store(true)
	s.streams()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests cut off", "after", drainTime.String())
		return srv.Close()
	}
	return err
}

// close releases what was opened, in reverse.
func (s *server) close() {
	if s.listener != nil {
		s.listener.Close() // an error says that it served and is closed already
	}
	if err := s.store.Close(); err != nil {
		s.log.Error("close database", "err", err)
	}
	s.lock.Close()
}
