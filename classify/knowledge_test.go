package classify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"authwatch/classify"
)

// documentedRecord is a failure whose server says a documented text where the document says that it does, with the placeholders filled.
func documentedRecord(t *testing.T, text classify.Text) *classify.Record {
	t.Helper()
	value := regexp.MustCompile(`\{[A-Za-z0-9_]+\}`).ReplaceAllString(text.Text, "x7f3")
	record := map[string]any{"time": "2026-11-20T14:03:20Z", "id": "r"}
	request := map[string]any{"method": "GET", "url": "https://api.example.com/v1/orders"}
	if text.Phase == classify.TokenRequest {
		request = map[string]any{"method": "POST", "url": "https://id.example.com/oauth/token"}
	}
	response := map[string]any{"status": 401}
	switch where := strings.TrimPrefix(text.Where, "body."); {
	case text.Phase == classify.ClientSide:
		record["error"] = value
	case where == "www_authenticate":
		response["headers"] = map[string]string{"www-authenticate": `Bearer error="invalid_token", error_description="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`}
	case where == "log":
		response["body"] = map[string]any{"message": value}
	default:
		response["body"] = map[string]any{where: value}
	}
	record["request"] = request
	if text.Phase != classify.ClientSide {
		record["response"] = response
	}
	data, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var r classify.Record
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// openTexts are those that decide nothing even where the record names the system, with the reason.
func openTexts() map[string]string {
	return map[string]string{
		"invalid_jwt": "a code that is named after the token, not after a fault",
	}
}

// Every documented text is a fixture: said by its system, it gives its cause or one of those that share it.
func TestDocumentedTexts(t *testing.T) {
	texts := classify.DocumentedTexts()
	c := classify.New(nil, classify.NewKnowledge(texts))
	met := map[string]bool{}
	for i, text := range texts {
		r := documentedRecord(t, text)
		r.Provider = text.System
		v := classify.Classify(c.Locate(r), nil)
		switch {
		case v.Cause == text.Cause || slices.Contains(text.Also, v.Cause):
		case v.Cause == classify.Unclassified && openTexts()[text.Text] != "":
			met[text.Text] = true
		default:
			t.Errorf("texts.tsv:%d: %s %s %s %q: %s %s, want %s or one of %v", i+2, text.System, text.Phase, text.Where, text.Text, v.Cause, v.Confidence, text.Cause, text.Also)
		}
		if v.Confidence == classify.Proven {
			t.Errorf("texts.tsv:%d: words alone prove nothing: %+v", i+2, v)
		}
	}
	for text, reason := range openTexts() {
		if !met[text] {
			t.Errorf("%q decides now; it is no exception any more (%s)", text, reason)
		}
	}
}

// Said by a stranger, a text gives the same; only words that every server has are left open there, with their causes as candidates.
func TestDocumentedTexts_SaidByAStranger(t *testing.T) {
	texts := classify.DocumentedTexts()
	c := classify.New(nil, classify.NewKnowledge(texts))
	open := 0
	for i, text := range texts {
		v := classify.Classify(c.Locate(documentedRecord(t, text)), nil)
		accepted := append([]classify.Code{text.Cause}, text.Also...)
		if text.Phase == classify.TokenRequest { // what is verified at a stranger's token endpoint is the client's assertion
			accepted = append(accepted, aboutAssertions(accepted)...)
		}
		if slices.Contains(accepted, v.Cause) || openTexts()[text.Text] != "" {
			continue
		}
		if open++; v.Cause != classify.Unclassified || !slices.ContainsFunc(v.Alternatives, func(a classify.Alternative) bool { return slices.Contains(accepted, a.Cause) }) {
			t.Errorf("texts.tsv:%d: %s %q: %s with %v, want %v", i+2, text.System, text.Text, v.Cause, v.Alternatives, accepted)
		}
	}
	if open > 80 {
		t.Errorf("%d texts decide nothing", open)
	}
}

func aboutAssertions(causes []classify.Code) (out []classify.Code) {
	for _, cause := range causes {
		switch cause {
		case classify.InvalidSignature:
			out = append(out, classify.KeyMismatch)
		case classify.WrongIssuer:
			out = append(out, classify.ClientIdentityMismatch)
		}
	}
	return out
}

// A vendor's number says that an API's 500 was about the token; a sentence that is documented as well does not.
func TestKnowledge_SpeaksOfAuthentication(t *testing.T) {
	c := classify.New(nil, classify.NewKnowledge(classify.DocumentedTexts()))
	for said, want := range map[string]classify.Outcome{
		"IDX10223: something new": classify.Failed,
		"Please try again later":  classify.Other,
		"User not found":          classify.Other,
	} {
		r := documentedRecord(t, classify.Text{Phase: classify.APICall, Where: "body.message", Text: said})
		r.Response.Status, r.Request.Headers = 500, nil
		if got := c.Locate(r).Outcome; got != want {
			t.Errorf("%q: %s, want %s", said, got, want)
		}
	}
}

// A line that cannot be read is a text that nobody will ever recognise.
func TestDocumentedTexts_EveryLineIsRead(t *testing.T) {
	data, err := os.ReadFile("texts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	texts := classify.DocumentedTexts()
	if lines := bytes.Count(data, []byte("\n")) - 1; len(texts) != lines || lines < 1297 {
		t.Errorf("%d texts of %d lines", len(texts), lines)
	}
	for i, text := range texts {
		known := text.System != "" && text.Text != "" && text.Source != "" &&
			slices.Contains([]classify.Phase{classify.TokenRequest, classify.APICall, classify.ClientSide}, text.Phase)
		for _, cause := range append([]classify.Code{text.Cause}, text.Also...) {
			if _, ok := classify.Lookup(cause); !ok {
				known = false
			}
		}
		if !known {
			t.Errorf("texts.tsv:%d: a column is empty or unknown: %+v", i+2, text)
		}
	}
}
