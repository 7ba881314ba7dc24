package ingest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// What is stored, and what the answers say, is the same whether each record has memory of its own or that of batches before, which is
// made useless as soon as they are committed: nothing points into it.
func TestBatchRoom_NothingPointsInto(t *testing.T) {
	var answers, stored [2]string
	for way, room := range []func() any{func() any { return &batchRoom{} }, poisonedRoom} {
		s := newService(t, testProfile())
		s.ingester.rooms.New = room
		for round := range 4 {
			var lines []string
			for _, line := range mixedBatch() {
				lines = append(lines, strings.Replace(line, `"id":"`, fmt.Sprintf(`"id":"%d-`, round), 1))
			}
			lines = append(lines, fmt.Sprintf(`{"time":"2026-11-22T03:04:00Z","id":"w%d","request_id":"q%d","request":{"method":"GET","url":"https://api.lab.test/v1/x","headers":{"authorization":"Bearer [jwt]","x-a":"%s"}},"response":{"status":401,"body":{"error":"invalid_token","n":%d}}}`,
				round, round, strings.Repeat("long ", 900), round))
			for range 2 { // all are duplicates the second time
				answers[way] += fmt.Sprintf("%+v\n", s.post(responses, strings.Join(lines, "\n")))
			}
			token := `{"time":"2026-11-22T03:04:01Z","kind":"access_token","request_id":"q%d","header":{"alg":"RS256"},"claims":{"iss":"i","jti":"j%d","exp":1}}`
			answers[way] += fmt.Sprintf("%+v\n", s.post(tokens, fmt.Sprintf(token, round, round)))
		}
		for _, f := range s.failures() {
			verdict, _ := json.Marshal(f.Verdict)
			stored[way] += fmt.Sprintf("%s %s\n%s\n", f.RecordID, f.Record, strings.ReplaceAll(string(verdict), f.Verdict.ID, "ID"))
		}
		stored[way] += fmt.Sprintf("%+v", s.snapshot())
	}
	if answers[0] != answers[1] || stored[0] != stored[1] {
		t.Errorf("memory of their own:\n%s\n%s\nthat of others:\n%s\n%s", answers[0], stored[0], answers[1], stored[1])
	}
	if strings.Count(stored[1], "wrong_audience") < 4 {
		t.Errorf("too little was stored: %s", stored[1])
	}
}

func TestSlabs(t *testing.T) {
	s := slabs[byte]{size: 16, wipe: forget[byte]}
	pieces := [][]byte{}
	for n := range 6 {
		piece := s.take(n)
		if piece == nil || len(piece) != 0 || cap(piece) != n {
			t.Fatalf("%d bytes of %d, nil: %v", len(piece), cap(piece), piece == nil)
		}
		for len(piece) < n {
			piece = append(piece, byte(n))
		}
		pieces = append(pieces, piece)
	}
	for n, piece := range pieces {
		if strings.Trim(string(piece), string(rune(n))) != "" {
			t.Errorf("piece %d was overwritten: %v", n, piece)
		}
	}
	if s.used != 1 || len(s.take(4)) != 0 || s.used != 1 || len(s.take(4)) != 0 || s.used != 2 {
		t.Errorf("%d slabs", s.used)
	}
	s.takeBack()
	if pieces[3][0] != 0 || pieces[5][0] != 5 {
		t.Errorf("%v was left, or memory of its own was wiped: %v", pieces[3], pieces[5])
	}
	if first := s.take(2); len(s.list) != 2 || &first[:1][0] != &s.list[0][0] || s.used != 1 {
		t.Error("a slab was not lent again")
	}
	for range maxSlabs * 5 {
		s.take(4)
	}
	if s.takeBack(); len(s.list) != maxSlabs || s.list[:maxSlabs+1][maxSlabs] != nil {
		t.Errorf("%d slabs are kept", len(s.list))
	}
}
