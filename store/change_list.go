package store

import (
	"context"
	"time"
)

// A Change is one that somebody told of, or one that the traffic showed: exactly one of the two is there.
type Change struct {
	Told *Deployment
	Seen *SeenChange
	More int // of BriefChanges: so many more of the same client in the same moment are left out
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

// pass moves the cursor of a list behind the change.
func (c Change) pass(at *cursor) {
	if c.Told != nil {
		at.Tie[0] = c.Told.cursor().String()
	} else {
		at.Tie[1] = c.Seen.cursor().String()
	}
}

// A clientMoment is the changes that one client showed in one of the steps that time is cut into.
type clientMoment struct {
	clientKey
	step int64
}

// briefPages bounds the pages that are read for one of BriefChanges.
const briefPages = 5

// BriefChanges is ListChanges for a reader whom a client that changes everything at once must not keep from the others: of
// what one client showed in one moment (a whole step since 1970) at most so many are returned, and the last of them says how
// many more there are.
func (s *Store) BriefChanges(ctx context.Context, f ChangeFilter, most int, moment time.Duration) (list []Change, next string, err error) {
	at, ok, err := readCursor(f.Cursor, "changes", 2)
	if err != nil {
		return nil, "", err
	}
	if !ok {
		at = cursor{List: "changes", Tie: []string{"", ""}}
	}
	limit := f.rows()
	shown := map[clientMoment][]int{} // by index in list
	for range briefPages {
		page, rest, err := s.ListChanges(ctx, f)
		if err != nil {
			return nil, "", err
		}
		goesOn := false // the last one left some out, and may leave out more
		for _, c := range page {
			m := momentOf(c, moment)
			own := shown[m]
			if goesOn = len(own) == most; goesOn {
				list[own[most-1]].More++
				c.pass(&at)
				continue
			}
			if len(list) == limit {
				return list, at.String(), nil
			}
			if m.clientID != "" {
				shown[m] = append(own, len(list))
			}
			list = append(list, c)
			c.pass(&at)
		}
		if rest == "" {
			return list, "", nil
		}
		if len(list) == limit && !goesOn {
			break
		}
		f.Cursor, f.Limit = rest, maxLimit
	}
	return list, at.String(), nil
}

// momentOf is whose and of when a change is; of no client for what was told or is of a server.
func momentOf(c Change, moment time.Duration) (m clientMoment) {
	if c.Seen != nil {
		m.clientKey = clientKey{c.Seen.Provider, c.Seen.Environment, c.Seen.ClientID}
		m.step = c.Seen.FirstSeen.UnixMilli() / moment.Milliseconds()
	}
	return m
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
			list, told = append(list, Change{Told: &told[0]}), told[1:]
		} else {
			list, seen = append(list, Change{Seen: &seen[0]}), seen[1:]
		}
		list[len(list)-1].pass(&at)
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
