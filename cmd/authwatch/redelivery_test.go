package main

import (
	"encoding/json"
	"slices"
	"testing"
)

// Every batch is sent three times, the second time in reverse and in two halves: nothing may change.
func TestRedelivery_ChangesNothing(t *testing.T) {
	t.Parallel()
	all := corpora(t)
	s := startServer(t, profileArgs(all)...)
	shipper, reader := s.key("ingest"), s.key("read")
	for _, c := range all {
		first := s.post(shipper, "/ingest/v1/responses", ndjson(c.records))
		if first.Accepted != len(c.records) || first.Received != len(c.records) {
			t.Errorf("%s: %+v for %d records", c.name, first, len(c.records))
		}
	}
	s.settle()
	before := s.summary(reader)
	for _, c := range all {
		reversed := slices.Clone(c.records)
		slices.Reverse(reversed)
		half := len(reversed) / 2
		for _, part := range [][]json.RawMessage{reversed[:half], reversed[half:], c.records} {
			if again := s.post(shipper, "/ingest/v1/responses", ndjson(part)); again.Duplicates != len(part) || again.Accepted != 0 {
				t.Errorf("%s again: %+v for %d records", c.name, again, len(part))
			}
		}
	}
	s.settle()
	after := s.summary(reader)
	if before != after {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// summary is all that must stay as it is: every incident with its counts and times, every failure, every client's figures.
func (s *testServer) summary(reader string) string {
	s.t.Helper()
	type incident struct {
		ID, Cause, State string
		Count, Version   int64
		FirstSeen        string `json:"first_seen"`
		LastSeen         string `json:"last_seen"`
	}
	type failure struct{ ID, Cause, Summary string }
	state := struct {
		Incidents []incident
		Failures  []failure
		Clients   []json.RawMessage
	}{list[incident](s, reader, "/api/v1/incidents"), list[failure](s, reader, "/api/v1/failures"), list[json.RawMessage](s, reader, "/api/v1/clients")}
	if len(state.Incidents) == 0 || len(state.Failures) == 0 || len(state.Clients) == 0 {
		s.t.Fatalf("%d incidents, %d failures, %d clients", len(state.Incidents), len(state.Failures), len(state.Clients))
	}
	text, err := json.MarshalIndent(state, "", " ")
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// What the service stores and what the command line prints about the same records is the same.
func TestServiceAndCommandLineAgree(t *testing.T) {
	t.Parallel()
	for _, c := range corpora(t) {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, "--profile", c.profile)
			s.post(s.key("ingest"), "/ingest/v1/responses", ndjson(c.records))
			type failure struct {
				RecordID string `json:"record_id"`
				Cause    string
			}
			stored := map[string]string{}
			for _, f := range list[failure](s, s.key("read"), "/api/v1/failures") {
				stored[f.RecordID] = f.Cause
			}
			printed := classifyFile(t, c)
			for id, cause := range printed {
				if stored[id] != cause {
					t.Errorf("record %s: the service says %q, the command line %q", id, stored[id], cause)
				}
			}
			if len(stored) != len(printed) {
				t.Errorf("the service has %d failures, the command line %d", len(stored), len(printed))
			}
		})
	}
}
