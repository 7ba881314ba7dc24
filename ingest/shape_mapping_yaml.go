package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ReadMappings reads a mapping file:
//
//	mappings:
//	  - name: billing
//	    source: billing-*            # name of the ingest key; optional
//	    match: {logger: access.*}    # path: text; optional
//	    fields:                      # native field: path, list of paths, {path, unit} or {value}
//	      time: {path: when, unit: milliseconds}
//	      response.status: [resp.code, code]
//	      provider: {value: polymarket}
//
// Every mistake is reported with its line.
func ReadMappings(name string, data []byte) ([]Mapping, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: empty", name)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &mappingFile{name: name}
	f.refuseAliases(&root)
	if len(f.problems) > 0 {
		return nil, errors.Join(f.problems...)
	}
	var out []Mapping
	f.members(root.Content[0], "the file", map[string]func(*yaml.Node){
		"mappings": func(n *yaml.Node) {
			for _, item := range f.items(n, "mappings") {
				out = append(out, f.mapping(item, len(out)))
			}
		},
	})
	if len(f.problems) == 0 && len(out) == 0 {
		f.problem(root.Content[0], "mappings: at least one is expected")
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.problem(&root, "more than one YAML document")
	}
	return out, errors.Join(f.problems...)
}

// A mappingFile collects what is wrong with a file.
type mappingFile struct {
	name     string
	problems []error
}

const maxMappingProblems = 20

func (f *mappingFile) problem(n *yaml.Node, format string, args ...any) {
	if len(f.problems) < maxMappingProblems {
		f.problems = append(f.problems, fmt.Errorf("%s:%d: %s", f.name, n.Line, fmt.Sprintf(format, args...)))
	}
}

func (f *mappingFile) refuseAliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		f.problem(n, "anchors and aliases are not allowed: write the value out")
		return
	}
	for _, child := range n.Content {
		f.refuseAliases(child)
	}
}

// members hands each member of a mapping node to the reader of its name.
func (f *mappingFile) members(n *yaml.Node, what string, readers map[string]func(*yaml.Node)) {
	var allowed []string
	for _, name := range []string{"mappings", "name", "source", "match", "fields", "path", "unit", "value"} {
		if readers[name] != nil {
			allowed = append(allowed, name)
		}
	}
	f.pairs(n, what, func(key, value *yaml.Node) {
		read := readers[key.Value]
		if read == nil {
			f.problem(key, "unknown field %.100q in %s; allowed: %s", key.Value, what, strings.Join(allowed, ", "))
			return
		}
		read(value)
	})
}

// pairs goes through a mapping node and reports names that occur twice.
func (f *mappingFile) pairs(n *yaml.Node, what string, read func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		f.problem(n, "%s must be a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			f.problem(key, "%.100q occurs twice in %s", key.Value, what)
			continue
		}
		seen[key.Value] = true
		read(key, n.Content[i+1])
	}
}

func (f *mappingFile) items(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		f.problem(n, "%s must be a list", what)
		return nil
	}
	return n.Content
}

// text reads a scalar that is not empty.
func (f *mappingFile) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		f.problem(n, "%s must be a text", what)
		return ""
	}
	return n.Value
}

func (f *mappingFile) mapping(n *yaml.Node, index int) Mapping {
	m := Mapping{Name: fmt.Sprint(index + 1)}
	f.members(n, "the mapping", map[string]func(*yaml.Node){
		"name":   func(v *yaml.Node) { m.Name = f.text(v, "name") },
		"source": func(v *yaml.Node) { m.Source = f.text(v, "source") },
		"match": func(v *yaml.Node) {
			m.Match = map[string]string{}
			f.pairs(v, "match", func(key, value *yaml.Node) { m.Match[key.Value] = f.text(value, key.Value) })
		},
		"fields": func(v *yaml.Node) {
			f.pairs(v, "fields", func(key, value *yaml.Node) { m.fields = append(m.fields, f.field(key, value)) })
		},
	})
	if len(m.fields) == 0 {
		f.problem(n, "mapping %s has no fields", m.Name)
	}
	return m
}

func (f *mappingFile) field(key, n *yaml.Node) mappedField {
	as, known := readingOf(key.Value)
	if !known {
		f.problem(key, "%.100q is no native field; those with a text are %s; others are time, request.line, request.headers, request.body, "+
			"response.status, response.headers, response.body, client_assertion, access_token, their header and claims, and names below headers",
			key.Value, strings.Join(mappableTexts(), ", "))
	}
	m := mappedField{field: key.Value, as: as}
	if n.Kind != yaml.MappingNode {
		m.paths = f.paths(n, key.Value)
		return m
	}
	f.members(n, key.Value, map[string]func(*yaml.Node){
		"path":  func(v *yaml.Node) { m.paths = f.paths(v, "path") },
		"value": func(v *yaml.Node) { m.value = f.text(v, "value") },
		"unit": func(v *yaml.Node) {
			unit, ok := unitOf(v.Value)
			if !ok || key.Value != "time" {
				f.problem(v, "unit %.100q: allowed for time: seconds, milliseconds, microseconds, nanoseconds", v.Value)
			}
			m.as = unit
		},
	})
	if (len(m.paths) == 0) == (m.value == "") {
		f.problem(n, "%s needs a path or a value, one of the two", key.Value)
	}
	return m
}

func (f *mappingFile) paths(n *yaml.Node, what string) []string {
	if n.Kind != yaml.SequenceNode {
		return []string{f.text(n, what)}
	}
	var out []string
	for _, item := range n.Content {
		out = append(out, f.text(item, what))
	}
	return out
}
