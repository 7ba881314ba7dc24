package api

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"authwatch/classify"
	"authwatch/store"
)

func TestParseSearch(t *testing.T) {
	for text, want := range map[string][]store.Term{
		"": nil, "  ": nil,
		"cause:jti_reuse client:a* env:prod -status:403": {{Field: store.FieldCause, Values: []string{"jti_reuse"}}, {Field: store.FieldClient, Values: []string{"a*"}},
			{Field: store.FieldEnvironment, Values: []string{"prod"}}, {Field: store.FieldStatus, Values: []string{"403"}, Not: true}},
		"Cause:jti_reuse,clock_skew": {{Field: store.FieldCause, Values: []string{"jti_reuse", "clock_skew"}}},
		`client:"a, b",c "two words" -slow, x`: {{Field: store.FieldClient, Values: []string{"a, b", "c"}}, {Field: store.FieldText, Values: []string{"two words"}},
			{Field: store.FieldText, Values: []string{"slow,"}, Not: true}, {Field: store.FieldText, Values: []string{"x"}}},
		`endpoint:"POST auth.example/oauth/token"`: {{Field: store.FieldEndpoint, Values: []string{"POST auth.example/oauth/token"}}},
	} {
		got, err := parseSearch(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, at := range map[string]string{
		"cause:jti_reus": "character 7", "colour:red": "character 1", `client:"a`: "character 8", "client:": "character 8", "client:a,": "character 10",
		"status:4xx": "character 8", "x fault:me": "character 9", "-": "character 2", "https://x.example": "character 1",
		strings.Repeat("a ", 21): "at most 20 terms",
	} {
		if got, err := parseSearch(text); err == nil || !strings.Contains(err.Error(), at) {
			t.Errorf("%q: %+v, %v; want an error at %s", text, got, err, at)
		}
	}
}

// The box and the API find the same.
func TestSearch(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 2, classify.JTIReuse, "prod", "alpha")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "beta")
	var incidents list[incidentJSON]
	s.get(t, "/api/v1/incidents?q=cause:jti_reuse%20client:a*%20-env:preprod", &incidents)
	if len(incidents.Data) != 1 || incidents.Data[0].ClientID != "alpha" {
		t.Errorf("%+v", incidents.Data)
	}
	var failures list[failureJSON]
	s.get(t, "/api/v1/failures?q=client:alpha%20-status:403", &failures)
	if len(failures.Data) != 2 {
		t.Errorf("%d failures", len(failures.Data))
	}
	body := s.page(t, "/incidents?q=client:a*", "session viewer")
	if !strings.Contains(body, "/clients/alpha") || strings.Contains(body, "/clients/beta") || !strings.Contains(body, `value="client:a*"`) {
		t.Error("the page does not search")
	}
	p := problemIn(t, s.do(t, ask{path: "/api/v1/incidents?q=cause:none", who: "read"}), http.StatusBadRequest)
	if p.Errors[0].Parameter != "q" || !strings.Contains(p.Errors[0].Detail, "character 7") {
		t.Errorf("%+v", p.Errors)
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/incidents?q=status:403", who: "read"}), http.StatusBadRequest)
	if got := s.do(t, ask{path: "/incidents?q=colour:red", who: "session viewer"}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "character 1") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
