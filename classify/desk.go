package classify

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// A desk is what one examination after the other works on, so that judging leaves behind nothing but its verdict. Whoever takes it has it
// alone.
type desk struct {
	first, second examination // of the record, and of the edited one
	findings      []finding
	edited        []finding
	checks        []noted
	minutes       minutes
	others        [64][]Alternative // that verdicts named
	sets          [64]struct {
		of    demandSet
		names []string
	}
	candidates []candidate
	asked      FactKinds // by the examinations
	params     []param
	text       texts
	noted      lists[*Check]
	evidence   lists[Evidence]
}

// Desks keeps the desks of a Classifier. A nil one makes a new desk each time.
type desks struct{ pool sync.Pool }

func (d *desks) take() *desk {
	if d != nil {
		if taken, ok := d.pool.Get().(*desk); ok {
			return taken
		}
	}
	return &desk{findings: make([]finding, 0, 4)}
}

// release leaves the desk to the next examination. What lies on it is overwritten then, or goes with it.
func (x *examination) release() {
	d, to := x.desk, x.desks
	if to == nil {
		return
	}
	d.findings, d.checks = reusable(x.findings), reusable(x.checks)
	if x.form.params != nil && !x.form.shared {
		d.params = reusable(x.form.params)
	}
	d.edited, d.candidates = reusable(d.edited), reusable(d.candidates)
	to.pool.Put(d)
}

// reusable is the room of a list. A hostile record must not make it large for ever.
func reusable[T any](list []T) []T {
	const most = 64 // elements
	if cap(list) > most {
		return nil
	}
	return list[:0]
}

// Texts are small strings cut from large ones. A string stays as it is while more is added behind it; the next verdict begins where the
// last one ended.
type texts struct{ current *strings.Builder }

// textSize is the size of the large ones in bytes, which some five verdicts share.
const textSize = 2 << 10

func (t *texts) join(parts []string) string {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if size > textSize/4 {
		return strings.Join(parts, "")
	}
	start := t.room(size)
	for _, part := range parts {
		t.current.WriteString(part)
	}
	return t.current.String()[start:]
}

// keep is a copy of a text.
func (t *texts) keep(text []byte) string {
	if len(text) > textSize/4 {
		return string(text)
	}
	start := t.room(len(text))
	t.current.Write(text)
	return t.current.String()[start:]
}

// room makes sure that so many bytes fit behind what is there, and says where they begin.
func (t *texts) room(size int) (start int) {
	if t.current == nil || t.current.Cap()-t.current.Len() < size {
		t.current = &strings.Builder{}
		t.current.Grow(textSize)
	}
	return t.current.Len()
}

// Lists are small ones cut from a large one, which some eight verdicts share.
type lists[T any] struct{ rest []T }

// cut is a list of n zeros, which is not nil, from a large one of that size.
func (l *lists[T]) cut(n, size int) []T {
	if l.rest == nil || n > len(l.rest) {
		l.rest = make([]T, max(n, size))
	}
	list := l.rest[:n:n]
	l.rest = l.rest[n:]
	return list
}

// alternatives is a list with those elements that verdicts share, since there are not many different ones. Nobody changes it.
func (d *desk) alternatives(list []Alternative) []Alternative {
	place := uint(len(list))
	for i := range list {
		place = place*31 + uint(len(list[i].Cause))
	}
	kept := &d.others[place%uint(len(d.others))]
	if *kept == nil || !slices.Equal(*kept, list) {
		*kept = slices.Clip(append(make([]Alternative, 0, len(list)), list...))
	}
	return *kept
}

// names lists a set of demands in the order of display, nil for none. Verdicts share it, since there are not many different ones.
func (d *desk) names(of demandSet) []string {
	if of == 0 {
		return nil
	}
	kept := &d.sets[of*0x9e3779b1>>26]
	if kept.of == of {
		return kept.names
	}
	kept.of, kept.names = of, make([]string, 0, bits.OnesCount32(uint32(of)))
	for check := range demands {
		if of&(1<<check) != 0 {
			kept.names = append(kept.names, check.name())
		}
	}
	return kept.names
}
