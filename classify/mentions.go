package classify

import (
	"slices"
	"time"
	"unicode/utf8"
)

// Mentions are the facts that an exchange speaks of, before they have their keys. Their names are written one behind the other and become
// one text: an exchange has some thirty. Like append, what adds a mention returns the list: so a room stays on its caller's stack.
type mentions struct {
	list []mention
	text []byte
}

// A mention is a fact by its kind and name.
type mention struct {
	kind     FactKind
	name     string // "" until settle for a name that is put together from parts
	from, to int    // of it in text
	anywhere bool   // whatever the environment
}

// A mentionRoom is what the mentions of nearly every exchange fit into.
type mentionRoom struct {
	list [40]mention
	text [1 << 10]byte
}

func (r *mentionRoom) empty() mentions { return mentions{list: r.list[:0], text: r.text[:0]} }

// whole adds a fact whose name is there.
func (l mentions) whole(kind FactKind, name string) mentions {
	l.list = append(l.list, mention{kind: kind, name: boundedName(name)})
	return l
}

// own adds a fact with a name of two parts with a space between them; a third one follows without.
func (l mentions) own(kind FactKind, first, second string, third ...string) mentions {
	from := len(l.text)
	l.text = append(append(append(l.text, first...), ' '), second...)
	for _, part := range third {
		l.text = append(l.text, part...)
	}
	return l.written(kind, from)
}

func (l mentions) written(kind FactKind, from int) mentions {
	l.list = append(l.list, mention{kind: kind, from: from, to: len(l.text)})
	l.text = append(l.text, '\n') // so that the text is valid only if every name is
	return l
}

// everywhere adds the last fact without regard to the environment.
func (l mentions) everywhere() mentions {
	last := l.list[len(l.list)-1]
	last.anywhere = true
	l.list = append(l.list, last)
	return l
}

func (l mentions) both(kind FactKind, first, second string) mentions {
	return l.own(kind, first, second).everywhere()
}

func (l mentions) clock(client string, at time.Time) mentions {
	from := len(l.text)
	l.text = appendClock(l.text, client, at)
	return l.written(FactClock, from)
}

func (l mentions) grant(endpoint, sort string, t *JWT) mentions {
	from := len(l.text)
	l.text = appendGrant(l.text, endpoint, sort, t)
	return l.written(FactShape, from)
}

func (l mentions) drop(kind FactKind) mentions {
	l.list = slices.DeleteFunc(l.list, func(m mention) bool { return m.kind == kind })
	return l
}

// settle gives every mention its name.
func (l *mentions) settle() {
	text := string(l.text)
	valid := utf8.ValidString(text)
	for i := range l.list {
		m := &l.list[i]
		if m.to == 0 {
			continue
		}
		if m.name = text[m.from:m.to]; !valid || len(m.name) > maxName {
			m.name = boundedName(m.name)
		}
	}
}

func (l *mentions) key(e *Exchange, i int) Key {
	m := &l.list[i]
	k := Key{Kind: m.kind, Provider: e.Provider, Environment: e.Environment, Name: m.name}
	if m.anywhere {
		return k.everywhere()
	}
	return k
}

// joinName puts the parts of a Key.Name together.
func joinName(out []byte, parts []string) []byte {
	for i, part := range parts {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, part...)
	}
	if len(out) > maxName || !utf8.Valid(out) {
		return []byte(boundedName(string(out)))
	}
	return out
}
