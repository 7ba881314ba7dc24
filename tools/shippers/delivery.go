package shippers

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
)

// A delivery is what came of a client's job.
type delivery struct {
	acknowledged map[string]bool // by request id
	log          gateLog
	found        state // right after the client had ended
	complete     state // after everything was sent once more by the native route
	again        ingested
}

// deliver lets a client deliver through a gate, and then sends all its records once more by the native route with the same key.
func deliver(ctx context.Context, c client, j job, s *service) (delivery, error) {
	g, err := newGate(ctx, s, c.calm, c.calmAgain)
	if err != nil {
		return delivery{}, err
	}
	j.url, j.key = g.url(), s.ingest
	held, runErr := c.run(ctx, j)
	log, err := g.close()
	if runErr != nil || err != nil {
		return delivery{log: log}, fmt.Errorf("%w; at the gate: %+v %v", runErr, log, err)
	}
	d := delivery{acknowledged: map[string]bool{}, log: log}
	for _, id := range held {
		d.acknowledged[id] = true
	}
	if d.found, err = s.state(ctx); err != nil {
		return d, err
	}
	if d.again, err = s.post(ctx, j.acknowledgedOf(d)); err != nil {
		return d, err
	}
	if _, err = s.post(ctx, j.missing(d.found)); err != nil {
		return d, err
	}
	d.complete, err = s.state(ctx)
	return d, err
}

// acknowledgedOf lists the records that the client holds acknowledged and that an id tells again.
func (j job) acknowledgedOf(d delivery) []record {
	return slices.DeleteFunc(good(j.records), func(r record) bool { return r.ID == "" || !d.acknowledged[r.RequestID] })
}

// missing lists what is to be sent so that everything is there. Records without an id are told by their content, to
// which some clients add: they are failures, and sent if they do not show.
func (j job) missing(found state) []record {
	return slices.DeleteFunc(good(j.records), func(r record) bool { return r.ID == "" && len(found.Failures[r.RequestID]) > 0 })
}

// held counts the records that the client holds acknowledged.
func (d delivery) held(records []record) int {
	n := 0
	for _, r := range records {
		if d.acknowledged[r.RequestID] {
			n++
		}
	}
	return n
}

// faults compares a delivery with what the native route makes of the same records, which are good ones.
func (d delivery) faults(c client, records []record, native state) []string {
	var out []string
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if d.log.Refused == 0 || d.log.Hasty > 0 || !d.log.Crashed {
		fault("the delivery was not disturbed as intended: %+v", d.log)
	}
	if held := d.held(records); held < len(records) && c.loses == "" || held < len(records)/10 {
		fault("%d of %d records are acknowledged; by its design this client loses %s", held, len(records), cmp.Or(c.loses, "none"))
	}
	if d.again.Accepted > 0 || d.again.Duplicates != d.again.Received {
		fault("of the acknowledged records %d were not there", d.again.Accepted)
	}
	for _, r := range records {
		if f := recordFault(r, d, native); f != "" {
			fault("record %s: %s", r.RequestID, f)
		}
	}
	for id := range d.found.Failures {
		if native.Failures[id] == nil {
			fault("record %s is no failure, or was never sent", id)
		}
	}
	out = append(out, differences("client", d.complete.Clients, native.Clients)...)
	return append(out, differences("incident", d.complete.Incidents, native.Incidents)...)
}

// differences says which items are in one list only.
func differences(what string, found, native []object) []string {
	var out []string
	for _, f := range found {
		if !slices.ContainsFunc(native, func(n object) bool { return reflect.DeepEqual(n, f) }) {
			out = append(out, fmt.Sprintf("%s not as by the native route: %s", what, text(f)))
		}
	}
	for _, n := range native {
		if !slices.ContainsFunc(found, func(f object) bool { return reflect.DeepEqual(n, f) }) {
			out = append(out, fmt.Sprintf("%s by the native route: %s", what, text(n)))
		}
	}
	return out
}

// recordFault holds one failure to its count and to the verdict of the native route.
func recordFault(r record, d delivery, native state) string {
	if r.Cause == "" {
		return ""
	}
	found, want := d.found.Failures[r.RequestID], native.Failures[r.RequestID]
	switch {
	case len(found) == 0 && d.acknowledged[r.RequestID]:
		return "acknowledged and not there"
	case len(found) == 0:
		return ""
	case len(found) > 1:
		return fmt.Sprintf("stored %d times", len(found))
	case !reflect.DeepEqual(found, want):
		return fmt.Sprintf("the verdict is\n%s\nby the native route\n%s", text(found[0]), text(want[0]))
	}
	return ""
}
