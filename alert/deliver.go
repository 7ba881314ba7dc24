package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"authwatch/store"
)

const (
	// lease is longer than any attempt: who has not finished by then has died.
	lease = 3 * time.Minute
	// together is how many messages are on their way at once.
	together = 16
	// maxAttempts bounds the tries of one message: they take less than an hour.
	maxAttempts = 10
	// tooLate is when a message that waits, for authwatch itself was away, is of the past.
	tooLate = 2 * time.Hour
	// firstPause doubles with each attempt up to maxPause.
	firstPause = 10 * time.Second
	maxPause   = 10 * time.Minute
	// renewAfter is when a receiver that forgets is told again.
	renewAfter = 10 * time.Minute
)

// ErrNoReceiver says that the operator's file names no such receiver.
var ErrNoReceiver = errors.New("no such receiver")

// Deliver sends what is due. Replicas share the work.
func (s *Service) Deliver(ctx context.Context) error {
	var forgetful []string
	for _, r := range s.Receivers {
		if r.renew {
			forgetful = append(forgetful, r.Name)
		}
	}
	if err := s.Store.RenewAlertDeliveries(ctx, forgetful, s.Now().Add(-renewAfter)); err != nil {
		return err
	}
	for {
		due, err := s.Store.ClaimAlertDeliveries(ctx, lease, together)
		if err != nil || len(due) == 0 {
			return err
		}
		failed := make([]error, len(due))
		var all sync.WaitGroup
		for n, d := range due {
			all.Go(func() { failed[n] = s.deliver(ctx, d) })
		}
		all.Wait()
		if err := errors.Join(failed...); err != nil {
			return err
		}
	}
}

// deliver makes one attempt and keeps what became of it. An attempt that has begun is finished when the server stops: its time is bounded.
func (s *Service) deliver(ctx context.Context, d store.AlertDelivery) error {
	ctx = context.WithoutCancel(ctx)
	if d.Kind == store.DeliverFiring && !d.Alert.EndedAt.IsZero() {
		return s.Store.FinishAlertDelivery(ctx, d.ID, store.DeliveryDropped, d.LastError, time.Time{})
	}
	m, err := decodeMessage(d.Alert)
	if err != nil { // of another version
		return s.finish(ctx, d, "unknown", &sendError{class: "unreadable", permanent: true})
	}
	if d.Kind == store.DeliverResolved {
		m = m.ended()
	}
	r, known := s.receiver(d.Receiver)
	if !known {
		return s.finish(ctx, d, "unknown", &sendError{class: "unknown_receiver", permanent: true})
	}
	if !r.renew && s.Now().Sub(d.CreatedAt) > tooLate {
		return s.finish(ctx, d, r.Kind, &sendError{class: "too_late", permanent: true})
	}
	return s.finish(ctx, d, r.Kind, r.send(ctx, note{delivery: d.ID, message: m, now: s.Now()}))
}

// finish decides what becomes of a message after an attempt.
func (s *Service) finish(ctx context.Context, d store.AlertDelivery, kind string, err error) error {
	if err == nil {
		s.metrics.deliveries.WithLabelValues(kind, "sent").Inc()
		return s.Store.FinishAlertDelivery(ctx, d.ID, store.DeliverySent, "", time.Time{})
	}
	why := classOf(err)
	pause := pauseAfter(d.Attempts, why.wait)
	next := s.Now().Add(pause)
	if why.permanent || d.Attempts >= maxAttempts {
		s.metrics.deliveries.WithLabelValues(kind, "failed").Inc()
		s.Logger.Error("alert not delivered", "receiver", d.Receiver, "kind", d.Kind, "alert", d.AlertID, "attempts", d.Attempts, "why", why.class)
		return s.Store.FinishAlertDelivery(ctx, d.ID, store.DeliveryFailed, why.class, time.Time{})
	}
	s.metrics.deliveries.WithLabelValues(kind, "retry").Inc()
	return s.Store.FinishAlertDelivery(ctx, d.ID, store.DeliveryWaiting, why.class, next)
}

// pauseAfter is between half and all of a time that doubles with each attempt, so that replicas and alerts do not come all at once.
func pauseAfter(attempts int64, asked time.Duration) time.Duration {
	pause := maxPause
	if attempts < 8 {
		pause = min(firstPause<<(attempts-1), maxPause)
	}
	pause = pause/2 + time.Duration(rand.Int64N(int64(pause/2)+1))
	return max(pause, asked)
}

// Test sends a test to a receiver once and keeps it in the log. class is "" when it was taken, else why not. Errors: ErrNoReceiver,
// and those of the store.
func (s *Service) Test(ctx context.Context, receiver string) (class string, err error) {
	r, known := s.receiver(receiver)
	if !known {
		return "", ErrNoReceiver
	}
	now := s.Now()
	id := fmt.Sprintf("test-%d", now.UnixMilli())
	if err := r.send(ctx, note{delivery: id, message: testMessage(id, s.PublicURL, now), now: now}); err != nil {
		class = classOf(err).class
	}
	return class, s.Store.LogTestDelivery(context.WithoutCancel(ctx), receiver, class)
}
