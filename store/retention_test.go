package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"authwatch/classify"
)

func retentionContract() []contractTest {
	return []contractTest{
		{"old failures go, what they were counted in stays", testExpireFailures},
		{"a trend of what is old knows hours", testExpireMinutes},
		{"an incident whose other failures went shrinks without forgetting them", testExpireShrink},
		{"old incidents, clients and counts go", testExpireSummaries},
		{"an old incident stays while one of its failures does", testExpireListed},
		{"an episode's successor keeps the link to the one before it", testExpireEpisode},
		{"history and deliveries go when they cannot matter any more", testExpireHistory},
		{"failures stay readable when what they had in common with older ones went", testExpireTemplates},
		{"a clock that jumps ahead removes nothing", testExpireLeap},
		{"nothing is removed where no age is given", testExpireNever},
		{"steps are small, and pausing can end them", testExpireSteps},
		{"a fold that counts on a series that went begins anew", testExpireBeforeFold},
	}
}

const (
	dayLong   = 24 * time.Hour
	daySecond = 86400
)

// expire removes what is older at the world's time, by which something was received.
func (w *world) expire(t *testing.T, r Retention) {
	t.Helper()
	w.received(t)
	if err := w.Expire(t.Context(), r, func(context.Context, time.Duration) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// received notes a delivery at the world's time.
func (w *world) received(t *testing.T) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Claim(ctx, w.clock, []Delivery{{Source: "s", Key: w.clock.String(), Time: w.clock}})
		return err
	})
}

func month() Retention { return Retention{Records: 30 * dayLong, Summaries: 396 * dayLong} }

func (w *world) rowCount(t *testing.T, query string) (n int) {
	t.Helper()
	if err := w.readers.QueryRowContext(t.Context(), `/* test */ `+query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func testExpireFailures(t *testing.T, w *world) {
	list := w.add(t, fail(0), fail(60), fail(2*daySecond), fail(3*daySecond, client("client-b")))
	w.traffic(t, accept(30), accept(2*daySecond+30))
	w.fold(t)
	before := w.trendOf(t, 0, 4*daySecond, time.Hour)
	w.clock = at(31 * daySecond)
	w.expire(t, month())
	equal(t, "failures", fmt.Sprint(failureIDs(w.everyFailure(t))), fmt.Sprint([]string{list[3].ID, list[2].ID}))
	i := w.incident(t, list[0].IncidentID)
	equal(t, "count", i.Count, 3)
	wantTime(t, "first seen", i.FirstSeenAt, at(0))
	wantTime(t, "last success", i.LastSuccess, time.Time{})
	equal(t, "trend", fmt.Sprint(w.trendOf(t, 0, 4*daySecond, time.Hour)), fmt.Sprint(before))
	if n := w.rowCount(t, `select count(*) from success`); n != 1 {
		t.Errorf("%d hours of success are kept, want 1", n)
	}
	totals, err := w.Totals(t.Context(), at(0), at(4*daySecond), nil, nil)
	if err != nil || totals.Incidents != 2 || totals.Failures != 4 {
		t.Errorf("totals: %+v, %v", totals, err)
	}
}

func (w *world) trendOf(t *testing.T, from, to int, step time.Duration) Trend {
	t.Helper()
	trend, err := w.Trend(t.Context(), TrendQuery{From: at(from), To: at(to), Step: step, GroupBy: ByCause})
	if err != nil {
		t.Fatal(err)
	}
	return trend
}

func testExpireMinutes(t *testing.T, w *world) {
	w.add(t, fail(60), fail(600), fail(3600+60), fail(2*3600+120), fail(2*3600+1800))
	w.fold(t)
	w.clock = at(30*daySecond + 2*3600)
	w.expire(t, month())
	for _, tt := range []struct {
		from, to int
		step     time.Duration
		want     string
	}{
		{0, 3600, 10 * time.Minute, "[2 0 0 0 0 0]"},                            // an hour counts where it begins
		{600, 1200, 5 * time.Minute, "[2 0]"},                                   // and is whole
		{3600, 2*3600 + 1200, 10 * time.Minute, "[1 0 0 0 0 0 1 0]"},            // what is not old is exact
		{1800, 2*3600 + 1800, time.Hour, "[3 1]"},                               // the first step holds two hours' beginnings
		{0, 3 * 3600, time.Hour, "[2 1 2]"},                                     // whole hours are exact
		{-7 * 60, 3*3600 - 7*60, 90 * time.Minute, "[3 2]"},                     // steps that are no hours
		{2*3600 + 120, 2*3600 + 180, time.Minute, "[1]"},                        // one minute
		{-30 * daySecond, 30 * daySecond, 10 * 24 * time.Hour, "[0 0 0 5 0 0]"}, // days
	} {
		trend := w.trendOf(t, tt.from, tt.to, tt.step)
		equal(t, fmt.Sprintf("%d to %d by %s", tt.from, tt.to, tt.step), fmt.Sprint(trend.Failures), tt.want)
	}
}

func testExpireShrink(t *testing.T, w *world) {
	list := w.add(t, fail(0), fail(60, endpoint("GET /old")), fail(2*daySecond), fail(2*daySecond+60))
	w.clock = at(31 * daySecond)
	w.expire(t, month())
	withdraw := func(id string) Incident {
		w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, id) })
		return w.incident(t, list[0].IncidentID)
	}
	i := withdraw(list[2].ID)
	equal(t, "count", i.Count, 3)
	wantTime(t, "first seen", i.FirstSeenAt, at(0))
	wantTime(t, "last seen", i.LastSeenAt, at(2*daySecond+60))
	i = withdraw(list[3].ID)
	equal(t, "count", i.Count, 2)
	wantTime(t, "first seen", i.FirstSeenAt, at(0))
}

func testExpireSummaries(t *testing.T, w *world) {
	old := w.add(t, fail(0), fail(0, client("client-b")))
	w.traffic(t, accept(0))
	w.fold(t)
	w.add(t, fail(440*daySecond, client("client-b")))
	w.fold(t)
	w.clock = at(440 * daySecond)
	w.expire(t, month())
	w.expire(t, month()) // the first time takes the failures that the incidents wait for
	if _, err := w.GetIncident(t.Context(), old[0].IncidentID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old incident: got %v, want ErrNotFound", err)
	}
	equal(t, "incident that was seen again", w.incident(t, old[1].IncidentID).Count, 2)
	clients, _, err := w.ListClients(t.Context(), ClientFilter{})
	if err != nil || len(clients) != 1 || clients[0].ClientID != "client-b" {
		t.Errorf("clients: %v, %v", clients, err)
	}
	equal(t, "failures of the first day", fmt.Sprint(w.trendOf(t, 0, daySecond, dayLong).Failures), "[0]")
	for table, want := range map[string]int{"incident_endpoint": 1, "success": 0, "failure": 1} {
		equal(t, table, w.rowCount(t, `select count(*) from `+table), want)
	}
	if n := w.rowCount(t, `select count(*) from series where client_id = 'client-a'`); n != 0 {
		t.Errorf("%d series of the old client are left", n)
	}
}

func testExpireListed(t *testing.T, w *world) {
	old := w.add(t, fail(0), fail(0, client("client-b")))
	w.write(t, func(ctx context.Context, tx *Tx) error { _, err := tx.removeOldest(ctx, old[1].id); return err })
	w.clock = at(440 * daySecond)
	w.expire(t, Retention{Summaries: 396 * dayLong})
	if _, err := w.GetIncident(t.Context(), old[0].IncidentID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the incident without failures: got %v, want ErrNotFound", err)
	}
	equal(t, "failures of the other", w.incident(t, old[1].IncidentID).Count, 1)
	w.wantListed(t, "that are kept for ever", 1)
}

func testExpireEpisode(t *testing.T, w *world) {
	first := w.add(t, fail(0))[0].IncidentID
	w.resolve(t, first, 3600)
	second := w.add(t, fail(100*daySecond))[0].IncidentID
	equal(t, "link", w.incident(t, second).RegressionOf, first)
	w.clock = at(400 * daySecond)
	w.expire(t, month())
	equal(t, "link", w.incident(t, second).RegressionOf, "")
}

func testExpireHistory(t *testing.T, w *world) {
	fact := func(name string, seen, expires time.Time) classify.Fact {
		return classify.Fact{Key: key(name), FirstSeen: seen, LastSeen: seen, Count: 1, Expires: expires}
	}
	w.write(t, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.Claim(ctx, at(0), []Delivery{{Source: "s", Key: "old", Time: at(0)}, {Source: "s", Key: "young", Time: at(2 * daySecond)}}); err != nil {
			return err
		}
		if err := tx.PutPending(ctx, []Pending{{JoinKey: "request:r", Side: "token", Time: at(0), Body: []byte(`{}`), ExpiresAt: at(600)}}); err != nil {
			return err
		}
		return tx.Observe(ctx, []classify.Fact{fact("over", at(0), at(daySecond)), fact("late", at(0), at(30*daySecond)), fact("ever", at(0), time.Time{})})
	})
	w.clock = at(31 * daySecond)
	w.expire(t, month())
	equal(t, "fresh", fmt.Sprint(w.claim(t, 31*daySecond, Delivery{Source: "s", Key: "old", Time: at(0)}, Delivery{Source: "s", Key: "young", Time: at(2 * daySecond)})), "[true false]")
	left := w.history(t, key("over"), key("late"), key("ever"))
	_, late := left[key("late")]
	_, ever := left[key("ever")]
	equal(t, "facts", len(left), 2)
	equal(t, "those that may matter are left", late && ever, true)
	equal(t, "facts in the database", w.rowCount(t, `select count(*) from fact`), 2)
	equal(t, "halves", w.rowCount(t, `select count(*) from pending`), 0)
}

func testExpireTemplates(t *testing.T, w *world) {
	kinds := []string{"of one kind that occurs", "of another kind", "of a third kind that is the last one"}
	for _, kind := range kinds {
		for w.rowCount(t, `select count(*) from template where id <> 0`) < 2+slices.Index(kinds, kind) { // a template is written beside
			w.add(t, fail(0, summary(kind), requestID("request-1")))
		}
	}
	w.clock = at(20 * daySecond)
	keep := w.add(t, fail(20*daySecond, summary(kinds[0])), fail(20*daySecond+1, summary(kinds[0]), requestID("request-2")))
	w.clock = at(45 * daySecond)
	w.expire(t, month())
	if list := w.everyFailure(t); len(list) != len(keep) || list[0].Verdict.Summary != kinds[0] {
		t.Errorf("failures: %v", list)
	}
	// Of the first day's at most the newest is left, so that its number is not given again.
	if n := w.rowCount(t, fmt.Sprint(`select count(*) from template where used_on = `, dayOf(at(0)))); n > 1 {
		t.Errorf("%d templates of the first day are left", n)
	}
	w.wantFiled(t, 1, 1, 0)
	again := w.add(t, fail(45*daySecond, summary(kinds[1])))
	got, err := w.GetFailure(t.Context(), again[0].ID)
	if err != nil || got.Verdict.Summary != kinds[1] {
		t.Errorf("a failure of a forgotten kind: %v, %v", got.Verdict.Summary, err)
	}
}

func testExpireLeap(t *testing.T, w *world) {
	w.add(t, fail(0))
	w.received(t)
	w.clock = at(400 * daySecond)
	for range 2 {
		if err := w.Expire(t.Context(), month(), func(context.Context, time.Duration) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "failures", len(w.everyFailure(t)), 1)
	equal(t, "incidents", len(w.incidents(t, IncidentFilter{})), 1)
}

func testExpireNever(t *testing.T, w *world) {
	w.add(t, fail(0))
	w.traffic(t, accept(0))
	w.fold(t)
	w.clock = at(4000 * daySecond)
	w.expire(t, Retention{})
	equal(t, "failures", len(w.everyFailure(t)), 1)
	equal(t, "minutes", fmt.Sprint(w.trendOf(t, 0, 120, time.Minute).Failures), "[1 0]")
	equal(t, "successes", w.rowCount(t, `select count(*) from success`), 1)
}

func testExpireSteps(t *testing.T, w *world) {
	list := make([]Failure, 2*expireSize+10)
	for i := range list {
		list[i] = fail(i)
	}
	w.add(t, list...)
	w.clock = at(40 * daySecond)
	w.received(t)
	enough := errors.New("enough")
	steps := 0
	err := w.Expire(t.Context(), month(), func(context.Context, time.Duration) error {
		if steps++; steps == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of the pause", err)
	}
	equal(t, "failures after two steps", w.rowCount(t, `select count(*) from failure`), 10)
	w.expire(t, month())
	equal(t, "failures", w.rowCount(t, `select count(*) from failure`), 0)
	equal(t, "count", w.incidents(t, IncidentFilter{})[0].Count, int64(len(list)))
}

func testExpireBeforeFold(t *testing.T, w *world) {
	w.add(t, fail(0))
	w.fold(t)
	w.add(t, fail(441*daySecond))
	f, _, err := w.folder.prepare(t.Context(), w.readers)
	if err != nil {
		t.Fatal(err)
	}
	w.clock = at(440 * daySecond)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `delete from failure where id < $1`, int64(idAt(toMillis(at(1)))))
	})
	w.expire(t, month())
	if err := w.Write(t.Context(), f.save); !errors.Is(err, errFolded) {
		t.Errorf("got %v, want errFolded", err)
	}
	w.fold(t)
	equal(t, "failures", fmt.Sprint(w.trendOf(t, 441*daySecond, 441*daySecond+60, time.Minute).Failures), "[1]")
}

// TestSQLite_Size keeps a database below a size by removing its oldest failures.
func TestSQLite_Size(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	list := make([]Failure, 5*expireSize)
	for i := range list {
		list[i] = fail(i, summary(incompressible(2000)))
	}
	w.add(t, list...)
	var used int64
	if err := w.readers.QueryRow(w.writes.dialect.used).Scan(&used); err != nil {
		t.Fatal(err)
	}
	bound := used / 2
	w.expire(t, Retention{Bytes: bound})
	if err := w.readers.QueryRow(w.writes.dialect.used).Scan(&used); err != nil {
		t.Fatal(err)
	}
	left := w.everyFailure(t)
	if used > bound || len(left) < expireSize || len(left) >= len(list) {
		t.Errorf("%d bytes and %d failures are left of %d, bound %d", used, len(left), len(list), bound)
	}
	equal(t, "newest", left[0].ID, list[len(list)-1].ID)
}

func failureIDs(list []Failure) (out []string) {
	for _, f := range list {
		out = append(out, f.ID)
	}
	return out
}
