package store

import (
	"context"
	"time"
)

// A Change is one that somebody told of, or one that the traffic showed: exactly one of the two is there.
type Change struct {
	Told *Deployment
	Seen *SeenChange
}

// Time is when it happened, or was first seen.
func (c Change) Time() time.Time {
	if c.Told != nil {
		return c.Told.Time
	}
	return c.Seen.FirstSeen
}

// ChangeSource is where a change is known from.
type ChangeSource string

// The sources of changes.
const (
	ChangeTold    ChangeSource = "told"    // by a person or a pipeline
	ChangeTraffic ChangeSource = "traffic" // seen in it
)

// ChangeSources lists them.
func ChangeSources() []ChangeSource { return []ChangeSource{ChangeTold, ChangeTraffic} }

// ChangeFilter selects changes, latest first. What was told without a provider, environment or client fits any; a server's
// words, which are of no client, fit every client.
type ChangeFilter struct {
	Sources      []ChangeSource // none: both
	From, To     time.Time      // half-open
	Providers    []string
	Environments []string
	Clients      []string
	Page
}

// ListChanges merges both lists and returns a page and the cursor of the next.
func (s *Store) ListChanges(ctx context.Context, f ChangeFilter) (list []Change, next string, err error) {
	at, ok, err := readCursor(f.Cursor, "changes", 2)
	if err != nil {
		return nil, "", err
	}
	if !ok {
		at = cursor{List: "changes", Tie: []string{"", ""}}
	}
	var told []Deployment
	var seen []SeenChange
	var moreTold, moreSeen string
	if f.wants(ChangeTold) {
		told, moreTold, err = s.ListDeployments(ctx, DeploymentFilter{From: f.From, To: f.To, Providers: f.Providers, Environments: f.Environments,
			Clients: f.Clients, Page: Page{Limit: f.rows(), Cursor: at.Tie[0]}})
		if err != nil {
			return nil, "", err
		}
	}
	if f.wants(ChangeTraffic) {
		clients := f.Clients
		if len(clients) > 0 {
			clients = append([]string{""}, clients...)
		}
		seen, moreSeen, err = s.ListSeenChanges(ctx, SeenChangeFilter{From: f.From, To: f.To, Providers: f.Providers, Environments: f.Environments,
			Clients: clients, Page: Page{Limit: f.rows(), Cursor: at.Tie[1]}})
		if err != nil {
			return nil, "", err
		}
	}
	for len(list) < f.rows() && len(told)+len(seen) > 0 {
		if len(seen) == 0 || len(told) > 0 && !told[0].Time.Before(seen[0].FirstSeen) {
			list, at.Tie[0] = append(list, Change{Told: &told[0]}), told[0].cursor().String()
			told = told[1:]
			continue
		}
		list, at.Tie[1] = append(list, Change{Seen: &seen[0]}), seen[0].cursor().String()
		seen = seen[1:]
	}
	if len(told)+len(seen) > 0 || moreTold != "" || moreSeen != "" {
		next = at.String()
	}
	return list, next, nil
}

func (f ChangeFilter) wants(source ChangeSource) bool {
	for _, s := range f.Sources {
		if s == source {
			return true
		}
	}
	return len(f.Sources) == 0
}
