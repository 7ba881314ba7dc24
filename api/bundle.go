package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"authwatch/bundle"
	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A BundleMaker makes support bundles of the incidents of a store.
type BundleMaker struct {
	Store     *store.Store
	Profiles  classify.Profiles
	Knowledge *classify.Knowledge
	Version   string
}

// casesOfBundle is how many failures a bundle holds: the newest, and the first that is still listed with it.
const casesOfBundle = 3

// Make makes the bundle of an incident, or store.ErrNotFound. With pseudonyms nothing in it names a client, a key, a host or an address.
func (m BundleMaker) Make(ctx context.Context, incidentID string, pseudonyms bool, now time.Time) (bundle.Bundle, error) {
	incident, err := m.Store.GetIncident(ctx, incidentID)
	if err != nil {
		return bundle.Bundle{}, err
	}
	in := bundle.Input{MadeAt: now, MadeBy: m.Version, Profile: m.profile(incident.Provider), Incident: bundle.Incident{
		ID: incident.ID, Provider: incident.Provider, Environment: incident.Environment, ClientID: incident.ClientID, Cause: incident.Cause,
		Confidence: incident.Confidence, Count: incident.Count, FirstSeen: incident.FirstSeenAt, LastSeen: incident.LastSeenAt,
		LastSuccessBefore: incident.LastSuccess, FirstSuccessAfter: incident.FirstSuccess,
	}}
	if in.Records, err = m.records(ctx, incident.ID); err != nil {
		return bundle.Bundle{}, err
	}
	if in.History, err = m.history(ctx, in.Records); err != nil {
		return bundle.Bundle{}, err
	}
	if in.Changes, err = m.changes(ctx, incident); err != nil {
		return bundle.Bundle{}, err
	}
	if in.Different, err = m.different(ctx, incident); err != nil {
		return bundle.Bundle{}, err
	}
	b := bundle.New(in, m.Knowledge)
	if !pseudonyms {
		return b, nil
	}
	return b.Pseudonymise(m.Knowledge)
}

func (m BundleMaker) profile(id string) *classify.Profile {
	for _, p := range m.Profiles {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// records are the newest failures and the oldest of those that one list shows.
func (m BundleMaker) records(ctx context.Context, incidentID string) ([]classify.Record, error) {
	list, _, err := m.Store.ListFailures(ctx, store.FailureFilter{IncidentID: incidentID, Page: store.Page{Limit: 200}})
	if err != nil {
		return nil, err
	}
	if len(list) > casesOfBundle {
		list = append(slices.Clone(list[:casesOfBundle-1]), list[len(list)-1])
	}
	var out []classify.Record
	for _, f := range list {
		if r := recordOf(f.Record); r != nil {
			out = append(out, *r)
		}
	}
	return out, nil
}

// history is what is known of everything that the records ask for.
func (m BundleMaker) history(ctx context.Context, records []classify.Record) (classify.History, error) {
	classifier := classify.New(m.Profiles, m.Knowledge)
	var keys []classify.Key
	for i := range records {
		keys = append(keys, classifier.Locate(&records[i]).Keys()...)
	}
	known, err := m.Store.History(ctx, keys)
	return known.History(), err
}

// different says what sets the incident's failures apart.
func (m BundleMaker) different(ctx context.Context, i store.Incident) ([]string, error) {
	found, err := m.Store.Contrasts(ctx, i, classify.New(m.Profiles, m.Knowledge))
	if err != nil {
		return nil, err
	}
	return convert(found.List, func(c classify.Contrast) string { return contrastWords(c, i, found) }), nil
}

func (m BundleMaker) changes(ctx context.Context, i store.Incident) ([]bundle.Change, error) {
	list, _, err := m.Store.ListDeployments(ctx, store.DeploymentFilter{From: i.FirstSeenAt.Add(-onsetReach), To: i.LastSeenAt.Add(onsetSlack),
		Providers: anyOf(i.Provider), Environments: anyOf(i.Environment), Clients: anyOf(i.ClientID), Page: store.Page{Limit: 20}})
	if err != nil {
		return nil, err
	}
	return convert(list, func(d store.Deployment) bundle.Change {
		return bundle.Change{Time: d.Time, Kind: string(d.Kind), Title: d.Title}
	}), nil
}

func (s *Server) bundles() BundleMaker {
	return BundleMaker{Store: s.Store, Profiles: s.Profiles, Knowledge: s.Knowledge, Version: s.Version}
}

// getBundle answers the support bundle as JSON or Markdown.
func (s *Server) getBundle(c echo.Context) error {
	q := s.query(c)
	pseudonyms := oneOf(q, "pseudonyms", "false", "true") == "true"
	download := oneOf(q, "download", "false", "true") == "true"
	if err := q.err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	media, err := negotiate(c, mediaJSON, mediaMarkdown)
	if err != nil {
		return err
	}
	b, err := s.bundles().Make(c.Request().Context(), id, pseudonyms, s.Now())
	if err != nil {
		return err
	}
	return sendBundle(c, b, media, download)
}

func sendBundle(c echo.Context, b bundle.Bundle, media string, download bool) error {
	if media == mediaMarkdown {
		attach(c, download, "authwatch-bundle.md")
		return sendBlob(c, http.StatusOK, media+"; charset=utf-8", []byte(b.Markdown()))
	}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	attach(c, download, "authwatch-bundle.json")
	return sendBlob(c, http.StatusOK, mediaJSON, append(text, '\n'))
}

// attach makes a browser save the answer.
func attach(c echo.Context, download bool, name string) {
	if download {
		c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	}
}
