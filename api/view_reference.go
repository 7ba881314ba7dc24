package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A referenceGroup is the operations of one tag.
type referenceGroup struct {
	Name       string
	Part       string // of the address of its page
	Text       string
	Operations []referenceOperation
}

// A referenceOperation is one method of one address.
type referenceOperation struct {
	Anchor     string
	Method     string
	Path       string
	Summary    string
	Paragraphs []string
	Scope      string // that a key needs; "" for none
	Parameters []referenceMember
	Body       []referenceMember
	Example    string // a command
	Answers    []referenceAnswer
}

// A referenceMember is a parameter, or a member of an object.
type referenceMember struct {
	Name     string
	Where    string // "query", "path", "header"; "" for a member
	Type     string
	Required bool
	Text     string
}

// A referenceAnswer is what a status comes with.
type referenceAnswer struct {
	Status string
	Text   string
	Media  string
	Schema string // of the components, "" for none of them
}

// A referenceSchema is an object that answers hold.
type referenceSchema struct {
	Name    string
	Anchor  string
	Text    string
	Members []referenceMember
}

// The parts of OpenAPI that the page shows.
type (
	apiDocument struct {
		Info struct{ Summary, Description string }
		Tags []struct{ Name, Description string }
		// Paths holds, by address, operations by method, and parameters of all of them under "parameters".
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Parameters map[string]apiParameter
			Responses  map[string]apiResponse
			Schemas    map[string]apiSchema
		}
	}
	apiOperation struct {
		Tags        []string
		Summary     string
		Description string
		OperationID string `json:"operationId"`
		Security    *[]any
		Parameters  []apiParameter
		RequestBody struct {
			Content map[string]apiMedia
		} `json:"requestBody"`
		Responses map[string]apiResponse
	}
	apiParameter struct {
		Ref         string `json:"$ref"`
		Name        string
		In          string
		Required    bool
		Description string
		Schema      apiSchema
	}
	apiResponse struct {
		Ref         string `json:"$ref"`
		Description string
		Content     map[string]apiMedia
	}
	apiMedia struct {
		Schema  apiSchema
		Example json.RawMessage
	}
	apiSchema struct {
		Ref         string `json:"$ref"`
		Type        any
		Description string
		Enum        []any
		Default     any
		Items       *apiSchema
		Properties  map[string]apiSchema
		Required    []string
	}
)

// readDescription reads openapi.yaml in its JSON form.
func readDescription(text []byte) (apiDocument, error) {
	var d apiDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("read the description of the API: %w", err)
	}
	return d, nil
}

// groups lists the operations by tag, in the order of the tags, and of the addresses in them.
func (d apiDocument) groups(base string) ([]referenceGroup, error) {
	groups := make([]referenceGroup, len(d.Tags))
	for i, tag := range d.Tags {
		groups[i] = referenceGroup{Name: capitalize(tag.Name), Part: tag.Name, Text: tag.Description}
	}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		var shared []apiParameter
		if text, ok := d.Paths[path]["parameters"]; ok {
			if err := json.Unmarshal(text, &shared); err != nil {
				return nil, fmt.Errorf("read parameters of %s: %w", path, err)
			}
		}
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			text, ok := d.Paths[path][method]
			if !ok {
				continue
			}
			var op apiOperation
			if err := json.Unmarshal(text, &op); err != nil {
				return nil, fmt.Errorf("read %s %s: %w", method, path, err)
			}
			op.Parameters = append(shared, op.Parameters...)
			for i := range groups {
				if len(op.Tags) > 0 && groups[i].Part == op.Tags[0] {
					groups[i].Operations = append(groups[i].Operations, d.operation(op, strings.ToUpper(method), path, base))
				}
			}
		}
	}
	return groups, nil
}

func (d apiDocument) operation(op apiOperation, method, path, base string) referenceOperation {
	out := referenceOperation{Anchor: op.OperationID, Method: method, Path: path, Summary: op.Summary, Paragraphs: paragraphs(op.Description), Scope: "read"}
	if op.Security != nil && len(*op.Security) == 0 {
		out.Scope = ""
	} else if method != "GET" && !strings.HasSuffix(path, "/classify") {
		out.Scope = "respond"
	}
	for _, p := range op.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = d.Components.Parameters[name]
		}
		out.Parameters = append(out.Parameters, referenceMember{Name: p.Name, Where: p.In, Type: d.typeOf(p.Schema), Required: p.Required, Text: withDefault(p.Description, p.Schema)})
	}
	if media, ok := op.RequestBody.Content[mediaJSON]; ok {
		out.Body = d.members(media.Schema)
		out.Example = command(method, base+path, media.Example)
	} else {
		out.Example = command(method, base+path, nil)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		out.Answers = append(out.Answers, d.answer(status, op.Responses[status]))
	}
	return out
}

func (d apiDocument) answer(status string, r apiResponse) referenceAnswer {
	if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
		r = d.Components.Responses[name]
	}
	a := referenceAnswer{Status: status, Text: strings.TrimSpace(r.Description), Media: strings.Join(slices.Sorted(maps.Keys(r.Content)), ", ")}
	if status == "default" {
		a.Status = "4xx, 5xx"
	}
	for _, media := range r.Content {
		a.Schema = max(a.Schema, d.schemaName(media.Schema))
	}
	return a
}

// schemaName is the component that a schema is about: itself, what it lists, or what a page of a list holds.
func (d apiDocument) schemaName(s apiSchema) string {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if len(d.Components.Schemas[name].Properties) > 0 {
			return name
		}
		return ""
	}
	if s.Items != nil {
		return d.schemaName(*s.Items)
	}
	if data, ok := s.Properties["data"]; ok {
		return d.schemaName(data)
	}
	return ""
}

// schemas lists the objects of the components.
func (d apiDocument) schemas() []referenceSchema {
	var out []referenceSchema
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		s := d.Components.Schemas[name]
		if len(s.Properties) > 0 {
			out = append(out, referenceSchema{Name: name, Anchor: "schema-" + name, Text: s.Description, Members: d.members(s)})
		}
	}
	return out
}

func (d apiDocument) members(s apiSchema) []referenceMember {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		s = d.Components.Schemas[name]
	}
	var out []referenceMember
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		out = append(out, referenceMember{Name: name, Type: d.typeOf(p), Required: slices.Contains(s.Required, name), Text: withDefault(p.Description, p)})
	}
	return out
}

func (d apiDocument) typeOf(s apiSchema) string {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if target := d.Components.Schemas[name]; len(target.Properties) == 0 {
			return d.typeOf(target)
		}
		return name
	}
	if s.Items != nil {
		return "list of " + d.typeOf(*s.Items)
	}
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, " | ")
	}
	if text, ok := s.Type.(string); ok {
		return text
	}
	return "any"
}

func withDefault(text string, s apiSchema) string {
	text = strings.TrimSpace(text)
	if s.Default != nil {
		text = strings.TrimSpace(text + fmt.Sprintf(" (%v unless given)", s.Default))
	}
	return text
}

func paragraphs(text string) []string {
	var out []string
	for _, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// command is the request as curl sends it.
func command(method, address string, body json.RawMessage) string {
	text := `curl -H "Authorization: Bearer $AUTHWATCH_KEY"`
	if method != "GET" {
		text += " -X " + method
	}
	if len(body) > 0 {
		text += " -H 'Content-Type: application/json' -d '" + strings.ReplaceAll(string(body), "'", `'\''`) + "'"
	}
	return text + " '" + address + "'"
}
