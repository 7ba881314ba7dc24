package api

import (
	"cmp"
	"slices"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

const (
	// outbreakClients is how many clients make an outbreak.
	outbreakClients = 3
	// outbreakGap is how far apart the first failures of an outbreak may be.
	outbreakGap = 10 * time.Minute
	// outbreakNames is how many clients of an outbreak are named.
	outbreakNames = 4
)

// An outbreak is incidents of one cause at one place that began together: when many clients fail in one moment, it is
// one thing that happened. An outbreak of one is an incident by itself.
type outbreak []store.Incident

// outbreaks gathers incidents; the first of each is the one that began first.
func outbreaks(list []store.Incident) []outbreak {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b store.Incident) int {
		return cmp.Or(comparePlace(a, b), a.FirstSeenAt.Compare(b.FirstSeenAt))
	})
	var groups []outbreak
	for begin := 0; begin < len(list); {
		end := begin + 1
		for end < len(list) && comparePlace(list[begin], list[end]) == 0 && list[end].FirstSeenAt.Sub(list[end-1].FirstSeenAt) <= outbreakGap {
			end++
		}
		if run := list[begin:end]; len(run) >= outbreakClients {
			groups = append(groups, run)
		} else {
			for i := range run {
				groups = append(groups, run[i:i+1])
			}
		}
		begin = end
	}
	return groups
}

func comparePlace(a, b store.Incident) int {
	return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Cause, b.Cause))
}

// presort puts first what can rank high before any trend is read: what began in the window, then what has most failures.
func presort(groups []outbreak, w window) {
	old := func(o outbreak) int {
		switch {
		case o.over():
			return 2
		case o[0].FirstSeenAt.Before(w.From):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(groups, func(a, b outbreak) int {
		return cmp.Or(old(a)-old(b), cmp.Compare(b.count(), a.count()))
	})
}

// over is true when every incident of it is resolved.
func (o outbreak) over() bool {
	return !slices.ContainsFunc(o, func(i store.Incident) bool { return i.State != store.StateResolved })
}

func (o outbreak) count() (n int64) {
	for _, i := range o {
		n += i.Count
	}
	return n
}

// trend asks for the failures of all its clients together.
func (o outbreak) trend(w window) store.TrendQuery {
	q := incidentTrend(o[0], w)
	for _, i := range o[1:] {
		q.Clients = append(q.Clients, i.ClientID)
	}
	return q
}

func incidentTrend(i store.Incident, w window) store.TrendQuery {
	return store.TrendQuery{
		From: w.From, To: w.To, Step: w.Step, GroupBy: store.ByCause, Providers: []string{i.Provider}, Environments: []string{i.Environment},
		Causes: []classify.Code{i.Cause}, Clients: []string{i.ClientID},
	}
}

// gather makes the row of the first incident the row of the whole outbreak.
func (r *worstRow) gather(o outbreak, w window) {
	for _, i := range o {
		if len(r.Clients) < outbreakNames {
			r.Clients = append(r.Clients, clientOf(i.ClientID))
		}
		if i.LastSeenAt.After(r.recent) {
			r.recent = i.LastSeenAt
		}
	}
	if more := len(o) - len(r.Clients); more > 0 {
		r.MoreClients = count(int64(more))
	}
	r.Last = ago(r.recent, w.Now, "")
	where := []string{"provider", o[0].Provider, "environment", o[0].Environment, "cause", string(o[0].Cause)}
	r.URL, r.Count.URL = "/incidents?"+w.query(append(where, "state", "all")...), "/failures?"+w.query(where...)
	words := count(int64(len(o))) + " clients began to fail with this cause within minutes of each other"
	switch {
	case o.over():
		r.rank, r.Urgency = rankOver, badge{"state-resolved", "outbreak, over", words + ", and all have succeeded again."}
	case r.rank == 0 || r.rank == rankOver:
		r.rank, r.Urgency = -1, badge{"urgency-new", "outbreak", words + "."}
	}
}
