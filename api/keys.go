package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// signingKeyJSON is one kid of one issuer in one environment.
type signingKeyJSON struct {
	Provider     string         `json:"provider,omitempty"`
	Environment  string         `json:"environment,omitempty"`
	Token        string         `json:"token"`            // client_assertion or access_token
	Issuer       string         `json:"issuer,omitempty"` // of a client assertion the client
	KID          string         `json:"kid"`              // "" where the header names none
	FirstSeen    time.Time      `json:"first_seen"`
	LastSeen     time.Time      `json:"last_seen"`
	LastAccepted time.Time      `json:"last_accepted,omitzero"`
	Clients      []string       `json:"clients"`
	AlsoIn       []string       `json:"also_in,omitempty"`
	Verifiers    []verifierJSON `json:"verifiers"`
	Findings     []findingJSON  `json:"findings"`
}

// verifierJSON is a host that was sent tokens of the key.
type verifierJSON struct {
	Host          string    `json:"host,omitempty"`
	FirstSeen     time.Time `json:"first_seen"`
	LastSeen      time.Time `json:"last_seen"`
	FirstAccepted time.Time `json:"first_accepted,omitzero"`
	LastAccepted  time.Time `json:"last_accepted,omitzero"`
	FirstRejected time.Time `json:"first_rejected,omitzero"`
	LastRejected  time.Time `json:"last_rejected,omitzero"`
	Accepted      int64     `json:"accepted"`
	Rejected      int64     `json:"rejected"` // failures about the key
	Other         int64     `json:"other"`    // failures about something else
	Refuses       bool      `json:"refuses"`  // its last word was no
}

type findingJSON struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func toSigningKeyJSON(k *signingKey) signingKeyJSON {
	out := signingKeyJSON{Provider: k.Provider, Environment: k.Environment, Token: k.Token, Issuer: k.Owner, KID: k.KID, FirstSeen: k.FirstSeen, LastSeen: k.LastSeen,
		LastAccepted: k.LastAccepted, Clients: append([]string{}, k.Clients...), AlsoIn: k.AlsoIn, Verifiers: []verifierJSON{}, Findings: []findingJSON{}}
	for n := range k.Verifiers {
		v := &k.Verifiers[n]
		out.Verifiers = append(out.Verifiers, verifierJSON{Host: v.Host, FirstSeen: v.FirstSeen, LastSeen: v.LastSeen, FirstAccepted: v.FirstAccepted, LastAccepted: v.LastAccepted,
			FirstRejected: v.FirstRejected, LastRejected: v.LastRejected, Accepted: v.Accepted, Rejected: v.Rejected, Other: v.Other, Refuses: v.refuses()})
	}
	for _, f := range k.Findings {
		out.Findings = append(out.Findings, findingJSON{f.Code, f.Words})
	}
	return out
}

// kidKinds are the sightings of keys.
func kidKinds() []classify.SightKind {
	return []classify.SightKind{classify.SightAssertionKID, classify.SightTokenKID}
}

// keysShown bounds the keys of one answer.
const keysShown = 200

func (s *Server) listSigningKeys(c echo.Context) error {
	q := s.query(c)
	q.rows()
	f := store.SightingFilter{Kinds: kidKinds(), Providers: q.all("provider"), Environments: q.all("environment"), Clients: q.all("client"), Owners: q.all("issuer"), From: q.moment("from")}
	if err := q.err(); err != nil {
		return err
	}
	list, _, err := s.Store.ListSightings(c.Request().Context(), f)
	if err != nil {
		return err
	}
	keys := keysOf(withoutLeftOut(list), s.Now())
	slices.SortStableFunc(keys, func(a, b *signingKey) int { return b.LastSeen.Compare(a.LastSeen) })
	return sendList(c, q, convert(keys[:min(len(keys), keysShown)], toSigningKeyJSON), "")
}

// withoutLeftOut leaves out what stands for values that were too many to be kept.
func withoutLeftOut(list []store.Sighting) []store.Sighting {
	return slices.DeleteFunc(slices.Clone(list), func(s store.Sighting) bool { return s.Value == store.SightingsLeftOut })
}

// A signingKeysPage shows who accepts and who refuses each key.
type signingKeysPage struct {
	frame
	Range    rangeView
	Findings []string // but for rotations, which are no fault
	Lanes    lanesView
	Cut      string
	Choices  []option
}

func (signingKeysPage) template() string { return "keys.html" }

func (s *Server) signingKeysPage(c echo.Context) error {
	now, q, ctx := s.nowFor(c), c.QueryParams(), c.Request().Context()
	w, err := windowOf(q, now, "7d")
	if err != nil {
		return err
	}
	list, more, err := s.Store.ListSightings(ctx, store.SightingFilter{Kinds: kidKinds(), Environments: given(q, "environment"), Clients: given(q, "client"), From: w.From})
	if err != nil {
		return err
	}
	environments, err := s.Store.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	keys := keysOf(withoutLeftOut(list), now)
	page := signingKeysPage{frame: s.frameOf(c, "/keys"), Range: w.view("/keys", q), Choices: environmentOptions(environments, q.Get("environment"))}
	if len(keys) > keysShown {
		slices.SortStableFunc(keys, func(a, b *signingKey) int {
			return cmp.Or(len(b.Findings)-len(a.Findings), b.LastSeen.Compare(a.LastSeen))
		})
		keys, more = keysOfGroups(keys[:keysShown]), true
	}
	if more {
		page.Cut = "Only " + count(keysShown) + " keys are shown; choose an environment or a client for others."
	}
	for _, k := range keys {
		for _, f := range k.Findings {
			twice := f.Code == "shared_across_environments" && slices.Min(k.AlsoIn) < k.Environment // said of the other one
			if f.Code != "rotated" && !twice {
				page.Findings = append(page.Findings, placeOf(k.Provider, k.Environment)+": "+f.Words)
			}
		}
	}
	page.Lanes = lanesOf(keys, w)
	return s.render(c, http.StatusOK, page)
}

// keysOfGroups puts the keys of one owner beside each other again.
func keysOfGroups(keys []*signingKey) []*signingKey {
	slices.SortStableFunc(keys, func(a, b *signingKey) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Token, b.Token), cmp.Compare(a.Owner, b.Owner), b.FirstSeen.Compare(a.FirstSeen))
	})
	return keys
}
