package store

import (
	"context"
	"fmt"
	"time"
)

// ClientSummary is one client of one provider and environment.
type ClientSummary struct {
	Provider      string
	Environment   string
	ClientID      string
	Failures      int64 // ever
	Successes     int64 // ever
	FirstSeenAt   time.Time
	LastSuccessAt time.Time
	LastFailureAt time.Time
	OpenIncidents int64 // not resolved
}

// ClientFilter selects clients, latest activity first.
type ClientFilter struct {
	Providers    []string
	Environments []string
	ClientID     string
	Page
}

// EnvironmentSummary is one environment of one provider as traffic shows it.
type EnvironmentSummary struct {
	Provider      string
	Environment   string
	Failures      int64
	Successes     int64
	Clients       int64 // known by name
	OpenIncidents int64 // not resolved
	LastSeenAt    time.Time
}

// A clientRow is what the writing needs of a client: who it is, and when it was accepted first and last, 0 for never.
type clientRow struct{ ref, firstSuccess, lastSuccess int64 }

// countClients adds figures to clients and returns their rows.
func (t *Tx) countClients(ctx context.Context, keys []clientKey, all map[clientKey]*clientFigures) (map[clientKey]clientRow, error) {
	var args []any
	for _, k := range keys {
		f := all[k]
		var firstSuccess, lastSuccess int64
		if n := len(f.accepted); n > 0 {
			firstSuccess, lastSuccess = f.accepted[0], f.accepted[n-1]
		}
		args = append(args, newRef(), k.provider, k.environment, k.clientID, f.failures, f.successes,
			f.firstFailure, f.lastFailure, firstSuccess, lastSuccess, latest(f.lastFailure, lastSuccess))
	}
	rows := make(map[clientKey]clientRow, len(keys))
	err := eachRows(args, 11, func(n int, args []any) error {
		answer, err := t.query(ctx, countClients(t.rows.of(n, 11)), args...)
		if err != nil {
			return err
		}
		_, err = collect(answer, func(scan func(...any) error) (r clientRow, err error) {
			var k clientKey
			err = scan(&k.provider, &k.environment, &k.clientID, &r.ref, &r.firstSuccess, &r.lastSuccess)
			rows[k] = r
			return r, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count clients: %w", err)
	}
	return rows, nil
}

func countClients(rows string) string {
	return `insert into client (ref, provider, environment, client_id, failures, successes,
			first_failure_at, last_failure_at, first_success_at, last_success_at, last_seen_at)
		values ` + rows + `
		on conflict (provider, environment, client_id) do update set
			failures = client.failures + excluded.failures,
			successes = client.successes + excluded.successes,
			first_failure_at = case when excluded.first_failure_at <> 0
					and (client.first_failure_at = 0 or excluded.first_failure_at < client.first_failure_at)
				then excluded.first_failure_at else client.first_failure_at end,
			last_failure_at = case when excluded.last_failure_at > client.last_failure_at
				then excluded.last_failure_at else client.last_failure_at end,
			first_success_at = case when excluded.first_success_at <> 0
					and (client.first_success_at = 0 or excluded.first_success_at < client.first_success_at)
				then excluded.first_success_at else client.first_success_at end,
			last_success_at = case when excluded.last_success_at > client.last_success_at
				then excluded.last_success_at else client.last_success_at end,
			last_seen_at = case when excluded.last_seen_at > client.last_seen_at
				then excluded.last_seen_at else client.last_seen_at end
		returning provider, environment, client_id, ref, first_success_at, last_success_at`
}

// uncountClientFailure takes one failure back. The client's incidents, which are right already, say when it failed.
func (t *Tx) uncountClientFailure(ctx context.Context, k episodeKey) error {
	var first, last int64
	err := t.queryRow(ctx, `select coalesce(min(first_seen_at), 0), coalesce(max(last_seen_at), 0) from incident
		where provider = $1 and environment = $2 and client_id = $3`, k.provider, k.environment, k.clientID).Scan(&first, &last)
	if err != nil {
		return fmt.Errorf("read incidents of client: %w", err)
	}
	err = t.exec(ctx, `update client set failures = failures - 1, first_failure_at = $1, last_failure_at = $2,
			last_seen_at = case when last_success_at > $2 then last_success_at else $2 end
		where provider = $3 and environment = $4 and client_id = $5`, first, last, k.provider, k.environment, k.clientID)
	if err != nil {
		return fmt.Errorf("update client: %w", err)
	}
	err = t.exec(ctx, `delete from client where provider = $1 and environment = $2 and client_id = $3
		and failures = 0 and successes = 0`, k.provider, k.environment, k.clientID)
	if err != nil {
		return fmt.Errorf("remove client: %w", err)
	}
	return nil
}

// ListClients returns a page and the cursor of the next one, "" on the last. Traffic without a client id is nobody's and not listed.
func (s *Store) ListClients(ctx context.Context, f ClientFilter) (list []ClientSummary, next string, err error) {
	var w where
	w.and(`client_id <> ''`)
	in(&w, `provider`, keyTexts(f.Providers))
	in(&w, `environment`, keyTexts(f.Environments))
	if f.ClientID != "" {
		w.and(`client_id = ?`, keyText(f.ClientID))
	}
	c, ok, err := readCursor(f.Cursor, "clients", 3)
	if err != nil {
		return nil, "", err
	}
	if ok {
		w.and(`(last_seen_at, provider, environment, client_id) < (?, ?, ?, ?)`, c.Key, c.Tie[0], c.Tie[1], c.Tie[2])
	}
	rows, err := s.readers.QueryContext(ctx, `select provider, environment, client_id, failures, successes,
			first_failure_at, first_success_at, last_failure_at, last_success_at,
			(select count(*) from incident i where i.provider = client.provider and i.environment = client.environment
				and i.client_id = client.client_id and i.state <> 'resolved')
		from client where `+w.sql()+`
		order by last_seen_at desc, provider desc, environment desc, client_id desc limit `+w.arg(int64(f.rows()+1)), bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list clients: %w", err)
	}
	list, err = collect(rows, scanClient)
	if err != nil {
		return nil, "", fmt.Errorf("list clients: %w", err)
	}
	list, more := cut(list, f.rows())
	if more {
		c := list[len(list)-1]
		key := latest(toMillis(c.LastFailureAt), toMillis(c.LastSuccessAt))
		next = cursor{List: "clients", Key: key, Tie: []string{c.Provider, c.Environment, c.ClientID}}.String()
	}
	return list, next, nil
}

func scanClient(scan func(...any) error) (c ClientSummary, err error) {
	var firstFailure, firstSuccess, lastFailure, lastSuccess int64
	err = scan(&c.Provider, &c.Environment, &c.ClientID, &c.Failures, &c.Successes,
		&firstFailure, &firstSuccess, &lastFailure, &lastSuccess, &c.OpenIncidents)
	c.FirstSeenAt = fromMillis(earliest(firstFailure, firstSuccess))
	c.LastFailureAt, c.LastSuccessAt = fromMillis(lastFailure), fromMillis(lastSuccess)
	return c, err
}

// ListEnvironments returns the environments that traffic has shown, by provider and name; the first 200, should a
// shipper make up more.
func (s *Store) ListEnvironments(ctx context.Context) ([]EnvironmentSummary, error) {
	rows, err := s.readers.QueryContext(ctx, `
		select c.provider, c.environment, cast(sum(c.failures) as bigint), cast(sum(c.successes) as bigint),
			count(case when c.client_id <> '' then 1 end), max(c.last_seen_at),
			(select count(*) from incident i where i.provider = c.provider and i.environment = c.environment and i.state <> 'resolved')
		from client c group by c.provider, c.environment order by c.provider, c.environment limit $1`, int64(maxLimit))
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	list, err := collect(rows, func(scan func(...any) error) (e EnvironmentSummary, err error) {
		var seen int64
		err = scan(&e.Provider, &e.Environment, &e.Failures, &e.Successes, &e.Clients, &seen, &e.OpenIncidents)
		e.LastSeenAt = fromMillis(seen)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	return list, nil
}
