package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"authwatch/classify"
)

// A labelled record is one line of a corpus.
type labelled struct {
	line   int
	id     string
	record map[string]any
	truth  *classify.Truth // nil: it is no auth failure
}

// readCorpus reads {"record","truth"} lines. A verdict is matched with its truth by the record's id, so each record needs one.
func readCorpus(path string) ([]labelled, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cases []labelled
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		c, err := readLabelled(text)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, line, err)
		}
		c.line = line
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%s: no labelled record", path)
	}
	return cases, nil
}

func readLabelled(text []byte) (labelled, error) {
	var row struct {
		Record map[string]any  `json:"record"`
		Truth  json.RawMessage `json:"truth"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // exp = 1.0 and 1 are different claims
	if err := dec.Decode(&row); err != nil {
		return labelled{}, errors.New("not a JSON object of record and truth")
	}
	c := labelled{record: row.Record}
	c.id, _ = row.Record["id"].(string)
	switch {
	case c.id == "":
		return labelled{}, errors.New("the record has no id")
	case row.Truth == nil:
		return labelled{}, errors.New("truth is missing; it is null for a record that is no auth failure")
	}
	if err := json.Unmarshal(row.Truth, &c.truth); err != nil {
		return labelled{}, errors.New(`truth is not {"cause","also","optional"}`)
	}
	if c.truth == nil {
		return c, nil
	}
	for _, code := range append([]classify.Code{c.truth.Cause}, c.truth.Also...) {
		if _, known := classify.Lookup(code); !known {
			return labelled{}, fmt.Errorf("truth names %.60q, which is no cause", code)
		}
	}
	return c, nil
}

// hidden is the record without what one witness says: without the decoded tokens (response), or without the body and challenge of
// an error (token). The status always stays.
func (c labelled) hidden(see string) ([]byte, error) {
	switch see {
	case "response":
		delete(c.record, "client_assertion")
		delete(c.record, "access_token")
	case "token":
		hideWords(c.record)
	}
	return json.Marshal(c.record)
}

func hideWords(record map[string]any) {
	response, _ := record["response"].(map[string]any)
	status, _ := response["status"].(json.Number)
	if n, err := status.Float64(); err != nil || n < 400 {
		return
	}
	delete(response, "body")
	if headers, ok := response["headers"].(map[string]any); ok {
		delete(headers, "www-authenticate")
	}
}
