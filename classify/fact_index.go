package classify

import (
	"encoding/binary"
	"unicode/utf8"
)

// A FactIndex numbers keys of facts, each once, in the order in which they come. The exchanges of a batch name the same few facts again
// and again: one that was named before costs a look-up by its text and no memory. The zero value is empty and ready for use.
type FactIndex struct {
	keys []Key
	at   map[string]int32 // by text
	text []byte           // of the key that is looked up
}

// Keys lists the keys by their numbers. The list is the index's own and good until Reset.
func (x *FactIndex) Keys() []Key { return x.keys }

// Number is that of a key, which gets the next one if it has none.
func (x *FactIndex) Number(k *Key) int32 {
	x.begin(k.Kind, k.Provider, k.Environment)
	x.text = append(x.text, k.Name...)
	return x.number(k.Kind, k.Provider, k.Environment, len(k.Name))
}

// AppendKeys appends the numbers of e.Keys, in their order.
func (x *FactIndex) AppendKeys(numbers []int32, e *Exchange) []int32 {
	var room mentionRoom
	l := e.askedMentions(room.empty())
	valid := utf8.Valid(l.text)
	for i := range l.list {
		m := &l.list[i]
		environment := e.Environment
		if m.anywhere {
			environment = anyName
		}
		x.begin(m.kind, e.Provider, environment)
		from := len(x.text)
		switch {
		case m.to == 0:
			x.text = append(x.text, m.name...)
		case valid && m.to-m.from <= maxName:
			x.text = append(x.text, l.text[m.from:m.to]...)
		default:
			x.text = append(x.text, boundedName(string(l.text[m.from:m.to]))...)
		}
		numbers = append(numbers, x.number(m.kind, e.Provider, environment, len(x.text)-from))
	}
	return numbers
}

// begin writes the text of a key up to its name. The lengths keep apart what would read the same.
func (x *FactIndex) begin(kind FactKind, provider, environment string) {
	text := append(x.text[:0], kind...)
	text = binary.AppendUvarint(append(text, 0), uint64(len(provider)))
	text = binary.AppendUvarint(append(text, provider...), uint64(len(environment)))
	x.text = append(text, environment...)
}

// number looks up the key of the text, which ends in a name of so many bytes.
func (x *FactIndex) number(kind FactKind, provider, environment string, name int) int32 {
	if n, known := x.at[string(x.text)]; known {
		return n
	}
	if x.at == nil {
		x.at = map[string]int32{}
	}
	n, text := int32(len(x.keys)), string(x.text)
	x.at[text] = n
	x.keys = append(x.keys, Key{Kind: kind, Provider: provider, Environment: environment, Name: text[len(text)-name:]})
	return n
}

// Reset forgets all keys and keeps the memory for others.
func (x *FactIndex) Reset() {
	clear(x.at)
	clear(x.keys)
	x.keys = x.keys[:0]
}
