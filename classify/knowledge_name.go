package classify

import "strings"

// SaidBy reports whether a text is documented of a provider, by its id or its title: entra says what Microsoft Entra ID does, github-app
// what GitHub Apps do.
func (t Text) SaidBy(provider, title string) bool {
	system := nameOf(t.System)
	return holdsName(system, nameOf(provider)) || holdsName(system, nameOf(title))
}

// nameOf is the words of a system's or provider's name, whatever their case and number. What stands in parentheses is a remark.
func nameOf(name string) []uint64 {
	var room [16]uint64
	return append([]uint64(nil), appendName(room[:0], name)...)
}

func appendName(words []uint64, name string) []uint64 {
	if remark := strings.IndexByte(name, '('); remark > 0 {
		name = name[:remark]
	}
	for name != "" && len(words) < cap(words) {
		end := 0
		for end < len(name) && wordByte(name[end]) {
			end++
		}
		if word := name[:end]; word != "" {
			words = appendWords(words, singular(word))
		}
		name = name[min(end+1, len(name)):]
	}
	return words
}

func singular(word string) string {
	if len(word) > 3 {
		return strings.TrimSuffix(word, "s")
	}
	return word
}

// holdsName reports whether the words of a name stand one behind the other in those of a system.
func holdsName(system, name []uint64) bool {
	for at := range system {
		if len(name) > 0 && partAt(system, at, name) {
			return true
		}
	}
	return false
}
