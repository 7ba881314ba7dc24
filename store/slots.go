package store

import (
	"encoding/binary"
	"errors"
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

// add writes a slot behind others: its number and its count. A step without a slot counts 0.
func (s slot) add(b []byte) []byte {
	if s.n == 0 {
		return b
	}
	return binary.AppendVarint(binary.AppendUvarint(b, uint64(s.number)), s.n)
}

// slots are counts of a row in rising order.
type slots []slot

// addTo returns the counts of a row, as they are written, with s added.
func (s slots) addTo(counts []byte) ([]byte, error) {
	sum := make([]byte, 0, len(counts)+3*len(s))
	err := eachSlot(counts, func(number int, n int64) {
		for ; len(s) > 0 && s[0].number < number; s = s[1:] {
			sum = s[0].add(sum)
		}
		if len(s) > 0 && s[0].number == number {
			n += s[0].n
			s = s[1:]
		}
		sum = slot{number, n}.add(sum)
	})
	for _, one := range s {
		sum = one.add(sum)
	}
	return sum, err
}

var errDamagedCounts = errors.New("counts cannot be read: the database is damaged")

// eachSlot reads the counts of a row.
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
