package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func successContract() []contractTest {
	return []contractTest{
		{"the nearest successes are found, by the minute, in any order of arrival", testSuccessesNearest},
	}
}

// testSuccessesNearest compares with a list of all times, of which in each minute only the first and the last are known.
func testSuccessesNearest(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(3, 3))
	var times []int64
	for range 60 {
		one := accept(random.IntN(5 * 3600))
		if random.IntN(3) > 0 {
			one = accept(3 * 3600 / 2 / (1 + random.IntN(90)) * 2)
		}
		one.Last = one.First
		w.traffic(t, one)
		times = append(times, toMillis(one.First))
	}
	slices.Sort(times)
	first, last := map[int64]int64{}, map[int64]int64{}
	for _, ms := range times {
		minute := floorTo(ms, minuteStep)
		first[minute], last[minute] = earliest(first[minute], ms), max(last[minute], ms)
	}
	k := clientKey{accept(0).Provider, accept(0).Environment, accept(0).ClientID}
	w.write(t, func(ctx context.Context, tx *Tx) error {
		for seconds := -30; seconds < 5*3600+60; seconds += 97 {
			ms := toMillis(at(seconds))
			var before, after int64
			for minute := range first {
				for _, known := range []int64{first[minute], last[minute]} {
					if known < ms {
						before = max(before, known)
					}
					if known > ms {
						after = earliest(after, known)
					}
				}
			}
			gotBefore, err := tx.successBefore(ctx, k, ms)
			if err != nil {
				return err
			}
			gotAfter, err := tx.successAfter(ctx, k, ms)
			if err != nil {
				return err
			}
			equal(t, fmt.Sprintf("before %d", seconds), gotBefore, before)
			equal(t, fmt.Sprintf("after %d", seconds), gotAfter, after)
		}
		return nil
	})
}

func TestAcceptedMinutes(t *testing.T) {
	hour := floorTo(toMillis(noon()), hourStep)
	at := func(d time.Duration) int64 { return hour + d.Milliseconds() }
	list := acceptedMinutes{}.add([]int64{at(59*time.Minute + 59999*time.Millisecond)}).
		add([]int64{at(0), at(time.Second), at(30 * time.Second), at(5 * time.Minute)}).
		add([]int64{at(2 * time.Second), at(40 * time.Second)})
	want := acceptedMinutes{{at(0), at(40 * time.Second)}, {at(5 * time.Minute), at(5 * time.Minute)}, {at(59*time.Minute + 59999*time.Millisecond), at(59*time.Minute + 59999*time.Millisecond)}}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("got %v, want %v", list, want)
	}
	if got, err := decodeMinutes(hour, list.encode()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %v, %v", got, err)
	}
	early := -3 * hourStep // before 1970 hours begin as they do after
	if got, err := decodeMinutes(early, acceptedMinutes{{early + 61_000, early + 62_000}}.encode()); err != nil || got[0].first != early+61_000 {
		t.Errorf("decoded %v, %v", got, err)
	}
}

// FuzzMinutes: damaged minutes are an error, never a panic, and times stay within their hour and the minute after it.
func FuzzMinutes(f *testing.F) {
	f.Add(acceptedMinutes{{1000, 2000}, {61_000, 61_000}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeMinutes(0, b)
		for _, m := range list {
			if err == nil && (m.first < 0 || m.last < m.first || m.last >= 257*minuteStep) {
				t.Errorf("decoded %v", m)
			}
		}
	})
}
