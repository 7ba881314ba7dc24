package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

// sharedRecords are token requests and calls of few clients with few keys, tokens and ids of tokens, so that what one
// shows decides how another is judged. Some are equal, some fail, some are accepted.
func sharedRecords(rng *rand.Rand, n int) []string {
	var out []string
	for i := range n {
		at, id := rng.Intn(300), fmt.Sprintf("r%d", rng.Intn(n))
		switch rng.Intn(5) {
		case 0:
			out = append(out, tokenRequest(at, id, 200, `,"client_assertion":`+assertionAt(at, fmt.Sprint("j", rng.Intn(8)), tokenEndpoint)))
		case 1:
			out = append(out, tokenRequest(at, id, 401, `,"client_assertion":`+assertionAt(at-rng.Intn(90), fmt.Sprint("j", rng.Intn(8)), tokenEndpoint)))
		case 2:
			out = append(out, apiCall(at, id, 200, fmt.Sprint("at-", i%4), second(100+i%3*100)))
		case 3:
			out = append(out, apiCall(at, id, 401, fmt.Sprint("at-", i%4), second(100+i%3*100)))
		case 4: // a failure whose judgement depends on nothing
			out = append(out, fmt.Sprintf(`{"time":%q,"id":%q,"client_id":"client-a","error":"could not load private key"}`, second(at).Format(time.RFC3339), id))
		}
	}
	return out
}

// readBatch is what a body of native records comes to.
func (s *service) readBatch(lines []string) batch {
	b := batch{source: "s", redactor: s.ingester.redactor, at: testNow().UTC(), equals: newEquals()}
	index := 0
	for p := range parts([]byte(strings.Join(lines, "\n")), maxShipped) {
		s.ingester.readPart(&b, index, p, endpoint{quick: true, read: func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeResponse) }})
		index++
	}
	return b
}

// What was judged before the turn, by history as it was before the batches that went first, must not differ from what is
// judged in the turn: batches are judged here all at once, and then committed one after the other.
func TestJudgeAhead_SameAsInTheTurn(t *testing.T) {
	again := 0
	for seed := range int64(12) {
		records := sharedRecords(rand.New(rand.NewSource(seed)), 60)
		verdicts := map[string]string{}
		for _, way := range []string{"ahead", "in the turn"} {
			s := newService(t, testProfile())
			var batches []batch
			var judged []*judgement
			for start := 0; start < len(records); start += 12 {
				b := s.readBatch(records[start : start+12])
				j, err := s.ingester.judgeAhead(t.Context(), &b)
				if err != nil || len(b.records) != 12 {
					t.Fatalf("%d records, %v", len(b.records), err)
				}
				batches, judged = append(batches, b), append(judged, j)
			}
			for n, b := range batches {
				ahead := judged[n]
				if way != "ahead" {
					ahead = nil
				}
				if _, err := s.ingester.commitJudged(t.Context(), b, ahead); err != nil {
					t.Fatal(err)
				}
			}
			text := fmt.Sprintf("%+v", s.snapshot())
			for _, f := range s.failures() {
				f.Verdict.ID, f.ID, f.IncidentID = "", "", ""
				v := f.Verdict
				text += fmt.Sprintf("\n%s %s %s %s %s %+v", f.RecordID, v.Time.Format(time.RFC3339Nano), v.Cause, v.Confidence, v.Summary, v.Evidence)
				again += strings.Count(string(v.Cause), "jti_reuse")
			}
			verdicts[way] = text
		}
		if verdicts["ahead"] != verdicts["in the turn"] {
			t.Errorf("seed %d:\nahead:\n%s\nin the turn:\n%s", seed, verdicts["ahead"], verdicts["in the turn"])
		}
	}
	if again < 10 {
		t.Errorf("only %d reuses of a jti: the batches have nothing to do with each other", again)
	}
}

// What the store does to failures in a try that comes to nothing, such as to give them to the incident of many new clients, is not left
// to the next one.
func TestJudgeAhead_AnotherTry(t *testing.T) {
	s := newService(t, testProfile())
	s.server.Close()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.newIncidents = 1
	s.start()
	s.post(responses, apiCall(0, "known", 200, "at", second(3000)))
	calls := func(status int) (lines []string) {
		for n := range 3 {
			line := apiCall(10+n, fmt.Sprintf("%d-%d", status, n), status, fmt.Sprint("at-", status, n), second(3000))
			lines = append(lines, strings.ReplaceAll(line, "client-a", fmt.Sprint("new-", n)))
		}
		return lines
	}
	b := s.readBatch(calls(401))
	j, err := s.ingester.judgeAhead(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	undone, gathered := errors.New("undone"), 0
	err = s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		w := work{ingester: s.ingester, tx: tx, batch: b, deliveries: b.deliveries(), ahead: j}
		if err := w.responses(ctx); err != nil {
			return err
		}
		for _, f := range w.failures {
			if f.Gathered {
				gathered++
			}
		}
		return undone
	})
	if err != undone || gathered != 2 {
		t.Fatalf("%v, %d gathered", err, gathered)
	}
	s.post(responses, strings.Join(calls(200), "\n"))
	if _, err := s.ingester.commitJudged(t.Context(), b, j); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.failures() {
		if want := "new" + f.RecordID[len("401"):]; f.Verdict.ClientID != want {
			t.Errorf("%s is of %s, want %s", f.RecordID, f.Verdict.ClientID, want)
		}
	}
	if n := len(s.failures()); n != 3 {
		t.Errorf("%d failures", n)
	}
}
