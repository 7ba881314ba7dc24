package ingest

import (
	"strings"
	"testing"
)

// However a record nests or flattens a path, its members show the head of the path.
func TestHeads(t *testing.T) {
	s := newShapes()
	known := append([]headed{s.general}, s.formats...)
	for _, f := range known {
		for i, n := range f.names {
			path := n.path
			if n.as == asHeadersBelow {
				path += "accept"
			}
			for _, members := range spellings(path) {
				there := s.heads.of(members)
				if v := at(members, path); v != "here" {
					t.Fatalf("%s: %v is %v", path, members, v)
				}
				if head := f.heads[i]; head != anyHead && !there.has(head) {
					t.Errorf("%s: the head of %s is not seen in %v", f.name, n.path, members)
				}
			}
		}
		var needed headSet
		for _, mark := range f.marks {
			for _, members := range spellings(mark) {
				if there := s.heads.of(members); there.holds(&f.needs) && len(f.marks) > 1 {
					needed = f.needs
				}
			}
		}
		if needed != (headSet{}) && !oneHead(f.marks) {
			t.Errorf("%s: one of its marks alone shows the heads of all", f.name)
		}
	}
}

func oneHead(paths []string) bool {
	heads := map[string]bool{}
	for _, p := range paths {
		head, _, _ := strings.Cut(p, ".")
		heads[head] = true
	}
	return len(heads) == 1
}

// spellings are records that have a value at a path: nested, flat, and each mixture.
func spellings(path string) (list []map[string]any) {
	list = append(list, map[string]any{path: "here"})
	for i := range len(path) {
		if path[i] == '.' {
			for _, inner := range spellings(path[i+1:]) {
				list = append(list, map[string]any{path[:i]: inner})
			}
		}
	}
	return list
}
