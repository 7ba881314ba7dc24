package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A short run of what make crash does.
func TestCrash(t *testing.T) {
	o := options{kills: 10, seed: 3, within: 300 * time.Millisecond, root: filepath.Join("..", "..")}
	r, err := o.crash(t.Context(), t.TempDir(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	if r.batches < 10*len(wires()) {
		t.Errorf("the kills met no work: %v", r)
	}
	t.Log(r)
}

// The checker finds each kind of loss, or a run without one would prove nothing.
func TestLedger_Check(t *testing.T) {
	l := &ledger{rounds: map[int][]*batch{}}
	w := wires()[0]
	a, b := l.next(1, w), l.next(1, w)
	l.acknowledge(a)
	all := func(of ...*batch) (s stored) {
		for _, b := range of {
			s.failures = append(s.failures, b.failures...)
			s.successes += int64(b.successes)
		}
		s.counted = int64(len(s.failures))
		return s
	}
	without := func(s stored, n int) stored {
		s.failures = s.failures[n:]
		s.counted = int64(len(s.failures))
		return s
	}
	with := func(s stored, id string) stored {
		s.failures = append(s.failures, id)
		s.counted++
		return s
	}
	miscounted, unaccepted := all(a), all(a)
	miscounted.counted++
	unaccepted.successes = 0
	for name, tt := range map[string]struct {
		found stored
		say   string
	}{
		"what was acknowledged":    {all(a), ""},
		"and what was not":         {all(a, b), ""},
		"a loss":                   {all(b), "was acknowledged and 0 of its"},
		"a loss of one":            {without(all(a), 1), "was acknowledged and 17 of its 18"},
		"half a batch":             {without(all(b, a), 3), "in part: 15 of 18"},
		"twice":                    {with(all(a), a.failures[0]), "there 2 times"},
		"never sent":               {with(all(a), "r1-b9-9"), "r1-b9-9 was never sent"},
		"an incident's count":      {miscounted, "incidents count 19"},
		"successes that are gone":  {unaccepted, "0 successes are counted"},
		"nothing of a later round": {all(a), ""},
	} {
		err := l.check(1, tt.found)
		if (err == nil) != (tt.say == "") || err != nil && !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRun_Usage(t *testing.T) {
	var out, stderr bytes.Buffer
	if status := run([]string{"-nonsense"}, &out, &stderr); status != 2 || !strings.Contains(stderr.String(), "-kills") {
		t.Errorf("%d %s", status, stderr.String())
	}
}

// A flood is taken or refused, and not suffered; how much of it is refused, how soon all is as quick as before, and its other figures
// are for the command to say, on a machine that does nothing else: a quick one takes all that this test can send.
func TestFlood(t *testing.T) {
	o := options{flood: 2 * time.Second, settle: 5 * time.Minute, slower: 1000, root: filepath.Join("..", "..")}
	f, err := o.flooding(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if f.taken == 0 || f.held != 0 || f.quiet == 0 || f.memory > 512<<20 {
		t.Errorf("%+v", f)
	}
	t.Log(f)
}
