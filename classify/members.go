package classify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// A Member is a member of an Object, or a header field.
type Member[V any] struct {
	Name  string
	Value V
}

// Headers are header fields by their lower-case names; several fields of one name are joined with ", " as RFC 9110 section 5.3 says.
// A list, in the order of the names with each once: there are few, so that it is made in one piece and read in one go, which a map is not.
type Headers []Member[string]

// An Object is a JSON object with exact member names and exact numbers (json.Number). It is a list as Headers are; of a name that
// occurs twice in a text the first counts. What is nested in it is map[string]any and []any.
type Object []Member[any]

// HeadersOf are the header fields of a map whose names are in lower case; nil of nil.
func HeadersOf(fields map[string]string) Headers { return membersOf(fields) }

// ObjectOf is the object with the members of a map; nil of nil.
func ObjectOf(members map[string]any) Object { return membersOf(members) }

// Get is the value of a field, "" for none.
func (h Headers) Get(name string) string { return valueOf(h, name) }

// Get is the value of a member, nil for none.
func (o Object) Get(name string) any { return valueOf(o, name) }

// Has is true when there is a field of that name.
func (h Headers) Has(name string) bool { return indexOf(h, name) >= 0 }

// Has is true when there is a member of that name.
func (o Object) Has(name string) bool { return indexOf(o, name) >= 0 }

// With is a copy in which the field has this value.
func (h Headers) With(name, value string) Headers { return with(h, name, value) }

// With is a copy in which the member has this value.
func (o Object) With(name string, value any) Object { return with(o, name, value) }

// Without is a copy that lacks the field.
func (h Headers) Without(name string) Headers { return without(h, name) }

// Without is a copy that lacks the member.
func (o Object) Without(name string) Object { return without(o, name) }

// Map is the object as a map, nil for nil.
func (o Object) Map() map[string]any {
	if o == nil {
		return nil
	}
	out := make(map[string]any, len(o))
	for _, m := range o {
		out[m.Name] = m.Value
	}
	return out
}

// MarshalJSON writes the fields as one JSON object.
func (h Headers) MarshalJSON() ([]byte, error) { return marshalMembers(h) }

// MarshalJSON writes the members as one JSON object, null for nil.
func (o Object) MarshalJSON() ([]byte, error) { return marshalMembers(o) }

func membersOf[V any](members map[string]V) []Member[V] {
	if members == nil {
		return nil
	}
	out := make([]Member[V], 0, len(members))
	for name, value := range members {
		out = append(out, Member[V]{name, value})
	}
	SortMembers(out)
	return out
}

// SortMembers brings members into the order of their names; those of one name stay in their order.
func SortMembers[V any](list []Member[V]) {
	if len(list) > fewMembers {
		slices.SortStableFunc(list, func(a, b Member[V]) int { return strings.Compare(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(list); i++ { // there are few, so that the simplest way is the shortest
		for j := i; j > 0 && list[j].Name < list[j-1].Name; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// fewMembers is how many are gone through one by one: nearly no token or exchange has more.
const fewMembers = 24

func indexOf[V any](list []Member[V], name string) int {
	if len(list) > fewMembers {
		if at, found := search(list, name); found {
			return at
		}
		return -1
	}
	for i := range list {
		if list[i].Name == name {
			return i
		}
	}
	return -1
}

func search[V any](list []Member[V], name string) (at int, found bool) {
	return slices.BinarySearchFunc(list, name, func(m Member[V], name string) int { return strings.Compare(m.Name, name) })
}

func valueOf[V any](list []Member[V], name string) (value V) {
	if i := indexOf(list, name); i >= 0 {
		return list[i].Value
	}
	return value
}

func with[V any](list []Member[V], name string, value V) []Member[V] {
	at, found := search(list, name)
	if !found {
		return slices.Insert(slices.Clip(list), at, Member[V]{name, value})
	}
	list = slices.Clone(list)
	list[at].Value = value
	return list
}

func without[V any](list []Member[V], name string) []Member[V] {
	return slices.DeleteFunc(slices.Clone(list), func(m Member[V]) bool { return m.Name == name })
}

// marshalMembers leaves it to the encoder that asks whether to escape what a page of HTML needs escaped.
func marshalMembers[V any](list []Member[V]) ([]byte, error) {
	if list == nil {
		return []byte("null"), nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	between := byte('{')
	for i := range list {
		out.WriteByte(between)
		if err := enc.Encode(list[i].Name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := enc.Encode(list[i].Value); err != nil {
			return nil, err
		}
		between = ','
	}
	if len(list) == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
