package api

import (
	"cmp"
	"slices"
	"time"

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

// outbreaks groups incidents of one cause at one place that began together: when many clients fail in one moment, it is
// one thing that happened. Groups hold indexes into list; a group of one is an incident by itself.
func outbreaks(list []store.Incident) [][]int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(comparePlace(list[a], list[b]), list[a].FirstSeenAt.Compare(list[b].FirstSeenAt))
	})
	var groups [][]int
	for begin := 0; begin < len(order); {
		end := begin + 1
		for end < len(order) && together(list[order[end-1]], list[order[end]]) {
			end++
		}
		if run := order[begin:end]; len(run) >= outbreakClients {
			groups = append(groups, run)
		} else {
			for _, i := range run {
				groups = append(groups, []int{i})
			}
		}
		begin = end
	}
	return groups
}

func comparePlace(a, b store.Incident) int {
	return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Cause, b.Cause))
}

func together(a, b store.Incident) bool {
	return comparePlace(a, b) == 0 && b.FirstSeenAt.Sub(a.FirstSeenAt) <= outbreakGap
}

// gather makes the row of the group's first incident the row of the whole outbreak.
func (r *worstRow) gather(list []store.Incident, group []int, w window) {
	first := list[group[0]]
	for _, i := range group {
		if len(r.Clients) < outbreakNames {
			r.Clients = append(r.Clients, clientOf(list[i].ClientID))
		}
		if list[i].LastSeenAt.After(r.recent) {
			r.recent = list[i].LastSeenAt
		}
	}
	if more := len(group) - len(r.Clients); more > 0 {
		r.MoreClients = count(int64(more))
	}
	r.Last = ago(r.recent, w.Now, "")
	r.URL = "/incidents?" + w.query("state", "all", "provider", first.Provider, "environment", first.Environment, "cause", string(first.Cause))
	if r.rank == 0 {
		r.rank = -1
		r.Urgency = badge{"urgency-new", "outbreak", count(int64(len(group))) + " clients began to fail with this cause within minutes of each other."}
	}
}

// add adds b to a, step by step; a may be empty.
func add(a, b []int64) []int64 {
	if len(a) == 0 {
		return slices.Clone(b)
	}
	for i := range min(len(a), len(b)) {
		a[i] += b[i]
	}
	return a
}
