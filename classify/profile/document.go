package profile

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"authwatch/classify"
)

const maxProblems = 20

// A document is one YAML file before it becomes a profile. It keeps the nodes, because errors name lines.
type document struct {
	name     string
	root     *yaml.Node
	problems []error
}

func readDocument(name string, data []byte) (*document, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var node yaml.Node
	if err := dec.Decode(&node); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: empty", name)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	doc := &document{name: name, root: node.Content[0]}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		doc.problem(doc.root.Line, "more than one YAML document: write one profile per file")
	}
	doc.refuseAliases(doc.root)
	return doc, errors.Join(doc.problems...)
}

// decode fills p after it has compared the nodes with p's fields: the YAML package would report neither what is allowed
// nor, for texts such as durations, the line.
func (d *document) decode(p *classify.Profile) error {
	d.checkShape(d.root, reflect.TypeOf(p).Elem(), "the profile")
	if len(d.problems) == 0 {
		if err := d.root.Decode(p); err != nil {
			d.problems = append(d.problems, fmt.Errorf("%s: %w", d.name, err))
		}
	}
	return errors.Join(d.problems...)
}

// problem notes a mistake. After maxProblems the rest is left out: who sees so many has given the wrong file.
func (d *document) problem(line int, format string, args ...any) {
	if len(d.problems) >= maxProblems {
		return
	}
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s", d.name, line, fmt.Sprintf(format, args...)))
}

func (d *document) refuseAliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.problem(n.Line, "anchors and aliases are not allowed: write the value out")
		return
	}
	for _, child := range n.Content {
		d.refuseAliases(child)
	}
}

// obsoleteUnmarshaler is how classify.Audience reads itself without importing a YAML package.
type obsoleteUnmarshaler interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

// checkShape reports what in n does not fit t; what names n in messages.
func (d *document) checkShape(n *yaml.Node, t reflect.Type, what string) {
	if n.Tag == "!!null" {
		return // an empty value is as good as none
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := reflect.New(t).Interface().(type) {
	case obsoleteUnmarshaler:
		if err := v.UnmarshalYAML(n.Decode); err != nil {
			d.problem(n.Line, "%s: %v", what, err)
		}
		return
	case encoding.TextUnmarshaler:
		if n.Kind != yaml.ScalarNode {
			d.problem(n.Line, "%s must be a single value", what)
		} else if err := v.UnmarshalText([]byte(n.Value)); err != nil {
			d.problem(n.Line, "%s: %v", what, err)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		d.checkFields(n, t, what)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.problem(n.Line, "%s must be a list", what)
			return
		}
		for i, item := range n.Content {
			d.checkShape(item, t.Elem(), fmt.Sprintf("%s[%d]", what, i))
		}
	case reflect.Bool:
		if n.Tag != "!!bool" {
			d.problem(n.Line, "%s must be true or false", what)
		}
	case reflect.Int:
		if n.Tag != "!!int" {
			d.problem(n.Line, "%s must be a whole number", what)
		}
	default:
		if n.Kind != yaml.ScalarNode {
			d.problem(n.Line, "%s must be a text", what)
		}
	}
}

func (d *document) checkFields(n *yaml.Node, t reflect.Type, what string) {
	if n.Kind != yaml.MappingNode {
		d.problem(n.Line, "%s must be a mapping", what)
		return
	}
	fields := map[string]reflect.Type{}
	var allowed []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		fields[name] = t.Field(i).Type
		allowed = append(allowed, name)
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		fieldType, known := fields[key.Value]
		switch {
		case !known:
			d.problem(key.Line, "unknown field %.100q in %s; allowed: %s", key.Value, what, strings.Join(allowed, ", "))
		case slices.Contains(seen, key.Value):
			d.problem(key.Line, "%s occurs twice in %s", key.Value, what)
		default:
			seen = append(seen, key.Value)
			d.checkShape(value, fieldType, key.Value)
		}
	}
}

// line returns the line of the value at path (field names and list indexes), or of its nearest parent that was written.
func (d *document) line(path ...any) int {
	n := d.root
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	return n.Line
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch s := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && s < len(n.Content) {
			return n.Content[s]
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s {
				return n.Content[i+1]
			}
		}
	}
	return nil
}
