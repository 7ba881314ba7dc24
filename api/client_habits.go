package api

import (
	"net/http"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// clockJSON is one hour of a client's clock in one environment.
type clockJSON struct {
	Provider    string    `json:"provider,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Hour        time.Time `json:"hour"`
	Low         float64   `json:"low_seconds"` // ahead of the server; negative: behind
	High        float64   `json:"high_seconds"`
	Assertions  int64     `json:"assertions"`
}

// getClientClock lists what was measured of a client's clock, hour by hour, at most as far back as readings are kept.
func (s *Server) getClientClock(c echo.Context) error {
	q := s.query(c)
	q.rows()
	from := q.moment("from")
	if err := q.err(); err != nil {
		return err
	}
	id, places, err := s.placesOf(c)
	if err != nil {
		return err
	}
	rows := []clockJSON{}
	now := s.Now()
	for _, list := range places {
		hours, err := s.clockOf(c.Request().Context(), list[0].Provider, list[0].Environment, id, assertionLifetime(list), window{From: from, To: now, Now: now})
		if err != nil {
			return err
		}
		for _, h := range hours {
			rows = append(rows, clockJSON{list[0].Provider, list[0].Environment, h.Start, round(h.Low), round(h.High), h.Assertions})
		}
	}
	return sendList(c, q, rows, "")
}

// placesOf reads what was seen of the client in the path, cut by place; store.ErrNotFound when it is not known.
func (s *Server) placesOf(c echo.Context) (id string, places [][]store.Sighting, err error) {
	if id, err = param(c, "id"); err != nil {
		return "", nil, err
	}
	ctx := c.Request().Context()
	known, _, err := s.Store.ListClients(ctx, store.ClientFilter{ClientID: id, Page: store.Page{Limit: 1}})
	if err != nil {
		return "", nil, err
	}
	if len(known) == 0 {
		return "", nil, store.ErrNotFound
	}
	list, _, err := s.Store.ListSightings(ctx, store.SightingFilter{Clients: []string{id}})
	return id, byPlace(list), err
}

// assertionLifetime is how long a client's assertions live, by the latest.
func assertionLifetime(list []store.Sighting) time.Duration {
	s, _ := latestOfKind(list, classify.SightAssertionLifetime)
	d, err := time.ParseDuration(s.Value)
	if err != nil {
		return 0
	}
	return d
}

// habitJSON is one thing that was seen of a client.
type habitJSON struct {
	Provider      string             `json:"provider,omitempty"`
	Environment   string             `json:"environment,omitempty"`
	Kind          classify.SightKind `json:"kind"`
	Value         string             `json:"value"`
	Issuer        string             `json:"issuer,omitempty"` // of a key
	Host          string             `json:"host,omitempty"`   // of a key: who judged it
	FirstSeen     time.Time          `json:"first_seen"`
	LastSeen      time.Time          `json:"last_seen"`
	FirstAccepted time.Time          `json:"first_accepted,omitzero"`
	LastAccepted  time.Time          `json:"last_accepted,omitzero"`
	FirstRejected time.Time          `json:"first_rejected,omitzero"`
	LastRejected  time.Time          `json:"last_rejected,omitzero"`
	Accepted      int64              `json:"accepted"`
	Rejected      int64              `json:"rejected"`
	Other         int64              `json:"other"`
}

func toHabitJSON(s store.Sighting) habitJSON {
	return habitJSON{Provider: s.Provider, Environment: s.Environment, Kind: s.Kind, Value: s.Value, Issuer: s.Owner, Host: s.Host, FirstSeen: s.FirstSeen, LastSeen: s.LastSeen,
		FirstAccepted: s.FirstAccepted, LastAccepted: s.LastAccepted, FirstRejected: s.FirstRejected, LastRejected: s.LastRejected,
		Accepted: s.Accepted, Rejected: s.Rejected, Other: s.Other}
}

// listClientHabits lists all that was seen of a client, latest first.
func (s *Server) listClientHabits(c echo.Context) error {
	q := s.query(c)
	q.rows()
	kinds := manyOf(q, "kind", classify.SightKinds()...)
	environments := q.all("environment")
	limit := q.whole("limit", 1, 1000, 1000)
	if err := q.err(); err != nil {
		return err
	}
	id, places, err := s.placesOf(c)
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return sendList(c, q, []habitJSON{}, "")
	}
	list, _, err := s.Store.ListSightings(c.Request().Context(), store.SightingFilter{Kinds: kinds, Environments: environments, Clients: []string{id}, Limit: limit})
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, toHabitJSON), "")
}

// diffJSON is what differs between two environments of one client, and matters.
type diffJSON struct {
	ClientID    string           `json:"client_id"`
	A           string           `json:"a"`
	B           string           `json:"b"`
	Differences []differenceJSON `json:"differences"`
	Same        int              `json:"same"`        // fields that are the same
	AsExpected  int              `json:"as_expected"` // fields that differ because the environments do
}

type differenceJSON struct {
	Field  classify.SightKind `json:"field"`
	A      string             `json:"a"` // "" where there is none
	B      string             `json:"b"`
	Detail string             `json:"detail"`
}

func (s *Server) getEnvironmentsDiff(c echo.Context) error {
	q := s.query(c)
	client, a, b := q.one("client"), q.one("a"), q.one("b")
	for _, needed := range []struct{ name, value string }{{"client", client}, {"a", a}, {"b", b}} {
		if needed.value == "" {
			q.fault(needed.name, "required", "which client, and which two environments")
		}
	}
	if err := q.err(); err != nil {
		return err
	}
	d, err := s.environmentsDiff(c.Request().Context(), client, a, b)
	if err != nil {
		return err
	}
	out := diffJSON{ClientID: client, A: a, B: b, Differences: []differenceJSON{}, Same: d.same, AsExpected: d.expected}
	for _, f := range d.fields {
		out.Differences = append(out.Differences, differenceJSON{f.kind, f.a, f.b, f.detail})
	}
	return sendJSON(c, http.StatusOK, out)
}
