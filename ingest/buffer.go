package ingest

import "sync"

// buffers keep the memory of large bodies for the next request: new memory has to be cleared, and makes the collector run more often
// than all that is read from it. A request borrows them through its share and gives them back when all of it is read; nothing that
// is committed, answered or kept may point into one.
type buffers struct {
	pools [maxBuffer / bufferStep]sync.Pool // of *[]byte, by capacity
	wipe  func([]byte)                      // makes it show who still reads a buffer that was given back; nil: nobody looks
}

const (
	bufferStep = 256 << 10 // by which capacities differ
	maxBuffer  = 4 << 20   // larger ones are rare, and too much to lie about
)

// bufferSize is the capacity of the buffer that is lent for n bytes.
func bufferSize(n int) int {
	if n <= firstRead+1 || n > maxBuffer {
		return n
	}
	return (n + bufferStep - 1) / bufferStep * bufferStep
}

// isKept is true for the capacities that bufferSize rounds to.
func isKept(size int) bool { return size >= bufferStep && size <= maxBuffer && size%bufferStep == 0 }

func (b *buffers) take(n int) []byte {
	size := bufferSize(n)
	if isKept(size) {
		if kept, ok := b.pools[size/bufferStep-1].Get().(*[]byte); ok {
			return (*kept)[:0]
		}
	}
	return make([]byte, 0, size)
}

func (b *buffers) put(buf []byte) {
	buf = buf[:cap(buf)]
	if b.wipe != nil {
		b.wipe(buf)
	}
	if isKept(len(buf)) {
		b.pools[len(buf)/bufferStep-1].Put(&buf)
	}
}

// buffer lends an empty buffer with room for n bytes until all are given back. Its capacity is held by the caller, see hold.
func (s *share) buffer(n int) []byte {
	if s.quota == nil {
		return make([]byte, 0, n)
	}
	buf := s.quota.buffers.take(n)
	s.lent = append(s.lent, buf)
	return buf
}

// giveAllBack ends the loan of all buffers. Nil has lent none.
func (s *share) giveAllBack() {
	if s == nil {
		return
	}
	for _, buf := range s.lent {
		s.quota.buffers.put(buf)
	}
	s.lent = nil
}

// giveBack ends the loan of a buffer early.
func (s *share) giveBack(buf []byte) {
	for i, lent := range s.lent {
		if cap(buf) > 0 && cap(lent) == cap(buf) && &lent[:1][0] == &buf[:1][0] {
			s.lent = append(s.lent[:i], s.lent[i+1:]...)
			s.quota.buffers.put(buf)
			return
		}
	}
}
