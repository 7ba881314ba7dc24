package api

import (
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// environmentJSON is an environment as its profile describes it and as traffic shows it.
type environmentJSON struct {
	Provider       string       `json:"provider"`
	Environment    string       `json:"environment"`
	InProfile      bool         `json:"in_profile"` // false: known from traffic only
	TokenEndpoints []string     `json:"token_endpoints,omitempty"`
	Issuers        []string     `json:"issuers,omitempty"`
	APIAudiences   []string     `json:"api_audiences,omitempty"`
	Hosts          []string     `json:"hosts,omitempty"`
	Traffic        *trafficJSON `json:"traffic,omitempty"`    // absent: nothing received yet
	Seen           []seenJSON   `json:"seen,omitempty"`       // values that were accepted there
	Mismatches     []leakJSON   `json:"mismatches,omitempty"` // values that do not fit there
}

type seenJSON struct {
	Field  classify.SightKind `json:"field"`
	Values []string           `json:"values"`
}

type leakJSON struct {
	Field  classify.SightKind `json:"field"`
	Value  string             `json:"value"`
	Detail string             `json:"detail"`
}

type trafficJSON struct {
	Failures      int64     `json:"failures"`
	Successes     int64     `json:"successes"`
	Clients       int64     `json:"clients"`
	OpenIncidents int64     `json:"open_incidents"`
	LastSeen      time.Time `json:"last_seen,omitzero"`
}

func (s *Server) listEnvironments(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	seen, err := s.Store.ListEnvironments(c.Request().Context())
	if err != nil {
		return err
	}
	rows := joinEnvironments(s.Profiles, seen)
	values, leaks, err := s.seenInEnvironments(c.Request().Context())
	if err != nil {
		return err
	}
	for n := range rows {
		place := [2]string{rows[n].Provider, rows[n].Environment}
		for _, kind := range append(environmentKinds(), kidKinds()...) {
			if list := values[place][kind]; len(list) > 0 {
				rows[n].Seen = append(rows[n].Seen, seenJSON{kind, list})
			}
		}
		for _, l := range leaks[place] {
			rows[n].Mismatches = append(rows[n].Mismatches, leakJSON{l.Field, l.Value, l.Detail})
		}
	}
	return sendList(c, q, rows, "")
}

// joinEnvironments lists those that traffic has shown, then those that only a profile names.
func joinEnvironments(profiles classify.Profiles, seen []store.EnvironmentSummary) []environmentJSON {
	type key struct{ provider, environment string }
	described := map[key]environmentJSON{}
	var silent []key
	for _, p := range profiles {
		for _, e := range p.Environments {
			k := key{p.ID, e.Name}
			described[k] = environmentJSON{Provider: p.ID, Environment: e.Name, InProfile: true, TokenEndpoints: e.TokenEndpoints,
				Issuers: e.Issuers, APIAudiences: e.APIAudiences, Hosts: e.Hosts}
			silent = append(silent, k)
		}
	}
	var out []environmentJSON
	for _, t := range seen {
		k := key{t.Provider, t.Environment}
		row, ok := described[k]
		if !ok {
			row = environmentJSON{Provider: t.Provider, Environment: t.Environment}
		}
		row.Traffic = &trafficJSON{Failures: t.Failures, Successes: t.Successes, Clients: t.Clients, OpenIncidents: t.OpenIncidents, LastSeen: t.LastSeenAt}
		delete(described, k)
		out = append(out, row)
	}
	for _, k := range silent {
		if row, ok := described[k]; ok {
			out = append(out, row)
		}
	}
	return out
}
