package profile

import (
	"bytes"
	"fmt"

	"authwatch/classify"

	"go.yaml.in/yaml/v3"
)

// Format writes a profile as YAML that Parse reads, with its members in their usual order and without those that say nothing,
// so that two profiles can be compared line by line.
func Format(p *classify.Profile) ([]byte, error) {
	var doc yaml.Node
	if err := doc.Encode(p); err != nil {
		return nil, fmt.Errorf("format profile %s: %w", p.ID, err)
	}
	prune(&doc)
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, fmt.Errorf("format profile %s: %w", p.ID, err)
	}
	return text.Bytes(), nil
}

// prune removes members of mappings that have no value. Items of lists stay.
func prune(n *yaml.Node) {
	for _, child := range n.Content {
		prune(child)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	kept := n.Content[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !saysNothing(n.Content[i+1]) {
			kept = append(kept, n.Content[i], n.Content[i+1])
		}
	}
	n.Content = kept
}

// saysNothing is true for what reads the same when it is left out. A duration of 0 is text and stays.
func saysNothing(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return len(n.Content) == 0
	}
	switch n.Tag {
	case "!!null":
		return true
	case "!!bool":
		return n.Value == "false"
	case "!!int":
		return n.Value == "0"
	}
	return n.Value == ""
}
