package classify

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// Bounds of what is remembered of forms and endpoints: together a MB at worst.
const (
	maxForms     = 512
	maxKeptForm  = 1 << 10 // bytes
	maxEndpoints = 512
)

// Forms remembers what token requests say, since a client whose assertions were taken out sends the same form each time. It changes nothing
// but the time that reading takes, as hearings do, and is bounded and shared like them; a nil one remembers nothing.
type forms struct {
	seed maphash.Seed
	met  [maxForms]atomic.Uint64 // hashes of forms that came once
	kept [maxForms]atomic.Pointer[keptForm]
}

type keptForm struct {
	body Body
	form form
}

func newForms() *forms { return &forms{seed: maphash.MakeSeed()} }

// read is the form of a body; nobody changes it. Its parameters are in room if it is not remembered.
func (m *forms) read(body Body, room []param) (f form) {
	if m == nil || len(body) == 0 || len(body) > maxKeptForm {
		f.params = room
		f.read(body)
		return f
	}
	hash := maphash.Bytes(m.seed, body)
	place := &m.kept[hash%maxForms]
	if known := place.Load(); known != nil && string(known.body) == string(body) {
		return known.form
	}
	if m.met[hash%maxForms].Swap(hash) != hash {
		f.params = room
		f.read(body)
		return f
	}
	kept := &keptForm{body: slices.Clone(body)}
	kept.form.read(kept.body)
	kept.form.shared = true
	place.Store(kept)
	return kept.form
}

// Endpoints remembers the names of endpoints, of which there are few. A nil one remembers nothing.
type endpoints struct {
	seed maphash.Seed
	kept [maxEndpoints]atomic.Pointer[string]
}

func newEndpoints() *endpoints { return &endpoints{seed: maphash.MakeSeed()} }

// name is the name in valid UTF-8.
func (m *endpoints) name(text []byte) string {
	if m == nil {
		return validText(string(text))
	}
	place := &m.kept[maphash.Bytes(m.seed, text)%maxEndpoints]
	if known := place.Load(); known != nil && *known == string(text) {
		return *known
	}
	name := validText(string(text))
	place.Store(&name)
	return name
}
