package ingest

import (
	"sync"

	"authwatch/classify"
)

// A batchRoom is the memory in which the records of a batch are read, and written as they are stored. It goes to the next batch when
// this one is committed: nothing that stays may point into it. The texts of the records are no part of it, since facts, figures and
// caches hold on to them. In that of the zero value each record has memory of its own.
type batchRoom struct {
	list    []decoded
	records slabs[recordRoom]
	fields  slabs[classify.Member[string]]
	claims  slabs[classify.Member[any]]
	stored  slabs[byte]
}

// slabBytes is about the size of a slab: a small batch needs one of each kind, one of 1,000 records eighty for what is stored.
const slabBytes = 16 << 10

func newBatchRoom() *batchRoom {
	return &batchRoom{
		records: slabs[recordRoom]{size: slabBytes / 512, wipe: forget[recordRoom]},
		fields:  slabs[classify.Member[string]]{size: slabBytes / 32, wipe: forget[classify.Member[string]]},
		claims:  slabs[classify.Member[any]]{size: slabBytes / 32, wipe: forget[classify.Member[any]]},
		stored:  slabs[byte]{size: slabBytes},
	}
}

func newBatchRooms() *sync.Pool { return &sync.Pool{New: func() any { return newBatchRoom() }} }

// forget makes a slab hold on to nothing any more.
func forget[T any](slab []T) { clear(slab) }

// empty ends the use of the records that were read into the room, and returns the memory of their list.
func (r *batchRoom) empty(list []decoded) []decoded {
	r.records.takeBack()
	r.fields.takeBack()
	r.claims.takeBack()
	r.stored.takeBack()
	return emptied(list)
}

// slabs lend memory in pieces and take all of them back at once.
type slabs[T any] struct {
	size int       // of one; 0: each piece has memory of its own
	wipe func([]T) // what was lent, when it is taken back; nil leaves it
	list [][]T     // those that were made
	used int       // how many of them are
	free []T       // what is left of the last that is used
}

// maxSlabs is how many are kept for the next batch.
const maxSlabs = 256

// take lends an empty piece with room for n. What is long has memory of its own, or much of a slab would be left; and nothing has
// some too, since it differs from nil.
func (s *slabs[T]) take(n int) []T {
	if n == 0 || n > s.size/4 {
		return make([]T, 0, n)
	}
	if n > len(s.free) {
		if s.used == len(s.list) {
			s.list = append(s.list, make([]T, s.size))
		}
		s.free = s.list[s.used]
		s.used++
	}
	piece := s.free[:0:n]
	s.free = s.free[n:]
	return piece
}

func (s *slabs[T]) takeBack() {
	if s.wipe != nil {
		for _, slab := range s.list[:s.used] {
			s.wipe(slab)
		}
	}
	kept := min(len(s.list), maxSlabs)
	clear(s.list[kept:])
	s.list = s.list[:kept]
	s.used, s.free = 0, nil
}
