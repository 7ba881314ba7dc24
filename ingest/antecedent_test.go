package ingest

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// lateBatch is a believable minute in which later verdicts depend on earlier exchanges: a jti used twice, accepted or not, and
// tokens that served before they were refused.
func lateBatch() []string {
	batch := mixedBatch()
	batch = append(batch,
		tokenRequest(61, "second", 401, `,"client_assertion":`+assertionAt(60, "twice-refused", tokenEndpoint)),
		tokenRequest(60, "first", 401, `,"client_assertion":`+assertionAt(60, "twice-refused", tokenEndpoint)),
		tokenRequest(62, "third", 401, `,"client_assertion":`+assertionAt(60, "twice-refused", tokenEndpoint)),
	)
	return batch
}

// In whichever batches and in whichever order records come within the window, verdicts, incidents and counts are the same.
func TestAntecedent_AnyOrder(t *testing.T) {
	batch := lateBatch()
	// What everybody's first successes teach about a place is known before.
	known := apiCall(0, "known", 200, "at-0", second(130))
	deliver := func(batches [][]string) *service {
		s := newService(t, testProfile())
		s.post(responses, known)
		for _, one := range batches {
			s.post(responses, strings.Join(one, "\n"))
		}
		return s
	}
	want := withoutBrackets(deliver([][]string{batch}).snapshot())
	for id, cause := range map[string]string{"reuse": "jti_reuse", "late": "expired_mid_session", "second": "jti_reuse", "third": "jti_reuse"} {
		if !strings.HasPrefix(want.Verdicts[id], cause+" ") {
			t.Fatalf("%s is %s", id, want.Verdicts[id])
		}
	}
	for seed := range int64(12) {
		rng := rand.New(rand.NewSource(seed))
		shuffled := slices.Clone(batch)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var batches [][]string
		for len(shuffled) > 0 {
			n := min(1+rng.Intn(6), len(shuffled))
			batches, shuffled = append(batches, shuffled[:n]), shuffled[n:]
		}
		if got := withoutBrackets(deliver(batches).snapshot()); !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d:\ngot  %+v\nwant %+v", seed, got, want)
		}
	}
}

// withoutBrackets leaves out the successes around incidents, of which the store keeps the first and the last of a minute as
// they came.
func withoutBrackets(s snapshot) snapshot {
	for n := range s.Incidents {
		s.Incidents[n].LastSuccess, s.Incidents[n].FirstSuccess = time.Time{}, time.Time{}
	}
	return s
}

// The token of a response can come late too, and with it the first use of its jti.
func TestAntecedent_LateToken(t *testing.T) {
	s := newService(t, testProfile())
	s.post(responses, tokenRequest(70, "reuse", 401, `,"client_assertion":`+assertionAt(20, "jti-1", tokenEndpoint)))
	s.post(responses, tokenRequest(20, "ok-1", 200, ""))
	if got := s.snapshot().Verdicts["reuse"]; strings.HasPrefix(got, "jti_reuse") {
		t.Fatalf("nobody knows yet: %s", got)
	}
	s.post(tokens, lateAssertionOf(20, "req-ok-1", "jti-1"))
	if got := s.snapshot().Verdicts["reuse"]; !strings.HasPrefix(got, "jti_reuse") {
		t.Errorf("after the token: %s", got)
	}
}

func lateAssertionOf(n int, requestID, jti string) string {
	inner := strings.TrimPrefix(assertionAt(n, jti, tokenEndpoint), "{")
	return fmt.Sprintf(`{"time":%q,"kind":"client_assertion","request_id":%q,%s`, second(n).Format(time.RFC3339), requestID, inner)
}

// What is remembered is bounded, and a later exchange changes nothing about an earlier one.
func TestDependents(t *testing.T) {
	s := newService(t, testProfile())
	s.post(responses, tokenRequest(20, "first", 401, `,"client_assertion":`+assertionAt(20, "j", tokenEndpoint)))
	before := s.snapshot().Verdicts["first"]
	s.post(responses, tokenRequest(70, "later", 200, `,"client_assertion":`+assertionAt(20, "j", tokenEndpoint)))
	if got := s.snapshot().Verdicts["first"]; got != before {
		t.Errorf("%s, was %s", got, before)
	}
	d := newDependents()
	for n := range 3 * maxDependents {
		d.note(testNow(), []classify.Key{{Kind: classify.FactJTI, Name: fmt.Sprint(n)}, {Kind: classify.FactClient, Name: "everybody"}}, dependent{fmt.Sprint(n), testNow()})
	}
	if n := d.young.taken + d.old.taken; n > 2*maxDependents || n < maxDependents {
		t.Errorf("%d are remembered", n)
	}
	if ids := d.after([]classify.Fact{{Key: classify.Key{Kind: classify.FactClient, Name: "everybody"}}}); len(ids) != 0 {
		t.Errorf("%d failures depend on what all do", len(ids))
	}
	many := make([]classify.Fact, maxDependents)
	for n := range many {
		many[n] = classify.Fact{Key: classify.Key{Kind: classify.FactJTI, Name: fmt.Sprint(2*maxDependents + n)}, FirstSeen: testNow()}
	}
	if n := len(d.after(many)); n != maxJudgedAgain {
		t.Errorf("one batch has %d judged again", n)
	}
	d = newDependents()
	for n, at := range []time.Time{testNow(), testNow().Add(waitFor), testNow().Add(waitFor + time.Second)} {
		d.note(at, []classify.Key{{Kind: classify.FactJTI, Name: fmt.Sprint(n)}}, dependent{})
	}
	if d.young.taken != 1 || d.old.taken != 2 {
		t.Errorf("%d are of this window, %d of the one before", d.young.taken, d.old.taken)
	}
}

// Of a batch in which a record met a defect nothing is remembered: which failure is whose is not known.
func TestDependents_Defect(t *testing.T) {
	s := newService(t, testProfile())
	var order []*decoded
	for n := range 2 {
		d, f := s.redactor.decodePart(part{raw: []byte(apiCall(20+n, fmt.Sprint("r", n), 401, "j", second(10)))}, s.redactor.decodeResponse)
		if f != nil {
			t.Fatal(f.code)
		}
		order = append(order, &d)
	}
	for _, failures := range []int{1, 2} {
		w := &work{ingester: s.ingester, batch: batch{at: testNow()}, asked: &inquiry{}, effects: effects{failures: make([]store.Failure, failures)}}
		list := w.place(order, nil)
		w.asked.ask(list)
		w.noteFailures(list)
		if remembered := s.ingester.dependents.young.taken > 0; remembered != (failures == 2) {
			t.Errorf("of two records %d failures: remembered: %v", failures, remembered)
		}
	}
}

func TestGeneration_KeepsTheOrderAndTheTimesOfEachKey(t *testing.T) {
	at := []time.Time{testNow().Add(time.Nanosecond), {}, time.Unix(1<<40, 999_999_999)}
	g, want := generation{}.emptied(), map[uint64][]dependent{}
	g.add(1, dependent{"of the generation before", at[0]})
	g = g.emptied()
	for n := range 3 * (maxOfOneToken + 2) {
		hash, one := uint64(n%3), dependent{strings.Repeat("x", n%5) + fmt.Sprint(n), at[n%len(at)]}
		if g.add(hash, one); len(want[hash]) < maxOfOneToken {
			want[hash] = append(want[hash], one)
		}
	}
	for hash := range uint64(4) {
		for n := range uint64(100) { // others, of which some begin at one place with it
			g.add(hash+64*(n+1), dependent{"another", at[0]})
		}
		got := slices.Collect(g.all(hash))
		if !slices.EqualFunc(got, want[hash], func(a, b dependent) bool { return a.failure == b.failure && a.at.Equal(b.at) }) {
			t.Errorf("%d: %v, want %v", hash, got, want[hash])
		}
	}
}

// Whatever has a pointer inside the collector of garbage would follow, in every cycle.
func TestGeneration_HoldsNoPointers(t *testing.T) {
	for _, of := range []any{chain{}, link{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
			if k := field.Type.Kind(); k != reflect.Int32 && k != reflect.Int64 && k != reflect.Uint64 {
				t.Errorf("%T.%s is a %s", of, field.Name, k)
			}
		}
	}
}
