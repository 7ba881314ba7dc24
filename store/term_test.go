package store

import (
	"slices"
	"testing"

	"authwatch/classify"
)

func termContract() []contractTest {
	return []contractTest{{"terms of a search", testTerms}}
}

func testTerms(t *testing.T, w *world) {
	w.add(t, fail(1), fail(2, client("client-b"), cause(classify.TokenExpired), summary("exp is 100% PAST")),
		fail(3, client("other"), environment("staging"), endpoint("GET api.test/orders"), func(f *Failure) { f.Status = 403 }))
	for _, tt := range []struct {
		terms []Term
		want  []string // clients of incidents
	}{
		{[]Term{{Field: FieldClient, Values: []string{"client-*"}}}, []string{"client-a", "client-b"}},
		{[]Term{{Field: FieldClient, Values: []string{"client-*"}, Not: true}}, []string{"other"}},
		{[]Term{{Field: FieldClient, Values: []string{"client-a", "other"}}}, []string{"client-a", "other"}},
		{[]Term{{Field: FieldCause, Values: []string{"token_expired"}}, {Field: FieldEnvironment, Values: []string{"production"}}}, []string{"client-b"}},
		{[]Term{{Field: FieldText, Values: []string{"100% past"}}}, []string{"client-b"}},
		{[]Term{{Field: FieldText, Values: []string{"a_d"}}}, nil},
		{[]Term{{Field: FieldEndpoint, Values: []string{"GET *"}}}, []string{"other"}},
		{[]Term{{Field: FieldClient, Values: []string{"*"}}}, []string{"client-a", "client-b", "other"}},
		{[]Term{{Field: FieldClient, Values: []string{"x' or 1=1 --"}}}, nil},
	} {
		var clients []string
		for _, i := range w.incidents(t, IncidentFilter{Terms: tt.terms}) {
			clients = append(clients, i.ClientID)
		}
		slices.Sort(clients)
		if !slices.Equal(clients, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.terms, clients, tt.want)
		}
	}
	for _, tt := range []struct {
		terms []Term
		want  int
	}{
		{[]Term{{Field: FieldStatus, Values: []string{"403"}}}, 1}, {[]Term{{Field: FieldStatus, Values: []string{"403"}, Not: true}}, 2},
		{[]Term{{Field: FieldStatus, Values: []string{"none"}}}, 0}, {[]Term{{Field: FieldClient, Values: []string{"client-*"}}, {Field: FieldStatus, Values: []string{"401"}}}, 2},
	} {
		list, _, err := w.ListFailures(t.Context(), FailureFilter{Terms: tt.terms})
		if err != nil || len(list) != tt.want {
			t.Errorf("%+v: %d failures, %v", tt.terms, len(list), err)
		}
	}
}
