package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// Replayed says what became of a rejected record that was tried again. At most one of its members is set.
type Replayed struct {
	Accepted  bool
	Duplicate bool     // it had come another way meanwhile
	Other     bool     // it is no HTTP exchange, as it is read now
	Error     *Problem // why it still was not taken
}

// sourceJSON is one ingest key and what came with it. Recent is the last ten minutes, day the last 24 hours, by receipt.
type sourceJSON struct {
	ID               string     `json:"id"` // of the ingest key; "" for requests without a valid one
	Name             string     `json:"name"`
	State            string     `json:"state"` // ok, lagging or silent
	StateSince       time.Time  `json:"state_since,omitzero"`
	LastRecord       time.Time  `json:"last_record,omitzero"`
	RecordsPerMinute float64    `json:"records_per_minute"`
	Lag              *lagJSON   `json:"lag,omitempty"` // absent when nothing came in the last ten minutes
	Recent           tallyJSON  `json:"recent"`
	Day              tallyJSON  `json:"day"`
	Reasons          []codeJSON `json:"reasons"` // why records and requests of the day were not taken, most frequent first
	Gaps             []gapJSON  `json:"gaps"`
	Rejects          int64      `json:"rejects"`              // rejected records that can be looked at
	RateLimit        int64      `json:"rate_limit,omitempty"` // records a second, when the key has a bound of its own
	Created          time.Time  `json:"created,omitzero"`
	Revoked          time.Time  `json:"revoked,omitzero"`
	Links            linksJSON  `json:"links"`
}

// lagJSON is how long after their events records came, in seconds. The median is the upper end of its class.
type lagJSON struct {
	Median  float64 `json:"median_seconds"`
	Longest float64 `json:"longest_seconds"`
}

type tallyJSON struct {
	Accepted   int64 `json:"accepted"`
	Duplicates int64 `json:"duplicates"`
	Other      int64 `json:"other"` // records that are no HTTP exchange
	Rejected   int64 `json:"rejected"`
	Refused    int64 `json:"refused"`  // whole requests
	Gathered   int64 `json:"gathered"` // accepted failures of more new clients than may have incidents
	Altered    int64 `json:"altered"`  // duplicates that say something else than the first
}

type codeJSON struct {
	Code  string `json:"code"`
	Count int64  `json:"count"`
}

type gapJSON struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (s *Server) toSourceJSON(source store.Source) sourceJSON {
	now := s.Now()
	state, since := source.State(now)
	recent := source.Recent(now)
	out := sourceJSON{
		ID: source.Key.ID, Name: source.Key.Name, State: string(state), StateSince: since, LastRecord: source.LastAt(),
		RecordsPerMinute: perMinute(recent, now), Recent: toTallyJSON(recent), Day: toTallyJSON(source.Day(now)),
		Reasons: convert(source.Codes, func(c store.CodeCount) codeJSON { return codeJSON(c) }),
		Gaps:    convert(source.Gaps(now), func(g store.Gap) gapJSON { return gapJSON(g) }),
		Rejects: source.Held, RateLimit: source.Key.Rate, Created: source.Key.CreatedAt, Revoked: source.Key.RevokedAt,
	}
	if recent.Lags.Total() > 0 {
		out.Lag = &lagJSON{Median: recent.Lags.Median().Seconds(), Longest: recent.Lags.Longest.Seconds()}
	}
	out.Links = linksJSON{Self: "/api/v1/sources", Page: "/sources"}
	if id := source.Key.ID; id != "" {
		out.Links = linksJSON{Self: "/api/v1/sources/" + url.PathEscape(id), Page: "/sources/" + url.PathEscape(id)}
	}
	return out
}

// perMinute is the rate over the time that the figures are of.
func perMinute(m store.SourceMinute, now time.Time) float64 {
	return float64(m.Records()) / now.Sub(m.Start).Minutes()
}

func toTallyJSON(m store.SourceMinute) tallyJSON {
	return tallyJSON{Accepted: m.Accepted, Duplicates: m.Duplicates, Other: m.Other, Rejected: m.Rejected, Refused: m.Refused, Gathered: m.Gathered, Altered: m.Altered}
}

func (s *Server) listSources(c echo.Context) error {
	q := s.query(c)
	if err := q.err(); err != nil {
		return err
	}
	list, err := s.Store.ListSources(c.Request().Context())
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, s.toSourceJSON), "")
}

func (s *Server) getSource(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	source, err := s.sourceOf(c)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, s.toSourceJSON(source))
}

func (s *Server) sourceOf(c echo.Context) (store.Source, error) {
	id, err := param(c, "id")
	if err != nil {
		return store.Source{}, err
	}
	return s.Store.GetSource(c.Request().Context(), id)
}

// rejectJSON is a record that was not taken. Record holds its members, redacted, as they came.
type rejectJSON struct {
	ID         string          `json:"id"`
	Code       string          `json:"code"`
	Pointer    string          `json:"pointer,omitempty"` // RFC 6901, into the record
	Detail     string          `json:"detail"`
	Route      string          `json:"route"`
	First      time.Time       `json:"first"`
	Last       time.Time       `json:"last"`
	Count      int64           `json:"count"`
	Bytes      int64           `json:"bytes,omitempty"`
	Replayable bool            `json:"replayable"`
	Record     json.RawMessage `json:"record,omitempty"` // absent when it could not be redacted safely
}

func toRejectJSON(r store.Reject) rejectJSON {
	out := rejectJSON{
		ID: r.ID, Code: r.Code, Pointer: r.Pointer, Detail: r.Detail, Route: r.Route, First: r.FirstAt, Last: r.LastAt,
		Count: r.Count, Bytes: r.Bytes, Replayable: r.Body != "",
	}
	out.Record = rejectMembers(r)
	return out
}

// rejectMembers are the members of the record that was kept; nil when there are none.
func rejectMembers(r store.Reject) json.RawMessage {
	var kept struct {
		Members json.RawMessage `json:"members"`
	}
	if r.Body == "" || json.Unmarshal([]byte(r.Body), &kept) != nil {
		return nil
	}
	return kept.Members
}

func (s *Server) listRejects(c echo.Context) error {
	q := s.query(c)
	code, page := q.one("code"), q.page()
	if err := q.err(); err != nil {
		return err
	}
	source, err := s.sourceOf(c)
	if err != nil {
		return err
	}
	list, next, err := s.Store.ListRejects(c.Request().Context(), source.Key.ID, code, page)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, toRejectJSON), next)
}

func (s *Server) getReject(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	reject, err := s.rejectOf(c)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, toRejectJSON(reject))
}

func (s *Server) rejectOf(c echo.Context) (store.Reject, error) {
	source, err := param(c, "id")
	if err != nil {
		return store.Reject{}, err
	}
	id, err := param(c, "reject")
	if err != nil {
		return store.Reject{}, err
	}
	return s.Store.GetReject(c.Request().Context(), source, id)
}

// replayJSON is what became of a rejected record that was tried again: accepted, duplicate, other or rejected.
type replayJSON struct {
	Result string `json:"result"`
	Error  *fault `json:"error,omitempty"`
}

func (s *Server) replayReject(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	reject, err := s.rejectOf(c)
	if err != nil {
		return err
	}
	done, err := s.replay(c.Request().Context(), reject)
	if err != nil {
		return err
	}
	out := replayJSON{Result: replayResult(done)}
	if e := done.Error; e != nil {
		out.Error = &fault{Pointer: e.Pointer, Code: e.Code, Detail: e.Detail}
	}
	return sendJSON(c, http.StatusOK, out)
}

func (s *Server) replay(ctx context.Context, reject store.Reject) (Replayed, error) {
	if reject.Body == "" {
		return Replayed{}, fail(http.StatusConflict, "Nothing is kept of this record that could be tried again: it could not be redacted safely.")
	}
	return s.Replay(ctx, reject.Source, reject.ID)
}

func replayResult(r Replayed) string {
	switch {
	case r.Accepted:
		return "accepted"
	case r.Duplicate:
		return "duplicate"
	case r.Other:
		return "other"
	}
	return "rejected"
}
