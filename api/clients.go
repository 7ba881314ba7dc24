package api

import (
	"net/http"
	"net/url"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// clientJSON is one client in one environment of one provider. Failures and successes count since the first record.
type clientJSON struct {
	Provider      string    `json:"provider,omitempty"`
	Environment   string    `json:"environment,omitempty"`
	ClientID      string    `json:"client_id"`
	Failures      int64     `json:"failures"`
	Successes     int64     `json:"successes"`
	OpenIncidents int64     `json:"open_incidents"`
	FirstSeen     time.Time `json:"first_seen,omitzero"`
	LastSuccess   time.Time `json:"last_success,omitzero"`
	LastFailure   time.Time `json:"last_failure,omitzero"`
	Links         linksJSON `json:"links"`
}

func toClientJSON(row store.ClientSummary) clientJSON {
	id := url.PathEscape(row.ClientID)
	return clientJSON{
		Provider: row.Provider, Environment: row.Environment, ClientID: row.ClientID, Failures: row.Failures, Successes: row.Successes,
		OpenIncidents: row.OpenIncidents, FirstSeen: row.FirstSeenAt, LastSuccess: row.LastSuccessAt, LastFailure: row.LastFailureAt,
		Links: linksJSON{Self: "/api/v1/clients/" + id, Failures: "/api/v1/failures?client=" + url.QueryEscape(row.ClientID), Page: "/clients/" + id},
	}
}

func (s *Server) listClients(c echo.Context) error {
	q := s.query(c)
	f := store.ClientFilter{Providers: q.all("provider"), Environments: q.all("environment"), ClientID: q.one("client"), Page: q.page()}
	if err := q.err(); err != nil {
		return err
	}
	rows, next, err := s.Store.ListClients(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(rows, toClientJSON), next)
}

// oneClientJSON is a client wherever it was seen.
type oneClientJSON struct {
	ClientID     string       `json:"client_id"`
	Environments []clientJSON `json:"environments"` // one row for each provider and environment, latest activity first, at most 200
}

func (s *Server) getClient(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	rows, _, err := s.Store.ListClients(c.Request().Context(), store.ClientFilter{ClientID: id, Page: store.Page{Limit: 200}})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return store.ErrNotFound
	}
	return sendJSON(c, http.StatusOK, oneClientJSON{ClientID: id, Environments: convert(rows, toClientJSON)})
}
