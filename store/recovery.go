package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// calmLeast and calmMost bound how long a client has to succeed without this failure before its incident is over.
	calmLeast = 30 * time.Minute
	calmMost  = 24 * time.Hour
	// calmMinutes is in how many different minutes it has to have succeeded: one success is no traffic.
	calmMinutes = 3
	// recoverySize bounds the incidents of one look.
	recoverySize = 500
)

// calmOf is how long successes have to go on before an incident is over: three times as long as its failures were apart,
// so that one which shows only every few hours is not called over in between.
func calmOf(i Incident) time.Duration {
	if i.Count < 2 {
		return calmLeast
	}
	gap := i.LastSeenAt.Sub(i.FirstSeenAt) / time.Duration(i.Count-1)
	return min(max(3*gap, calmLeast), calmMost)
}

// ResolveRecovered resolves the incidents whose clients have succeeded for a while without failing so again, and says how many.
// Only traffic counts, never silence, and only event time: the episode ends with the last success that was seen, so that
// a failure from before it that arrives late joins it and opens nothing.
func (s *Store) ResolveRecovered(ctx context.Context) (resolved int, err error) {
	rows, err := s.readers.QueryContext(ctx, `select `+incidentColumns+` from incident
		where state in ('open', 'acknowledged', 'silenced') and first_success_at > 0 and client_id <> '' and last_seen_at < $1
		order by last_seen_at desc limit `+fmt.Sprint(recoverySize), toMillis(s.now().Add(-calmLeast)))
	if err != nil {
		return 0, fmt.Errorf("find recovered incidents: %w", err)
	}
	list, err := collect(rows, func(scan func(...any) error) (Incident, error) { return scanIncident(scan, s.now()) })
	if err != nil {
		return 0, fmt.Errorf("find recovered incidents: %w", err)
	}
	for _, i := range list {
		ended, err := s.recovered(ctx, i)
		if err != nil {
			return resolved, fmt.Errorf("look at successes after incident %s: %w", i.ID, err)
		}
		if ended.IsZero() {
			continue
		}
		_, err = s.ChangeIncident(ctx, i.ID, StateChange{State: StateResolved, By: ByItself, IfVersion: i.Version, endedAt: ended,
			Note: "The client has succeeded since " + i.FirstSuccess.UTC().Format(time.RFC3339) + " without failing so again."})
		switch {
		case errors.Is(err, ErrConflict), errors.Is(err, ErrNotFound): // something happened to it meanwhile
		case err != nil:
			return resolved, err
		default:
			resolved++
		}
	}
	return resolved, nil
}

// recovered is when the incident's client was last seen to succeed, or zero while that is not yet a recovery.
func (s *Store) recovered(ctx context.Context, i Incident) (time.Time, error) {
	failed := toMillis(i.LastSeenAt)
	rows, err := s.readers.QueryContext(ctx, `select success.hour, success.minutes from success join client on client.ref = success.client_ref
		where client.provider = $1 and client.environment = $2 and client.client_id = $3 and success.hour >= $4`,
		i.Provider, i.Environment, i.ClientID, floorTo(failed, hourStep))
	if err != nil {
		return time.Time{}, err
	}
	list, err := collectMinutes(rows)
	if err != nil {
		return time.Time{}, err
	}
	minutes, last := 0, failed
	for _, m := range list {
		if m.last > failed {
			minutes, last = minutes+1, max(last, m.last)
		}
	}
	if minutes < calmMinutes || fromMillis(last).Sub(i.LastSeenAt) < calmOf(i) {
		return time.Time{}, nil
	}
	return fromMillis(last), nil
}
