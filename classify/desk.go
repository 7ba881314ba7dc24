package classify

import (
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
	candidates    []candidate
	params        []param
	names         []factName
	text          texts
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
	d.findings, d.checks, d.params = reusable(x.findings), reusable(x.checks), reusable(x.form.params)
	d.edited, d.candidates, d.names = reusable(d.edited), reusable(d.candidates), reusable(d.names)
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

// A factName is a name that was put together, since several checks ask for the same facts.
type factName struct{ first, second, whole string }

func (d *desk) factName(first, second string) string {
	for i := range d.names {
		if n := &d.names[i]; n.second == second && n.first == first {
			return n.whole
		}
	}
	whole := d.text.join([]string{first, " ", second})
	d.names = append(d.names, factName{first, second, whole})
	return whole
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
	if t.current == nil || t.current.Cap()-t.current.Len() < size {
		t.current = &strings.Builder{}
		t.current.Grow(textSize)
	}
	start := t.current.Len()
	for _, part := range parts {
		t.current.WriteString(part)
	}
	return t.current.String()[start:]
}
