package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"authwatch/classify"
)

const (
	// contrastSample bounds the failures of an incident that are looked at, and those that they are compared with: each costs some 50 µs.
	contrastSample = 30
	// contrastReach bounds the rows among which other failures are looked for.
	contrastReach = 2000
	// contrastSightings bounds what is read of other clients for one kind.
	contrastSightings = 250
	// contrastTime is the shortest time that is compared: an incident of one failure has no time of its own.
	contrastTime = time.Hour
)

// Contrasts say what sets the failures of an incident apart from requests that work, and from other failures.
type Contrasts struct {
	Looked int // the incident's newest failures, which were looked at
	Others int // other failures at its place in the time in which those were
	// From and To enclose the incident, or the hour around it: the counts by client and environment are of this time.
	From, To time.Time
	// AcceptedUntil is when the client was accepted last, as far as accepted requests are compared: after the first failure when it was
	// accepted again in the same way.
	AcceptedUntil time.Time
	List          []classify.Contrast // what tells most first
}

// Contrasts compares a sample of an incident's newest failures, and counts of all, with what is kept of accepted requests and with other
// failures. The classifier places the records; nothing is judged anew.
func (s *Store) Contrasts(ctx context.Context, i Incident, c *classify.Classifier) (Contrasts, error) {
	r := contrastReader{Store: s, incident: i, classifier: c, here: classify.Spread{}, there: map[classify.Baseline]classify.Spread{}}
	for _, b := range classify.Baselines() {
		r.there[b] = classify.Spread{}
	}
	r.found.From, r.found.To = around(i.FirstSeenAt, i.LastSeenAt)
	for _, read := range []struct {
		what string
		do   func(context.Context) error
	}{{"its failures", r.own}, {"accepted requests", r.accepted}, {"other clients", r.othersAccepted}, {"other failures", r.others}, {"traffic", r.traffic}} {
		if err := read.do(ctx); err != nil {
			return Contrasts{}, fmt.Errorf("compare %s: %s: %w", i.ID, read.what, err)
		}
	}
	r.found.List = slices.DeleteFunc(classify.Contrasts(r.here, r.there, i.ClientID != ""), func(c classify.Contrast) bool {
		return c.Dimension == classify.DimensionEnvironment && c.Value != i.Environment // another one's incident says it
	})
	return r.found, nil
}

// Earlier is true when every accepted request that an incident is compared with was before its first failure.
func (c Contrasts) Earlier(i Incident) bool { return c.AcceptedUntil.Before(i.FirstSeenAt) }

// around grows a time to contrastTime, in both directions.
func around(first, last time.Time) (from, to time.Time) {
	grow := max(contrastTime-last.Sub(first), 0) / 2
	return first.Add(-grow), last.Add(grow).Add(time.Millisecond)
}

// A contrastReader gathers both sides of one comparison.
type contrastReader struct {
	*Store
	incident   Incident
	classifier *classify.Classifier
	from, to   time.Time // of the sample
	here       classify.Spread
	there      map[classify.Baseline]classify.Spread
	found      Contrasts
}

// own looks at the newest failures. Endpoints are counted for all of them.
func (r *contrastReader) own(ctx context.Context) error {
	list, err := r.sample(ctx, `select `+failureColumns+` from failure
			where id in (select id from incident_failure where incident_id = $1 order by id desc limit $2) order by id desc`,
		incidentKey(r.incident.ID), int64(contrastSample))
	if err != nil {
		return err
	}
	r.found.Looked = len(list)
	r.from, r.to = r.found.From, r.found.To
	if len(list) > 0 {
		r.from, r.to = around(list[len(list)-1].Verdict.Time, list[0].Verdict.Time)
	}
	for n := range list {
		r.here.AddAll(r.features(&list[n], r.incident.Cause))
	}
	delete(r.here, classify.DimensionEndpoint)
	rest := r.incident.Count
	for _, e := range r.incident.Endpoints {
		r.here.Add(classify.DimensionEndpoint, e.Endpoint, e.Count)
		rest -= e.Count
	}
	if rest > 0 {
		r.here.Add(classify.DimensionEndpoint, classify.OtherValues, rest)
	}
	return nil
}

// others looks at the newest failures of other incidents at the same place, in the time of the sample.
func (r *contrastReader) others(ctx context.Context) error {
	i := r.incident
	rows, err := r.readers.QueryContext(ctx, `select id from (select id, incident_id from failure where id >= $1 and id < $2 order by id desc limit $3) looked
		where incident_id <> $4 and incident_id in (select id from incident where provider = $5 and environment = $6) order by id desc limit $7`,
		int64(idAt(toMillis(r.from))), int64(idAt(ceilMillis(r.to))), int64(contrastReach), incidentKey(i.ID), keyText(i.Provider), keyText(i.Environment), int64(contrastSample))
	if err != nil {
		return err
	}
	ids, err := collect(rows, func(scan func(...any) error) (id rowID, err error) { return id, scan((*int64)(&id)) })
	if err != nil || len(ids) == 0 {
		return err
	}
	var w where
	in(&w, `id`, numbers(ids))
	list, err := r.sample(ctx, `select `+failureColumns+` from failure where `+w.sql()+` order by id desc`, w.args...)
	if err != nil {
		return err
	}
	whose, err := r.incidentsOf(ctx, list)
	if err != nil {
		return err
	}
	// To read a record takes longer than all the rest, and mostly its row says all that is asked of it.
	whole := slices.ContainsFunc(habits(), func(k classify.SightKind) bool {
		return r.here.Of(classify.Dimension(k)) > 0 && r.wants(k, classify.BaselineFailures)
	})
	for n := range list {
		of, known := whose[list[n].incident]
		if !known {
			continue // it was withdrawn meanwhile
		}
		r.found.Others++
		features := rowFeatures(&list[n])
		if whole || of.Cause == i.Cause || of.ClientID == i.ClientID {
			features = r.features(&list[n], of.Cause)
		}
		r.there[classify.BaselineFailures].AddAll(features)
		if of.Cause == i.Cause {
			r.there[classify.BaselineSameCause].AddAll(features)
		}
		if of.ClientID == i.ClientID {
			r.there[classify.BaselineSameClient].AddAll(features)
		}
	}
	return nil
}

// incidentsOf are cause and client of the incidents that failures belong to.
func (r *contrastReader) incidentsOf(ctx context.Context, list []Failure) (map[rowID]Incident, error) {
	var ids []rowID
	for n := range list {
		ids = append(ids, list[n].incident)
	}
	slices.Sort(ids)
	var w where
	in(&w, `id`, numbers(slices.Compact(ids)))
	rows, err := r.readers.QueryContext(ctx, `select id, cause, client_id from incident where `+w.sql(), bind(w.args)...)
	if err != nil {
		return nil, err
	}
	found := map[rowID]Incident{}
	_, err = collect(rows, func(scan func(...any) error) (id rowID, err error) {
		var i Incident
		err = scan((*int64)(&id), &i.Cause, &i.ClientID)
		found[id] = i
		return id, err
	})
	return found, err
}

// sample reads failures without their verdicts.
func (r *contrastReader) sample(ctx context.Context, query string, args ...any) ([]Failure, error) {
	rows, err := r.readers.QueryContext(ctx, query, bind(args)...)
	if err != nil {
		return nil, err
	}
	list, err := collect(rows, scanFailure)
	if err != nil {
		return nil, err
	}
	for n := range list {
		if _, err := r.templates.unpackTexts(ctx, r.readers, &list[n]); err != nil {
			return nil, fmt.Errorf("read failure %s: %w", list[n].id.text("rec_"), err)
		}
	}
	return list, nil
}

// features are what a failure shows, as sightings hold it. Of one whose record cannot be read only its row speaks.
func (r *contrastReader) features(f *Failure, cause classify.Code) []classify.Feature {
	rec := classify.Record{}
	if json.Unmarshal(f.Record, &rec) != nil {
		return rowFeatures(f)
	}
	e := r.classifier.Locate(&rec)
	e.ClientID, e.Endpoint = r.incident.ClientID, f.Endpoint
	return keptFeatures(e.Features(cause))
}

// rowFeatures are those that a failure shows without its record.
func rowFeatures(f *Failure) []classify.Feature {
	e := classify.Exchange{Phase: classify.ClientSide, Endpoint: f.Endpoint, Record: &classify.Record{Service: f.Service, Response: &classify.Response{Status: f.Status}}}
	return keptFeatures(e.Features(classify.Unclassified))
}

// keptFeatures have values as sightings keep them.
func keptFeatures(list []classify.Feature) []classify.Feature {
	for n := range list {
		list[n].Value = keyText(list[n].Value)
	}
	return list
}

// wants is true when what failures show of a kind is to be compared with the baseline.
func (r *contrastReader) wants(k classify.SightKind, b classify.Baseline) bool {
	return classify.Dimension(k).Wants(b, r.there, r.incident.ClientID != "")
}

// accepted reads what accepted requests of the client showed at this place. A value that was first accepted after the last failure is left
// out: it came with the end, or later. One that was accepted while others failed is not what sets them apart.
func (r *contrastReader) accepted(ctx context.Context) error {
	i := r.incident
	if i.ClientID == "" {
		return nil
	}
	list, _, err := r.ListSightings(ctx, SightingFilter{Kinds: habits(), Providers: []string{i.Provider}, Environments: []string{i.Environment}, Clients: []string{i.ClientID}})
	if err != nil {
		return err
	}
	for _, seen := range list {
		if seen.Accepted == 0 || seen.FirstAccepted.After(i.LastSeenAt) {
			continue
		}
		r.there[classify.BaselineAccepted].Add(classify.Dimension(seen.Kind), seen.Value, seen.Accepted)
		if seen.LastAccepted.After(r.found.AcceptedUntil) {
			r.found.AcceptedUntil = seen.LastAccepted
		}
	}
	return nil
}

func habits() []classify.SightKind {
	return slices.DeleteFunc(classify.SightKinds(), func(k classify.SightKind) bool { return !k.IsHabit() || k == classify.SightWording })
}

// othersAccepted reads what accepted requests of other clients showed there, where nothing is known of the client itself.
func (r *contrastReader) othersAccepted(ctx context.Context) error {
	for _, kind := range habits() {
		d := classify.Dimension(kind)
		if r.here.Of(d) == 0 || !r.wants(kind, classify.BaselineOthersAccepted) {
			continue
		}
		rows, err := r.readers.QueryContext(ctx, `select value, cast(sum(accepted) as bigint) from (select client_id, value, accepted from sighting
			where kind = $1 and provider = $2 and environment = $3 limit $4) looked where client_id <> $5 and accepted > 0 group by value`,
			string(kind), keyText(r.incident.Provider), keyText(r.incident.Environment), int64(contrastSightings), keyText(r.incident.ClientID))
		if err != nil {
			return err
		}
		_, err = collect(rows, func(scan func(...any) error) (value string, err error) {
			var n int64
			err = scan(&value, &n)
			r.there[classify.BaselineOthersAccepted].Add(d, value, n)
			return value, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// traffic counts, in the time of the incident, the failures of its cause and the accepted requests: by client at its place, and by
// environment for its client.
func (r *contrastReader) traffic(ctx context.Context) error {
	tx, err := beginReading(ctx, r.readers)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	i := r.incident
	from, to := wholeMinutes(r.found.From, r.found.To)
	all := countReader{tx: tx, grain: byPlace, window: window{from, to, to - from},
		filter: seriesFilter{providers: keyTexts([]string{i.Provider}), causes: []string{string(i.Cause)}}}
	place, err := placeCounts(ctx, all)
	if err != nil {
		return err
	}
	if i.ClientID == "" {
		r.environments(place)
		return nil
	}
	all.grain, all.filter.clients = byClient, []string{keyText(i.ClientID)}
	own, err := placeCounts(ctx, all)
	if err != nil {
		return err
	}
	r.environments(own)
	here := keyText(i.Environment)
	addShare(r.here, i.ClientID, own[here].failed, place[here].failed)
	addShare(r.there[classify.BaselineTraffic], i.ClientID, own[here].accepted, place[here].accepted)
	return nil
}

// environments counts where the incident's client, or everybody, failed with its cause and was accepted.
func (r *contrastReader) environments(counts map[string]placeCount) {
	for name, n := range counts {
		r.here.Add(classify.DimensionEnvironment, name, n.failed)
		r.there[classify.BaselineTraffic].Add(classify.DimensionEnvironment, name, n.accepted)
	}
}

// addShare counts what is a client's own of what is everybody's.
func addShare(s classify.Spread, client string, own, all int64) {
	s.Add(classify.DimensionClient, client, own)
	s.Add(classify.DimensionClient, classify.OtherValues, max(all-own, 0))
}

type placeCount struct{ failed, accepted int64 }

// placeCounts adds up a window by environment.
func placeCounts(ctx context.Context, r countReader) (map[string]placeCount, error) {
	type key struct {
		environment string
		accepted    bool
	}
	counts, err := readCounts(ctx, r, func(s series) key { return key{s.environment, s.cause == ""} })
	if err != nil {
		return nil, err
	}
	found := map[string]placeCount{}
	for k, steps := range counts {
		n := found[k.environment]
		if k.accepted {
			n.accepted += steps[0]
		} else {
			n.failed += steps[0]
		}
		found[k.environment] = n
	}
	return found, nil
}
