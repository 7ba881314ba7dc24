package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"authwatch/store"
)

// An onsetView lists what changed when an incident began, likeliest first.
type onsetView struct {
	Words   string // what was looked at, in a sentence
	Changes []onsetChange
	seen    []store.SeenChange // those of Changes that the traffic showed
}

// An onsetChange is one change near the onset.
type onsetChange struct {
	When  moment
	Kind  string
	Title string
	URL   string
	Place string
	Note  string // how long before the first failure, and why it may matter
}

const (
	// onsetReach is how far back changes are looked for: a change may need a while, or a first retry, to show. A last
	// success that is longer ago takes it further, to at most onsetLimit.
	onsetReach = 2 * time.Hour
	onsetLimit = day
	// onsetSlack allows for clocks that disagree: a deploy may be told of a little after what it did.
	onsetSlack = 2 * time.Minute
	// onsetShown bounds the list.
	onsetShown = 5
)

// onset ranks the changes that were told of, and those that the traffic shows, in the time in which the incident began: those of
// its client first, then of its environment, then of its provider; what the cause is about before other things; and of those
// the nearest to the first failure. Each says why it is where it is.
func (s *Server) onset(ctx context.Context, i store.Incident, now time.Time) (onsetView, error) {
	reach := onsetReach
	if !i.LastSuccess.IsZero() {
		reach = min(max(reach, i.FirstSeenAt.Sub(i.LastSuccess)), onsetLimit)
	}
	from := i.FirstSeenAt.Add(-reach)
	f := store.ChangeFilter{From: from.Add(-onsetSlack), To: i.FirstSeenAt.Add(onsetSlack), Page: store.Page{Limit: 200},
		Providers: anyOf(i.Provider), Environments: anyOf(i.Environment), Clients: anyOf(i.ClientID)}
	list, _, err := s.Store.ListChanges(ctx, f)
	if err != nil {
		return onsetView{}, err
	}
	told := 0
	for _, c := range list {
		if c.Told != nil {
			told++
		}
	}
	slices.SortStableFunc(list, func(a, b store.Change) int {
		return cmp.Or(closeness(b, i)-closeness(a, i), cmp.Compare(i.FirstSeenAt.Sub(a.Time()).Abs(), i.FirstSeenAt.Sub(b.Time()).Abs()))
	})
	v := onsetView{Words: onsetWords(reach, told, len(list)-told)}
	for _, c := range list[:min(len(list), onsetShown)] {
		if c.Seen != nil {
			v.seen = append(v.seen, *c.Seen)
		}
		row := changeRows([]store.Change{c}, now)[0]
		v.Changes = append(v.Changes, onsetChange{When: row.When, Kind: row.Kind, Title: row.Title, URL: row.URL, Place: row.Place, Note: onsetNote(c, i)})
	}
	return v, nil
}

// anyOf is a filter for a value that may be unknown.
func anyOf(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// closeness is how exactly a change names what fails, whether it is about what the cause is about, and whether it fell between
// the last success and the first failure.
func closeness(c store.Change, i store.Incident) int {
	var client, environment, provider string
	score := 0
	if c.Told != nil {
		client, environment, provider = c.Told.ClientID, c.Told.Environment, c.Told.Provider
	} else {
		client, environment, provider = c.Seen.ClientID, c.Seen.Environment, c.Seen.Provider
		if isAbout(c, i) {
			score += 3
		}
	}
	if client != "" && client == i.ClientID {
		score += 4
	}
	if environment != "" && environment == i.Environment {
		score += 2
	}
	if provider != "" && provider == i.Provider {
		score++
	}
	if !i.LastSuccess.IsZero() && c.Time().After(i.LastSuccess) {
		score++
	}
	return score
}

// isAbout is true for a change in the traffic of what the incident's cause is about: aud for a wrong audience.
func isAbout(c store.Change, i store.Incident) bool {
	return c.Seen != nil && slices.Contains(c.Seen.Kind.Causes(), i.Cause)
}

// onsetNote says when it was, seen from the incident, and why it may matter.
func onsetNote(c store.Change, i store.Incident) string {
	gap := i.FirstSeenAt.Sub(c.Time())
	note := durationWords(gap) + " before the first failure"
	switch {
	case gap < 0:
		note = durationWords(gap) + " after the first failure"
	case gap < time.Second:
		note = "with the first failure"
	case !i.LastSuccess.IsZero() && c.Time().After(i.LastSuccess):
		note += ", after the last success"
	}
	if c.Seen == nil {
		return note
	}
	if isAbout(c, i) {
		note += "; the cause is about " + sightWords(c.Seen.Kind)
	}
	return note + "; " + seenOutcome(c.Seen.Sighting)
}

func onsetWords(reach time.Duration, told, seen int) string {
	before := " in the " + durationWords(reach) + " before the first failure."
	switch {
	case told == 0 && seen == 0:
		return "No change was told of, and none was seen in the traffic," + before
	case seen == 0:
		return counted(int64(told), "change was", "changes were") + " told of" + before
	case told == 0:
		return counted(int64(seen), "change was", "changes were") + " seen in the traffic" + before
	}
	return counted(int64(told), "change was", "changes were") + " told of and " + count(int64(seen)) + " seen in the traffic" + before
}

func changeKind(k store.DeploymentKind) string {
	switch k {
	case store.DeployedCode:
		return "deploy"
	case store.DeployedConfiguration:
		return "configuration"
	case store.DeployedKey:
		return "key"
	default:
		return "change"
	}
}

// changePlace says what a change concerns: "client-b at polymarket / prod"; one that says nothing may concern anything.
func changePlace(d store.Deployment) string {
	var who []string
	for _, name := range []string{d.ClientID, d.Service} {
		if name != "" {
			who = append(who, line(name))
		}
	}
	where := ""
	if d.Provider != "" || d.Environment != "" {
		where = placeOf(d.Provider, d.Environment)
	}
	switch {
	case len(who) == 0 && where == "":
		return "anything"
	case len(who) == 0:
		return where
	case where == "":
		return join(who)
	default:
		return join(who) + " at " + where
	}
}

// marks are the changes of a window for a chart, latest first.
func (s *Server) marks(ctx context.Context, w window, f store.DeploymentFilter) ([]store.Deployment, error) {
	f.From, f.To, f.Page = w.From, w.To, store.Page{Limit: 20}
	list, _, err := s.Store.ListDeployments(ctx, f)
	return list, err
}
