package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What is stored, and what the answers say, is the same when the memory of every body is filled with nonsense as soon as it is given
// back: nothing points into it.
func TestBuffers_NothingPointsInto(t *testing.T) {
	answers, snapshots := map[bool]string{}, map[bool]string{}
	for _, wiped := range []bool{false, true} {
		s := newService(t, testProfile())
		wipes := 0
		s.ingester.quota.buffers.wipe = func(body []byte) {
			if wipes++; wiped {
				poison(body)
			}
		}
		padding := `,"padding":"` + strings.Repeat("x", bufferStep/16) + `"}`
		for round := range 3 {
			var lines []string
			for _, line := range mixedBatch() {
				line = strings.Replace(line, `"id":"`, fmt.Sprintf(`"id":"%d-`, round), 1)
				lines = append(lines, strings.TrimSuffix(line, "}")+padding)
			}
			lines = append(lines, `{"time":"2026-11-22T03:03:00Z","response":{"status":4041}}`, `{"time":"soon","error":"a raw record that is kept"}`,
				fmt.Sprintf(`{"time":"2026-11-22T03:04:00Z","id":"w%d","request_id":"q%d","request":{"method":"GET","url":"https://api.lab.test/v1/x","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":200}}`, round, round))
			body := strings.Join(lines, "\n")
			for _, encoding := range []string{"", "gzip"} { // all are duplicates the second time
				answers[wiped] += fmt.Sprintf("%+v\n", s.post(responses, string(packed(t, encoding, []byte(body))), "Content-Encoding", encoding))
			}
			answers[wiped] += fmt.Sprintf("%+v\n", s.post(tokens, fmt.Sprintf(`{"time":"2026-11-22T03:04:01Z","kind":"access_token","request_id":"q%d","header":{"alg":"RS256"},"claims":{"iss":"i","jti":"j%d","exp":1}}`, round, round)))
		}
		kept := s.rejects()
		for n := range kept {
			kept[n].Source = "" // which no two services have in common
		}
		snapshots[wiped] = fmt.Sprintf("%+v\n%+v", s.snapshot(), kept)
		if wipes < 6 {
			t.Errorf("only %d buffers came back", wipes)
		}
	}
	if answers[false] != answers[true] || snapshots[false] != snapshots[true] {
		t.Errorf("left alone:\n%s\n%s\nwiped:\n%s\n%s", answers[false], snapshots[false], answers[true], snapshots[true])
	}
}

func TestBuffers_LentOnce(t *testing.T) {
	q := newQuota(0, time.Now)
	s, _ := q.admit(keyNamed("a"))
	first, second := s.buffer(bufferStep-1), s.buffer(bufferStep-1)
	if cap(first) != bufferStep || &first[:1][0] == &second[:1][0] {
		t.Errorf("%d bytes, or one buffer was lent twice", cap(first))
	}
	s.giveBack(first)
	s.giveBack(first) // is not lent any more
	if len(s.lent) != 1 {
		t.Errorf("%d are lent", len(s.lent))
	}
	s.release()
	if len(s.lent) != 0 {
		t.Errorf("%d are lent", len(s.lent))
	}
	for _, n := range []int{0, 1, firstRead + 1, firstRead + 2, bufferStep, bufferStep + 1, maxBuffer, maxBuffer + 1} {
		if size := cap((&share{quota: q}).buffer(n)); size < n || size != bufferSize(n) {
			t.Errorf("%d bytes for %d", size, n)
		}
	}
}

// While a request waits for its commit, its body is another's.
func TestBuffers_GivenBackBeforeTheCommit(t *testing.T) {
	i := quickIngester(t)
	share, _ := newQuota(0, time.Now).admit(keyNamed("a"))
	body := append(share.buffer(bufferStep), benchRecord+"\n"+benchRecord...)
	lent := -1
	e := endpoint{
		read:   func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeResponse) },
		commit: func(context.Context, batch) (answer, error) { lent = len(share.lent); return answer{}, nil },
	}
	shipment, err := openNative(expectedBody, nil)(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.commitAll(t.Context(), e, shipment, batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals(), body: share}); err != nil {
		t.Fatal(err)
	}
	if lent != 0 {
		t.Errorf("%d buffers were lent", lent)
	}
}
