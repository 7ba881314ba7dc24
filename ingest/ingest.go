// Package ingest takes what log shippers send: it decodes wire formats into classify.Record, redacts at the edge,
// drops repeated deliveries, joins decoded JWTs with their responses, has the exchange judged and commits everything
// before it answers. It refuses to let a raw token, signature, secret or key go further than its own memory.
package ingest

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure New. All but Knowledge, Now, KeyRate and Retain are required.
type Options struct {
	Store      *store.Store
	Profiles   classify.Profiles
	Knowledge  *classify.Knowledge // documented texts; nil leaves servers' words to the lexicon
	Redactor   *Redactor
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // receipt time; nil is time.Now
	KeyRate    float64          // records a second that a key may send unless it has a rate of its own; 0: no limit
	// Retain is how long the store keeps what recognises a repeated delivery (store.Retention.Records); 0: for ever.
	// Records of older events are refused: nobody could tell any more whether they were counted before.
	Retain time.Duration
}

// An Ingester is the path of a record from bytes to a committed verdict. It is safe for concurrent use.
type Ingester struct {
	reader
	store      *store.Store
	log        *slog.Logger
	metrics    *metrics
	now        func() time.Time
	retain     time.Duration
	quota      *quota
	turns      *turns
	guesses    *guessGuard
	notes      *notes
	dependents *dependents
	running    *running // requests with an Idempotency-Key

	judgements *sync.Pool // of judgement
	rooms      *sync.Pool // of batchRoom
}

// New checks the options and reads the JWKS files that the profiles name.
func New(o Options) (*Ingester, error) {
	switch {
	case o.Store == nil:
		return nil, errors.New("new ingester: Store is missing")
	case o.Profiles == nil:
		return nil, errors.New("new ingester: Profiles is missing")
	case o.Redactor == nil:
		return nil, errors.New("new ingester: Redactor is missing")
	case o.Logger == nil:
		return nil, errors.New("new ingester: Logger is missing")
	case o.Registerer == nil:
		return nil, errors.New("new ingester: Registerer is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	redactor, err := o.Redactor.WithProfiles(o.Profiles)
	if err != nil {
		return nil, fmt.Errorf("new ingester: %w", err)
	}
	i := &Ingester{
		reader: newReader(o.Profiles, o.Knowledge, redactor), store: o.Store, log: o.Logger,
		metrics: newMetrics(o.Registerer, o.Profiles, o.Store, o.Now), now: o.Now, retain: o.Retain,
		quota: newQuota(o.KeyRate, time.Now), turns: newTurns(runtime.GOMAXPROCS(0)), guesses: newGuessGuard(time.Now), notes: newNotes(o.Store), running: newRunning(), dependents: newDependents(),
		judgements: newJudgements(), rooms: newBatchRooms(),
	}
	i.looks, i.late = newCache[knownLook](), &lateTokens{store: o.Store}
	return i, nil
}
