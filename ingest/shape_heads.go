package ingest

import "strings"

// A head is the first part of a dotted path. A record of ten members has few of the hundreds of paths that formats name, and
// none of those with another head: so one look at each member spares looking for nearly all paths.
type heads struct {
	numbers map[string]int
	formats []headed // access logs
	general headed
}

// headSet is a set of heads by their numbers.
type headSet [4]uint64

func (s *headSet) add(n int)      { s[n/64] |= 1 << (n % 64) }
func (s *headSet) has(n int) bool { return s[n/64]&(1<<(n%64)) != 0 }

// holds is true for a set that has all that another one has.
func (s *headSet) holds(other *headSet) bool {
	for n := range s {
		if other[n]&^s[n] != 0 {
			return false
		}
	}
	return true
}

// A headed format knows the heads of its paths.
type headed struct {
	format
	needs headSet // the heads of its marks
	heads []int   // the head of each naming; anyHead where it is not one head that members have
}

const anyHead = -1

func newHeads(formats []format, general format) *heads {
	h := &heads{numbers: map[string]int{}}
	for _, f := range formats {
		h.formats = append(h.formats, h.headed(f))
	}
	h.general = h.headed(general)
	return h
}

func (h *heads) headed(f format) headed {
	out := headed{format: f}
	for _, path := range f.marks {
		out.needs.add(h.number(path))
	}
	for _, n := range f.names {
		if n.as == asHeadersBelow && !strings.HasSuffix(n.path, ".") { // names that begin so
			out.heads = append(out.heads, anyHead)
			continue
		}
		out.heads = append(out.heads, h.number(n.path))
	}
	return out
}

func (h *heads) number(path string) int {
	head, _, _ := strings.Cut(path, ".")
	n, ok := h.numbers[head]
	if !ok {
		n = len(h.numbers)
		h.numbers[head] = n
	}
	return n
}

// of are the heads that members have, among those that formats name.
func (h *heads) of(members map[string]any) (s headSet) {
	for name := range members {
		head, _, _ := strings.Cut(name, ".")
		if n, ok := h.numbers[head]; ok {
			s.add(n)
		}
	}
	return s
}
