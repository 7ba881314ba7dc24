package store

import "context"

// Under load there is a new run of facts each few seconds. As many as are of one tier become one of the next: however
// many facts there are, there are few runs.

const runTier = 1 << 40 // numbers of a tier: runs that are written are of the first

func runMerger() merger {
	return merger{
		what:    "runs of facts",
		numbers: runNumbers + ` select run from part where run is not null`,
		rows:    `select digest from fact_run where run = $1 and digest >= $2 order by digest limit 1 offset $3`,
		choose:  runsOfTier,
		move:    moveFacts,
	}
}

// runsOfTier are the oldest runs of the first tier that has enough of them.
func runsOfTier(runs []int64) []int64 {
	first := 0
	for i, run := range runs {
		if run/runTier != runs[first]/runTier {
			first = i
		}
		if i+1-first == mergedLists {
			return runs[first : i+1]
		}
	}
	return nil
}

// moveFacts moves facts to a run behind the others, so that a filter which is filled in the order of runs meets each.
func moveFacts(ctx context.Context, t *Tx, runs []int64, into *int64, from, to []byte) error {
	var moved []Observation
	for _, run := range runs {
		rows, err := t.query(ctx, `delete from fact_run where run = $1 and digest >= $2 and digest < $3 returning facts`, run, from, to)
		if err != nil {
			return err
		}
		lists, err := collect(rows, scanRun)
		if err != nil {
			return err
		}
		var beyond []Observation
		for _, list := range lists {
			n := factList(list).from(to)
			moved, beyond = append(moved, list[:n]...), append(beyond, list[n:]...)
		}
		if err := t.writeRunRows(ctx, run, beyond); err != nil {
			return err
		}
	}
	if *into == 0 && len(moved) > 0 {
		run, err := t.newRun(ctx, runs[0]/runTier+1)
		if err != nil {
			return err
		}
		*into = run
	}
	return t.writeRunRows(ctx, *into, inOrder(moved))
}
