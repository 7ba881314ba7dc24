package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func sample(records, percent int) traffic {
	return traffic{seed: 7, records: records, percent: percent, clients: 100, from: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), step: 80 * time.Millisecond}
}

func text(t *testing.T, traffic traffic) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := traffic.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTraffic_Deterministic(t *testing.T) {
	one := text(t, sample(500, 30))
	if !bytes.Equal(one, text(t, sample(500, 30))) {
		t.Error("the same seed gives other bytes")
	}
	other := sample(500, 30)
	other.seed++
	if bytes.Equal(one, text(t, other)) {
		t.Error("another seed gives the same bytes")
	}
}

func TestTraffic_ValidAndExact(t *testing.T) {
	for _, percent := range []int{0, 2, 10, 30, 100} {
		made := text(t, sample(2000, percent))
		if mean := len(made) / 2000; mean < 900 || mean > 1300 {
			t.Errorf("%d %%: %d bytes a record, about 1 KB is meant", percent, mean)
		}
		ids := map[string]bool{}
		refused := 0
		for line := range bytes.Lines(made) {
			var r struct {
				ID       string
				Response struct{ Status int }
			}
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			ids[r.ID] = true
			if r.Response.Status >= 400 {
				refused++
			}
		}
		if len(ids) != 2000 || refused != 20*percent {
			t.Errorf("%d %%: %d ids and %d refusals in 2000 records", percent, len(ids), refused)
		}
	}
}

// Every server's answers must be known to the generator, and every provider must have some.
func TestAnswers(t *testing.T) {
	byServer, err := readAnswers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers() {
		if len(byServer[p.server]) < 3 {
			t.Errorf("%s has %d answers", p.server, len(byServer[p.server]))
		}
		for _, a := range byServer[p.server] {
			if a.Phase == "" || a.Fault == "" || a.Status < 400 {
				t.Errorf("%s: incomplete answer %+v", p.server, a)
			}
		}
		delete(byServer, p.server)
	}
	for server := range byServer {
		t.Errorf("no provider gives the answers of %s", server)
	}
}
