package classify

import (
	"slices"
	"testing"
	"time"
)

func TestSaid(t *testing.T) {
	for _, tt := range []struct {
		name       string
		rec        Record
		code, text string
	}{
		{"a challenge", Record{Response: &Response{Status: 401, Headers: HeadersOf(map[string]string{"www-authenticate": `Bearer error="invalid_token", error_description="the moon is full"`})}}, "invalid_token", "the moon is full"},
		{"a body", Record{Response: &Response{Status: 403, Body: Body(`{"error":"E-17","message":"ask the oracle"}`)}}, "E-17", "ask the oracle"},
		{"nothing", Record{Response: &Response{Status: 401}}, "", ""},
		{"the client's own line", Record{Error: "the signer is asleep"}, "", "the signer is asleep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rec.Time = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			if code, text := Said(New(nil, nil).Locate(&tt.rec)); code != tt.code || text != tt.text {
				t.Errorf("said %q, %q; want %q, %q", code, text, tt.code, tt.text)
			}
		})
	}
}

func TestBodyValues(t *testing.T) {
	var got []string
	BodyValues(Body(`{"error":{"code":"E-17","n":[4711]}}`), func(path, value string) { got = append(got, path+"="+value) })
	if want := []string{"response.body.error.code=E-17", "response.body.error.n=4711"}; !slices.Equal(got, want) {
		t.Errorf("values %v, want %v", got, want)
	}
}
