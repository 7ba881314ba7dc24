package ingest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"authwatch/store"
)

func TestIdempotencyKey(t *testing.T) {
	s := newService(t, testProfile())
	body := tokenRequest(50, "r1", 401, "") + "\n{oops}"
	resp, first := s.send(responses, body, "Idempotency-Key", `"8e03978e-40d5"`)
	if resp.StatusCode != 200 || !strings.Contains(first, `"accepted":1`) {
		t.Fatalf("%d %s", resp.StatusCode, first)
	}
	want := s.source().Minutes
	for name, send := range map[string]func() (*http.Response, string){
		"again":         func() (*http.Response, string) { return s.send(responses, body, "Idempotency-Key", `"8e03978e-40d5"`) },
		"without quote": func() (*http.Response, string) { return s.send(responses, body, "Idempotency-Key", `8e03978e-40d5`) },
		"in gzip": func() (*http.Response, string) {
			return s.send(responses, zip(body), "Idempotency-Key", `"8e03978e-40d5"`, "Content-Encoding", "gzip")
		},
		"after a restart": func() (*http.Response, string) {
			s.restart()
			return s.send(responses, body, "Idempotency-Key", `"8e03978e-40d5"`)
		},
	} {
		if resp, text := send(); resp.StatusCode != 200 || text != first {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	if got := s.source().Minutes; len(got) != 1 || got[0] != want[0] {
		t.Errorf("work was done again: %+v", got)
	}
	if resp, text := s.send(responses, body+"\n", "Idempotency-Key", `"8e03978e-40d5"`); resp.StatusCode != 422 || !strings.Contains(text, "Idempotency-Key") {
		t.Errorf("another body: %d %s", resp.StatusCode, text)
	}
	if resp, _ := s.send(tokens, body, "Idempotency-Key", `"8e03978e-40d5"`); resp.StatusCode != 422 {
		t.Errorf("another route: %d", resp.StatusCode)
	}
	s.key = s.newKey(store.ScopeIngest)
	if a := s.post(responses, body, "Idempotency-Key", `"8e03978e-40d5"`); a.Accepted != 1 {
		t.Errorf("another source: %+v", a)
	}
}

func TestIdempotencyKey_Bad(t *testing.T) {
	s := newService(t, nil)
	for _, name := range []string{"", `""`, strings.Repeat("x", 256), "schlüssel", `"\\"` + "\t" + `"`} {
		if resp, text := s.send(responses, goodRecord, "Idempotency-Key", name); resp.StatusCode != 400 {
			t.Errorf("%q: %d %s", name, resp.StatusCode, text)
		}
	}
	if resp, _ := s.send("/ingest/logpush", goodRecord, "Idempotency-Key", strings.Repeat("x", 256)); resp.StatusCode != 200 {
		t.Errorf("a shipper's route: %d", resp.StatusCode)
	}
}

// A refused request may be tried again with its key.
func TestIdempotencyKey_RefusedIsNotKept(t *testing.T) {
	s := newService(t, nil)
	s.ingester.quota.slots = 0
	if resp, _ := s.send(responses, goodRecord, "Idempotency-Key", "k"); resp.StatusCode != 503 {
		t.Fatalf("%d", resp.StatusCode)
	}
	s.ingester.quota.slots = maxRequests
	if resp, _ := s.send(responses, "none", "Idempotency-Key", "k"); resp.StatusCode != 422 {
		t.Fatalf("%d", resp.StatusCode)
	}
	if a := s.post(responses, goodRecord, "Idempotency-Key", "k"); a.Accepted != 1 {
		t.Errorf("%+v", a)
	}
}

// Of equal requests at once one works, and the others are told to wait or get its answer.
func TestIdempotencyKey_AtOnce(t *testing.T) {
	s := newService(t, nil)
	release := s.holdStore()
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			resp, _ := s.send(responses, goodRecord, "Idempotency-Key", "k")
			mu.Lock()
			statuses[resp.StatusCode]++
			if statuses[409] == 7 && statuses[200] == 0 {
				release()
			}
			mu.Unlock()
		})
	}
	all.Wait()
	if statuses[200] != 1 || statuses[409] != 7 {
		t.Errorf("%v", statuses)
	}
}

// holdStore makes writes wait until release is called.
func (s *service) holdStore() (release func()) {
	held, started := make(chan struct{}), make(chan struct{})
	go s.store.Write(context.Background(), func(context.Context, *store.Tx) error {
		close(started)
		<-held
		return nil
	})
	<-started
	return func() { close(held) }
}
