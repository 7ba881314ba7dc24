package store

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync"
	"time"
)

// A rowID is the key of a row that people see: 42 bits of milliseconds since 1970 and 21 bits that tell apart what has the
// same. So a table lies in the order of time, and reading it newest first needs no index.
type rowID int64

const (
	idTailBits = 21
	idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz" // in the order of its bytes, so that text sorts as the number does
	idDigits   = 13
)

// idAt is the first id of a millisecond. Times that an id cannot hold become the nearest that it can.
func idAt(ms int64) rowID { return rowID(min(max(ms, 0), 1<<42-1) << idTailBits) }

// millis is the time that the id was made for.
func (id rowID) millis() int64 { return int64(id) >> idTailBits }

// text is the id as people see it.
func (id rowID) text(prefix string) string {
	b := make([]byte, idDigits)
	for i, v := idDigits-1, uint64(id); i >= 0; i, v = i-1, v>>5 {
		b[i] = idAlphabet[v&31]
	}
	return prefix + string(b)
}

// parseID reads text; 0, the id of no row, when it is none.
func parseID(prefix, text string) rowID {
	digits, ok := strings.CutPrefix(text, prefix)
	if !ok || len(digits) != idDigits {
		return 0
	}
	var v uint64
	for i := range len(digits) {
		n := strings.IndexByte(idAlphabet, digits[i])
		if n < 0 {
			return 0
		}
		v = v<<5 | uint64(n)
	}
	if v >= 1<<63 {
		return 0
	}
	return rowID(v)
}

// ids makes the ids of what is made now: they grow, and none is given twice.
type ids struct {
	mu   sync.Mutex
	last rowID
}

func (s *ids) next(now time.Time) rowID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last+1, idAt(toMillis(now))+randomTail()>>1)
	return s.last
}

// tails are what tells the ids of one millisecond of events apart: they grow with each, so that equal times keep the order
// in which they came.
type tails struct{ last rowID }

func (t *tails) next() rowID {
	if t.last == 0 {
		t.last = randomTail()
	}
	t.last = (t.last + 1) & (1<<idTailBits - 1)
	return t.last
}

// randomTail is what tells the ids of one millisecond apart.
func randomTail() rowID {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return rowID(binary.BigEndian.Uint32(b[:]) >> (32 - idTailBits))
}

// incidentKey is the key of the incident that people know by this id; 0, nobody's, when it is none.
func incidentKey(id string) int64 { return int64(parseID("inc_", id)) }
