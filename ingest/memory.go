package ingest

import (
	"hash/maphash"
	"sync/atomic"
)

// A memory holds what was made of texts that come in every record, by their digests, so that it is made once and not a million
// times. Only what came before is kept, so that ids, which come once, push nothing out. Safe for concurrent use.
type memory[T any] struct {
	seed maphash.Seed
	came [8192]atomic.Uint32 // digests of texts that came once
	kept [2048]atomic.Pointer[T]
}

// maxRemembered bounds the memory: no longer text is kept.
const maxRemembered = 1 << 10

func newMemory[T any]() *memory[T] { return &memory[T]{seed: maphash.MakeSeed()} }

func (m *memory[T]) at(digest uint64) *T { return m.kept[digest%uint64(len(m.kept))].Load() }

// again is true for a text that is not met for the first time.
func (m *memory[T]) again(digest uint64) bool {
	came, print := &m.came[digest>>16%uint64(len(m.came))], uint32(digest>>32)|1
	if came.Load() == print {
		return true
	}
	came.Store(print)
	return false
}

func (m *memory[T]) keep(digest uint64, v *T) { m.kept[digest%uint64(len(m.kept))].Store(v) }
