package ingest

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// checkQuick holds the quick way to the whole one: what it takes is certainly an accepted exchange that waits for nothing,
// and comes to the same key, time, site and facts, whether or not records like it were read before.
func checkQuick(t *testing.T, i *Ingester, raw []byte) (taken bool) {
	t.Helper()
	i.forgetSuccesses()
	i.facts = fewSlots[KnownFact]()
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	checkQuickIn(t, i, &b, otherNumbers(raw)) // whose call may be taken for this one's
	b.noted, i.facts = nil, fewSlots[KnownFact]()
	taken = checkQuickIn(t, i, &b, raw)
	for _, forget := range []func(){func() {}, i.forgetSuccesses, func() {}} {
		forget()
		b.noted = nil
		if checkQuickIn(t, i, &b, raw) != taken {
			t.Errorf("%s: not read the same way again", raw)
		}
	}
	if again, ok := quickly(i, &b, raw); ok && len(again.success.facts) > 0 && again.success.facts[0].Key.Kind != classify.FactJTI && again.success.facts[0].Key.Kind != classify.FactClock {
		t.Errorf("%s: what the batch says is said again: %+v", raw, again.success.facts)
	}
	return taken
}

// fewSlots is a cache for the few entries of one test, so that beginning anew costs little.
func fewSlots[T any]() *cache[T] {
	return &cache[T]{table: newTable[T](idleFor), seed: maphash.MakeSeed()}
}

func (i *Ingester) forgetSuccesses() {
	i.calls, i.grants = fewSlots[knownCall](), fewSlots[knownGrant]()
	i.forms = &forms{table: newTable[callForm](idleFor), seed: maphash.MakeSeed()}
}

// otherNumbers is a record of a call to the same route with other ids, or of a grant with another assertion.
func otherNumbers(raw []byte) []byte {
	raw = regexp.MustCompile(`/[0-9]+`).ReplaceAll(raw, []byte("/4711"))
	raw = regexp.MustCompile(`"jti":"[^"]*"`).ReplaceAll(raw, []byte(`"jti":"7f3c1e"`))
	return regexp.MustCompile(`"(iat|exp|nbf)":[0-9]+`).ReplaceAll(raw, []byte(`"$1":1795132812`))
}

func quickly(i *Ingester, b *batch, raw []byte) (decoded, bool) {
	s := newSplitter(raw)
	s.forms = i.forms
	p, _ := s.next()
	if p.outline == nil {
		return decoded{}, false
	}
	d, ok := i.quickSuccess(b, p)
	b.take(&d.success, d.at)
	return d, ok
}

func checkQuickIn(t *testing.T, i *Ingester, b *batch, raw []byte) (taken bool) {
	t.Helper()
	p, _ := newSplitter(raw).next()
	quick, ok := quickly(i, b, raw)
	if !ok {
		return false
	}
	whole, f := i.redactor.decodePart(part{raw: p.raw}, i.redactor.decodeResponse)
	if f != nil {
		t.Errorf("%s: taken, and refused by the whole way: %s", raw, f.code)
		return true
	}
	e := i.classifier.Locate(whole.record)
	bare := whole.record.ClientAssertion == nil && whole.record.AccessToken == nil
	if e.Outcome != classify.Accepted && !(bare && e.Outcome == classify.Other) || lacksToken(e) && i.late.mayWait(b.at) {
		t.Errorf("%s: taken as a success, and is %s, lacks a token: %v", raw, e.Outcome, lacksToken(e))
	}
	if quick.key != whole.key || !quick.at.Equal(whole.at) {
		t.Errorf("%s: %s at %s, want %s at %s", raw, quick.key, quick.at, whole.key, whole.at)
	}
	var want *site
	if e.Outcome == classify.Accepted {
		want = i.site(&e)
	}
	if got := quick.success.site; !reflect.DeepEqual(got, want) {
		t.Errorf("%s: at %+v, want %+v", raw, got, want)
	}
	if facts := e.Facts(); !reflect.DeepEqual(quick.success.facts, facts) {
		t.Errorf("%s: facts\n%+v, want\n%+v", raw, quick.success.facts, facts)
	}
	ofAgent := func(s classify.Sight) bool { return s.Kind == classify.SightUserAgent && !bare } // with a token the quick way does not read all of them
	sights, wanted := slices.DeleteFunc(sightsOf(quick.success.seen), ofAgent), slices.DeleteFunc(sightsOf(i.look(&e, nil)), ofAgent)
	if !slices.Equal(sights, wanted) {
		t.Errorf("%s: shows\n%+v, want\n%+v", raw, sights, wanted)
	}
	return true
}

func sightsOf(seen seenLook) []classify.Sight {
	if seen.look == nil {
		return nil
	}
	return slices.Clone(seen.look.Sights)
}

func quickIngester(tb testing.TB) *Ingester {
	s := newService(tb, testProfile())
	in, err := New(Options{Store: s.store, Profiles: testProfile(), Redactor: testRedactor(tb), Registerer: newRegistry(), Logger: jsonLog(s.log), Now: testNow})
	if err != nil {
		tb.Fatal(err)
	}
	noneWaits(in)
	return in
}

func TestQuickSuccess_AgreesWithTheWholeWay(t *testing.T) {
	t.Parallel()
	i := quickIngester(t)
	taken := 0
	all := slices.Concat(quickSeeds(t), bareChanges(t).all(), corpusAsSuccesses(t))
	for _, raw := range all {
		if checkQuick(t, i, raw) {
			taken++
		}
	}
	if taken < len(all)/10 {
		t.Errorf("only %d of %d were read quickly", taken, len(all))
	}
	for _, raw := range [][]byte{[]byte(benchRecord), []byte(apiCall(1, "x", 200, "j", second(100))),
		[]byte(tokenRequest(1, "y", 200, `,"client_assertion":`+assertionAt(1, "j", tokenEndpoint)))} {
		if !checkQuick(t, i, raw) {
			t.Errorf("%s: not read quickly", raw)
		}
	}
}

func FuzzQuickSuccess(f *testing.F) {
	for _, raw := range append(quickChanges(f).once(), bareChanges(f).once()...) {
		f.Add(raw)
	}
	i := quickIngester(f)
	f.Fuzz(func(t *testing.T, raw []byte) { checkQuick(t, i, raw) })
}

// A grant like an earlier one is not read as a whole again, and says only what is its own; nor does what stands around it hide a token.
func TestQuickSuccess_GrantAgain(t *testing.T) {
	i := quickIngester(t)
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	grant := func(n int, more string) []byte {
		return []byte(tokenRequest(n, fmt.Sprintf("y-%d", n), 200, `,"client_assertion":`+assertionAt(n, fmt.Sprintf("jti %d", n), tokenEndpoint)+more))
	}
	if first, ok := quickly(i, &b, grant(1, "")); !ok || len(first.success.facts) < 8 {
		t.Fatalf("the first says %+v", first.success.facts)
	}
	for n := range i.grants.slots { // what is read as a whole again finds its own
		if known := i.grants.slots[n].Load(); known != nil {
			known.site = &site{client: "known"}
		}
	}
	for n := 2; n < 5; n++ {
		again, ok := quickly(i, &b, grant(n, ""))
		if !ok || len(again.success.facts) != 2 || again.success.facts[0].FirstExchange != fmt.Sprintf("y-%d", n) || again.success.site.client != "known" {
			t.Errorf("another, at %+v, says %+v", again.success.site, again.success.facts)
		}
	}
	for _, hidden := range []string{rv01(t), "ZXlKaGJHY2lPaUpTVXpJMU5pSXNJblI1Y0NJNklrcFhWQ0o5"} {
		if _, ok := quickly(i, &b, grant(5, `,"note":"`+hidden+`"`)); ok {
			t.Errorf("%s is not seen", hidden)
		}
	}
}

// The database holds the same whichever way its successes were read, and whether batches were judged ahead or in their turn.
func TestPipeline_SameEitherWay(t *testing.T) {
	var lines []string
	for n := range 40 {
		lines = append(lines, apiCall(n*7%200, fmt.Sprintf("ok-%d", n), 200, fmt.Sprintf("at-%d", n%3), second(300)))
		lines = append(lines, bare(apiCall(n*3%200, fmt.Sprintf("bare-%d", n), 200, "", second(300))), tokenRequest(n*5%200, fmt.Sprintf("grant-%d", n), 200, ""))
	}
	lines = append(lines, mixedBatch()...)
	snapshots := map[string]snapshot{}
	for name, set := range map[string]func(*endpoint){
		"quick": func(e *endpoint) { e.quick = true },
		"whole": func(e *endpoint) { e.quick = false },
	} {
		s := newService(t, testProfile())
		noneWaits(s.ingester)
		e := endpoint{open: openNative(expectedBody, nil), commit: s.ingester.commitResponses, read: func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeResponse) }}
		set(&e)
		for start := 0; start < len(lines); start += 25 {
			shipment, err := e.open(nil, []byte(strings.Join(lines[start:min(start+25, len(lines))], "\n")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.ingester.commitAll(t.Context(), e, shipment, batch{source: "s", redactor: s.ingester.redactor, at: testNow(), equals: newEquals()}); err != nil {
				t.Fatal(err)
			}
		}
		snapshots[name] = s.snapshot()
	}
	if quick, whole := fmt.Sprintf("%+v", snapshots["quick"]), fmt.Sprintf("%+v", snapshots["whole"]); quick != whole || len(snapshots["quick"].Verdicts) != 5 {
		t.Errorf("quick %s\nwhole %s", quick, whole)
	}
}

// History learns the same of accepted calls whichever way they were read: the earliest acceptance exactly, the latest to its resolution,
// also where later batches bring earlier events, and those in between say nothing new.
func TestQuickSuccess_SameHistory(t *testing.T) {
	for _, minutes := range [][]int{{0, 3, 9, 12, 25}, {25, 12, 9, 3, 0}, {12, 0, 25, 3, 9}, {5, 5, 5}, {0, 200, 420, 700}} {
		facts := map[string]classify.History{}
		for _, way := range []string{"quick", "whole"} {
			s := newService(t, testProfile())
			noneWaits(s.ingester)
			e := endpoint{open: openNative(expectedBody, nil), commit: s.ingester.commitResponses, quick: way == "quick", read: func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeResponse) }}
			var keys []classify.Key
			for n, minute := range minutes {
				line := apiCall(60*minute, fmt.Sprintf("ok-%d", n), 200, "at-1", second(3000))
				lines := []string{line, strings.Replace(line, `"id":"ok`, `"id":"again`, 1)}
				for _, record := range []string{apiCall(60*minute, fmt.Sprintf("bare-%d", n), 200, "", second(3000)), tokenRequest(60*minute, fmt.Sprintf("grant-%d", n), 200, "")} {
					lines = append(lines, bare(record), strings.Replace(bare(record), `"id":"`, `"id":"again-`, 1))
				}
				shipment, err := e.open(nil, []byte(strings.Join(lines, "\n")))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.ingester.commitAll(t.Context(), e, shipment, batch{source: "s", redactor: s.ingester.redactor, at: testNow(), equals: newEquals()}); err != nil {
					t.Fatal(err)
				}
				for _, line := range lines {
					whole, _ := s.ingester.redactor.decodePart(part{raw: []byte(line)}, s.ingester.redactor.decodeResponse)
					for _, f := range s.ingester.classifier.Locate(whole.record).Facts() {
						keys = append(keys, f.Key)
					}
				}
			}
			snapshot, err := s.store.History(t.Context(), keys)
			if err != nil {
				t.Fatal(err)
			}
			facts[way] = snapshot.History()
		}
		if len(facts["whole"]) < 5 || len(facts["quick"]) != len(facts["whole"]) {
			t.Errorf("%v: %d facts, want %d", minutes, len(facts["quick"]), len(facts["whole"]))
		}
		for key, want := range facts["whole"] {
			got := facts["quick"][key]
			if !got.FirstAccepted.Equal(want.FirstAccepted) || !got.FirstSeen.Equal(want.FirstSeen) || want.LastAccepted.Sub(got.LastAccepted).Abs() >= store.Resolution(key.Kind) {
				t.Errorf("%v: %+v\nquick %+v\nwhole %+v", minutes, key, got, want)
			}
		}
	}
}

// What only says when a fact can be forgotten is said again after hours, what decides between two keys after minutes.
func TestQuickSuccess_SaysAgain(t *testing.T) {
	i := quickIngester(t)
	said := func(minute int) (kinds []classify.FactKind) {
		b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
		d, ok := quickly(i, &b, []byte(apiCall(60*minute, fmt.Sprintf("ok-%d", minute), 200, "at-1", second(90000))))
		if !ok {
			t.Fatal("not read quickly")
		}
		for _, f := range d.success.facts {
			kinds = append(kinds, f.Key.Kind)
		}
		remember(b.noted)
		return kinds
	}
	if first := said(0); !slices.Contains(first, classify.FactToken) || !slices.Contains(first, classify.FactKID) {
		t.Errorf("says %v at first", first)
	}
	for _, tt := range []struct {
		minute     int
		key, token bool
	}{{5, false, false}, {20, true, false}, {300, true, false}, {370, true, true}, {380, true, false}} {
		kinds := said(tt.minute)
		if slices.Contains(kinds, classify.FactKID) != tt.key || slices.Contains(kinds, classify.FactToken) != tt.token {
			t.Errorf("says %v again after %d minutes", kinds, tt.minute)
		}
	}
}

// What a repeated record said for others of its batch is not stored with it: the others say it themselves, and the next batch again.
func TestQuickSuccess_SaysAgainAfterRepetitions(t *testing.T) {
	verdict := func(bodies ...string) string {
		s := newService(t, testProfile())
		for _, body := range bodies {
			s.post(responses, body)
		}
		s.post(responses, apiCall(200, "refused", 401, "at-2", second(3000)))
		return s.snapshot().Verdicts["refused"]
	}
	call := func(at int, id, token string) string { return apiCall(at, id, 200, token, second(3000)) }
	never, before := verdict(call(10, "one", "at-1")), verdict(call(10, "one", "at-2"))
	// The second of that id and time has another token, for which the one beside it then has nothing to say.
	for _, beside := range []string{"", "\n" + call(10, "two", "at-2")} {
		bodies := []string{call(10, "one", "at-1"), call(10, "one", "at-2") + beside}
		if beside == "" {
			bodies = append(bodies, call(11, "three", "at-2"))
		}
		if repeated := verdict(bodies...); repeated != before || before == never {
			t.Errorf("%q: %q, want %q; of a token that was never accepted it is %q", beside, repeated, before, never)
		}
	}
}

// A record that is refused leaves no note of what it says.
func TestQuickSuccess_TooOld(t *testing.T) {
	i := quickIngester(t)
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	raw := []byte(apiCall(1, "x", 200, "j", second(100)))
	read := func() {
		p, _ := newSplitter(raw).next()
		i.readPart(&b, 0, p, foreignEndpoint(new(int)))
	}
	if read(); len(b.noted) == 0 {
		t.Fatal("not read quickly")
	}
	b.noted, i.retain = nil, time.Millisecond
	if read(); len(b.bad) != 1 || len(b.noted) > 0 {
		t.Errorf("%d are refused, %d facts are noted", len(b.bad), len(b.noted))
	}
}
