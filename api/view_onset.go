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

// onset ranks the changes that were told of in the time in which the incident began: those of its client first, then of
// its environment, then of its provider, and of those the nearest before the first failure.
func (s *Server) onset(ctx context.Context, i store.Incident, now time.Time) (onsetView, error) {
	reach := onsetReach
	if !i.LastSuccess.IsZero() {
		reach = min(max(reach, i.FirstSeenAt.Sub(i.LastSuccess)), onsetLimit)
	}
	from := i.FirstSeenAt.Add(-reach)
	f := store.DeploymentFilter{From: from.Add(-onsetSlack), To: i.FirstSeenAt.Add(onsetSlack), Page: store.Page{Limit: 200},
		Providers: anyOf(i.Provider), Environments: anyOf(i.Environment), Clients: anyOf(i.ClientID)}
	list, _, err := s.Store.ListDeployments(ctx, f)
	if err != nil {
		return onsetView{}, err
	}
	slices.SortStableFunc(list, func(a, b store.Deployment) int {
		return cmp.Or(closeness(b, i)-closeness(a, i), cmp.Compare(i.FirstSeenAt.Sub(a.Time).Abs(), i.FirstSeenAt.Sub(b.Time).Abs()))
	})
	v := onsetView{Words: onsetWords(reach, len(list))}
	for _, d := range list[:min(len(list), onsetShown)] {
		v.Changes = append(v.Changes, onsetChange{When: at(d.Time, now, "–"), Kind: changeKind(d.Kind), Title: line(d.Title), URL: d.URL,
			Place: changePlace(d), Note: onsetNote(d, i)})
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

// closeness is how exactly a change names what fails, and whether it fell between the last success and the first failure.
func closeness(d store.Deployment, i store.Incident) int {
	score := 0
	if d.ClientID != "" && d.ClientID == i.ClientID {
		score += 4
	}
	if d.Environment != "" && d.Environment == i.Environment {
		score += 2
	}
	if d.Provider != "" && d.Provider == i.Provider {
		score++
	}
	if !i.LastSuccess.IsZero() && d.Time.After(i.LastSuccess) {
		score++
	}
	return score
}

func onsetNote(d store.Deployment, i store.Incident) string {
	gap := i.FirstSeenAt.Sub(d.Time)
	if gap < 0 {
		return durationWords(gap) + " after the first failure"
	}
	if !i.LastSuccess.IsZero() && d.Time.After(i.LastSuccess) {
		return durationWords(gap) + " before the first failure, after the last success"
	}
	return durationWords(gap) + " before the first failure"
}

func onsetWords(reach time.Duration, found int) string {
	if found == 0 {
		return "No change was told of in the " + durationWords(reach) + " before the first failure."
	}
	return counted(int64(found), "change was", "changes were") + " told of in the " + durationWords(reach) + " before the first failure."
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
