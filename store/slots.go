package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// Units of rollups, in milliseconds.
const (
	minuteStep = int64(time.Minute / time.Millisecond)
	hourStep   = 60 * minuteStep
	dayStep    = 24 * hourStep
)

// A level is one of the precisions in which counts are kept. Counts of many steps share a row, so that a chart reads few
// rows and a batch changes few.
type level struct {
	step int64 // what one count covers
	span int64 // what one row covers
}

// levels are finest first. The step of each divides the next.
func levels() []level {
	return []level{{minuteStep, hourStep}, {hourStep, dayStep}, {dayStep, 32 * dayStep}}
}

// floorTo is the start of the step that holds ms.
func floorTo(ms, step int64) int64 {
	rest := ms % step
	if rest < 0 {
		rest += step
	}
	return ms - rest
}

// A slot is the count of one step of a row.
type slot struct {
	number int // of the step within the row
	n      int64
}

// slots are the counts of a row in rising order; a step without a slot counts 0.
type slots []slot

func (s slots) add(number int, n int64) slots {
	i, found := slices.BinarySearchFunc(s, number, func(a slot, number int) int { return a.number - number })
	if !found {
		return slices.Insert(s, i, slot{number, n})
	}
	if s[i].n += n; s[i].n == 0 {
		return slices.Delete(s, i, i+1)
	}
	return s
}

// encode writes pairs of a slot's number and its count.
func (s slots) encode() []byte {
	b := make([]byte, 0, 2*len(s)+8)
	for _, one := range s {
		b = binary.AppendUvarint(b, uint64(one.number))
		b = binary.AppendVarint(b, one.n)
	}
	return b
}

var errDamagedCounts = errors.New("counts cannot be read: the database is damaged")

// eachSlot reads what encode wrote.
func eachSlot(b []byte, do func(number int, n int64)) error {
	for len(b) > 0 {
		number, read := binary.Uvarint(b)
		if read <= 0 {
			return errDamagedCounts
		}
		n, more := binary.Varint(b[read:])
		if more <= 0 {
			return errDamagedCounts
		}
		do(int(number), n)
		b = b[read+more:]
	}
	return nil
}
