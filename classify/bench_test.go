package classify

import (
	"encoding/json"
	"testing"
)

// BenchmarkClassify judges one failing record with claims, against a profile, with the history that belongs to it.
func BenchmarkClassify(b *testing.B) {
	var r Record
	if err := json.Unmarshal([]byte(tokenRequest(soundHeader, soundClaims("aud", `"https://api.example.com"`))), &r); err != nil {
		b.Fatal(err)
	}
	e := New(Profiles{strictProfile()}, NewKnowledge(DocumentedTexts())).Locate(&r)
	h := History{}
	accepted := e
	accepted.Outcome = Accepted
	h.Observe(accepted.Facts())
	b.ReportAllocs()
	for b.Loop() {
		if v := Classify(e, h); v.Cause != WrongAudience {
			b.Fatal(v.Cause)
		}
	}
}

// BenchmarkClassify_Words judges a record of which only the server's words are known.
func BenchmarkClassify_Words(b *testing.B) {
	var r Record
	if err := json.Unmarshal([]byte(`{"time":"2026-11-20T14:03:20Z","id":"r","request":{"method":"GET","url":"https://api.example.com/v1/orders/1","headers":{"authorization":"Bearer [jwt]"}},
		"response":{"status":401,"headers":{"www-authenticate":"Bearer error=\"invalid_token\", error_description=\"token has invalid claims: token is expired\""},"body":{"error":"invalid_token","error_description":"token has invalid claims: token is expired"}}}`), &r); err != nil {
		b.Fatal(err)
	}
	e := New(nil, NewKnowledge(DocumentedTexts())).Locate(&r)
	b.ReportAllocs()
	for b.Loop() {
		Classify(e, nil)
	}
}
