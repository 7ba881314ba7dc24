package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ManyNewClients stands for the clients of failures that were gathered into one incident, because a source named more new
// ones in an hour than may have incidents of their own. Their records name them.
const ManyNewClients = "(many new clients)"

// stormPlaces is in how many providers' environments a source's storm may have such incidents each hour; the others share
// those of no provider and environment, which a source can invent too.
const stormPlaces = 20

// A storm bounds the incidents that a source can open by making up names. Clients with an incident or a success are not
// new: theirs open as ever, so that a storm hides no outage.
type storm struct {
	most   int // an hour; 0: no bound
	hour   time.Time
	opened map[string]int                 // by source
	places map[string]map[stormPlace]bool // by source
}

type stormPlace struct{ provider, environment string }

func newStorm(most int) *storm { return &storm{most: most} }

// begin starts counting anew each hour.
func (s *storm) begin(now time.Time) {
	if hour := now.Truncate(time.Hour); !hour.Equal(s.hour) {
		s.hour, s.opened, s.places = hour, map[string]int{}, map[string]map[stormPlace]bool{}
	}
}

// open says whether the source may open one more incident.
func (s *storm) open(source string) bool {
	if s.opened[source] >= s.most {
		return false
	}
	s.opened[source]++
	return true
}

// place is where a gathered failure's incident is.
func (s *storm) place(source string, p stormPlace) stormPlace {
	known := s.places[source]
	if known == nil {
		known = map[stormPlace]bool{}
		s.places[source] = known
	}
	if !known[p] && len(known) >= stormPlaces {
		return stormPlace{}
	}
	known[p] = true
	return p
}

// gather gives the failures of new clients beyond the bound of their source to the incident of all such clients, and says
// whether there are any: those are to be packed again. It is done before failures are joined, and costs a look-up of what is
// remembered for each client.
func (t *Tx) gather(ctx context.Context, cells []cell) (moved bool, err error) {
	if t.storm.most == 0 {
		return false, nil
	}
	t.storm.begin(t.now())
	for k, some := range byEpisode(cells) {
		beyond, err := t.isBeyond(ctx, k, some[0].failures[0].Source)
		if err != nil {
			return false, fmt.Errorf("look for new clients: %w", err)
		}
		if !beyond {
			continue
		}
		moved = true
		for i := range some {
			for _, f := range some[i].failures {
				p := t.storm.place(f.Source, stormPlace{k.provider, k.environment})
				f.Verdict.Provider, f.Verdict.Environment, f.Verdict.ClientID = p.provider, p.environment, ManyNewClients
				f.Gathered, f.body = true, nil
			}
		}
	}
	return moved, nil
}

// isBeyond is true for the failures of a client that was never heard of, when its source may open no more incidents.
func (t *Tx) isBeyond(ctx context.Context, k episodeKey, source string) (bool, error) {
	if k.clientID == "" || k.clientID == ManyNewClients {
		return false, nil
	}
	known, err := t.episodesOf(ctx, k.client())
	if err != nil || len(known.list) > 0 {
		return false, err
	}
	var one int
	err = t.queryRow(ctx, `select 1 from client where provider = $1 and environment = $2 and client_id = $3 and successes > 0`,
		k.provider, k.environment, k.clientID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return !t.storm.open(source), nil
	}
	return false, err // of a client that works, which takes none of the source's share
}
