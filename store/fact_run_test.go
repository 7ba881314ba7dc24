package store

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"authwatch/classify"
)

func factRunContract() []contractTest {
	return []contractTest{
		{"many facts of assertions are written as a run, and known as any other", testFactRun},
		{"what the table and several runs hold of a fact is merged", testFactRunsMerged},
		{"the filter of facts spares a look into every run", testFactRunsFilter},
		{"runs of facts that another process wrote are known", testFactRunsOfOthers},
		{"rows of runs go when all of their facts have expired", testFactRunsExpire},
	}
}

// asserted is a fact of an assertion that an exchange showed.
func asserted(name string, seconds int, exchange string) classify.Fact {
	f := seen(name, seconds, exchange)
	f.FirstTokenPrint, f.Expires = "194d91b9bc3c87a0e6d99ec50047015f", at(seconds+7200)
	return f
}

// assertions are enough facts for a run, and one that belongs to the table.
func assertions(prefix string, seconds int) []classify.Fact {
	list := []classify.Fact{seen(prefix+" of none", seconds, "")}
	for i := range runLeast {
		list = append(list, asserted(fmt.Sprint(prefix, i), seconds, fmt.Sprintf("d50a96ce-11e3-4b5c-af1e-%012x", i)))
	}
	return list
}

// arrive writes facts, and what is put off with them.
func (w *world) arrive(t *testing.T, facts []classify.Fact) {
	t.Helper()
	w.observe(t, facts...)
	w.settleAll(t)
}

// wantKept compares some facts with what the database holds of them.
func (w *world) wantKept(t *testing.T, facts []classify.Fact) {
	t.Helper()
	w.kept(t)
	for i := 0; i < len(facts); i += 1 + len(facts)/50 {
		want := classify.History{facts[i].Key: facts[i]}
		if got := w.snapshot(t, facts[i].Key).History(); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

func testFactRun(t *testing.T, w *world) {
	facts := assertions("a", 5)
	w.arrive(t, facts)
	rows, inTable := 0, len(facts)
	if w.facts != nil {
		rows, inTable = runLeast/runRow, 1
	}
	equal(t, "rows of runs", w.rowCount(t, `select count(*) from fact_run`), rows)
	equal(t, "facts in the table", w.factRows(t), inTable)
	for range 2 {
		w.wantKept(t, facts) // without the filter
		w.fill(t)
		w.wantKept(t, facts)
		absent := w.snapshot(t, key("absent"), facts[7].Key, facts[7].Key)
		equal(t, "facts by a key of nothing and by one that is there twice", len(absent.History()), 1)
		equal(t, "count of a key that was asked for twice", absent.Fact(2).Count, 1)
		w = w.reopen(t)
	}
}

func testFactRunsMerged(t *testing.T, w *world) {
	again := func(seconds int, exchange string) []classify.Fact {
		return append(assertions(exchange, seconds), asserted("again", seconds, exchange))
	}
	w.arrive(t, []classify.Fact{asserted("again", 7, "row")})
	w.arrive(t, again(5, "first"))
	w.arrive(t, again(9, "last"))
	if w.facts != nil {
		equal(t, "runs", w.rowCount(t, `select count(*) from (select distinct run from fact_run) r`), 2)
	}
	want := asserted("again", 5, "first")
	want.Count, want.LastSeen, want.Expires = 3, at(9), at(9+7200)
	w.wantKept(t, []classify.Fact{want})
	w.fill(t)
	w.wantKept(t, []classify.Fact{want})
	equal(t, "count in the turn", w.history(t, key("again"))[key("again")].Count, 3)
}

func testFactRunsFilter(t *testing.T, w *world) {
	if w.facts == nil {
		return // replicas write no runs
	}
	facts := assertions("before ", 5)
	w.arrive(t, facts)
	w.fill(t)
	later := assertions("later ", 6)
	w.arrive(t, later)
	asked := func(k classify.Key) int {
		w.kept(t)
		from := &countedReader{rowsQuerier: w.readers}
		if _, err := w.facts.read(t.Context(), from, []factKey{factKeyOf(k)}, make([]fact, 1)); err != nil {
			t.Fatal(err)
		}
		return from.asked
	}
	absent := 0
	for i := range 1000 {
		absent += asked(key(fmt.Sprint("absent ", i)))
		for _, k := range []classify.Key{facts[i].Key, later[i].Key} {
			if n := asked(k); n < 1 || n > 2 {
				t.Fatalf("%s: %d questions", k.Name, n)
			}
		}
	}
	if absent > 20 {
		t.Errorf("%d questions for 1000 facts that are nowhere", absent)
	}
}

func testFactRunsOfOthers(t *testing.T, w *world) {
	w.fill(t)
	other := &world{Store: w.second(t), dsn: w.dsn, clock: w.clock}
	facts := assertions("a", 5)
	other.arrive(t, facts)
	w.observe(t, seen("b", 1, "x")) // notices
	w.wantKept(t, facts)
	mine := assertions("b", 6)
	w.arrive(t, mine)
	other.observe(t, seen("c", 1, "x"))
	other.wantKept(t, mine)
	other.wantKept(t, facts)
}

func testFactRunsExpire(t *testing.T, w *world) {
	old, young := assertions("old", 0), assertions("young", 2*daySecond)
	old[1].Expires = at(4 * daySecond) // and the others of its row stay as long
	w.arrive(t, old)
	w.arrive(t, young)
	w.clock = at(2*daySecond + 3*7200)
	w.fill(t)
	w.snapshot(t, old[1].Key, old[2].Key) // which are remembered
	w.expire(t, month())
	if w.facts != nil {
		equal(t, "rows of runs", w.rowCount(t, `select count(*) from fact_run`), runLeast/runRow+1)
	}
	left := 0
	for _, f := range old[1:] {
		left += len(w.snapshot(t, f.Key).History())
	}
	if left < 1 || left > runRow {
		t.Errorf("%d old facts are known", left)
	}
	w.wantKept(t, old[1:2])
	w.wantKept(t, young)
}

func TestFactRow(t *testing.T) {
	var list []Observation
	for i, text := range []string{"", "x", "d50a96ce-11e3-4b5c-af1e-c5be7415b0aa", "D50A96CE-11E3-4B5C-AF1E-C5BE7415B0AA", "194d91b9bc3c87a0e6d99ec50047015f", "194d91b9bc3c87a0e6d99ec50047015",
		"ffff", "d50a96ce-11e3-4b5c-af1e-c5be7415b0ag", "d50a96ce-11e3-4b5c-af1e0c5be7415b0aa", "------------------------------------", "content:194d91b9bc3c87a0", strings.Repeat("0", 160), strings.Repeat("é", 80)} {
		n := int64(i)
		list = append(list, Observation{factKey{byte(i)}, fact{extent: extent{firstSeen: toMillis(at(i)), firstAccepted: n % 2 * toMillis(at(i-1)), lastSeen: toMillis(at(i * i)), lastAccepted: n % 3},
			expires: toMillis(at(7)), maxOffset: -n, count: n, firstExchange: text, firstTokenPrint: text}})
	}
	e := encoder{}
	for i := range list {
		list[i].encodeInRun(&e)
	}
	if got, err := decodeRun(e.b); err != nil || !reflect.DeepEqual(got, list) {
		t.Errorf("got %+v, %v; want %+v", got, err, list)
	}
	usual := list[2]
	usual.fact = factOf(new(asserted("a", 5, usual.firstExchange)))
	e = encoder{}
	if usual.encodeInRun(&e); len(e.b) > 68 {
		t.Errorf("a usual fact is %d bytes", len(e.b))
	}
	for n := range len(e.b) {
		if _, err := decodeRun(e.b[:n]); n > 0 && !errors.Is(err, errDamagedFigures) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

// FuzzFactRow: damaged rows are an error, never a panic.
func FuzzFactRow(f *testing.F) {
	e, o := encoder{}, Observation{factKey{1}, factOf(new(asserted("a", 5, "d50a96ce-11e3-4b5c-af1e-c5be7415b0aa")))}
	o.encodeInRun(&e)
	f.Add(e.b)
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeRun(b)
		if err != nil {
			return
		}
		e := encoder{}
		for i := range list {
			list[i].encodeInRun(&e)
		}
		if again, err := decodeRun(e.b); err != nil || !reflect.DeepEqual(again, list) {
			t.Errorf("got %+v, %v; want %+v", again, err, list)
		}
	})
}
