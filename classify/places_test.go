package classify

import (
	"strings"
	"testing"
)

// The first profile that owns a host has it; a record that names its provider goes there whatever the host; a token endpoint decides
// between environments that share a host, and one that names no host is found by its whole text.
func TestPlaces(t *testing.T) {
	first := &Profile{ID: "first", Environments: []Environment{
		{Name: "test", Hosts: []string{"shared.example"}, TokenEndpoints: []string{"https://shared.example/test/token"}},
		{Name: "prod", Hosts: []string{"shared.example", "API.First.example"}, TokenEndpoints: []string{"https://shared.example/token"}},
	}}
	second := &Profile{ID: "second", Environments: []Environment{
		{Name: "live", Hosts: []string{"shared.example"}, Issuers: []string{"https://id.second.example/"}, TokenEndpoints: []string{"/oauth/v2/grant"}},
	}}
	places := newPlaces(Profiles{nil, first, second})
	for _, tt := range []struct {
		name string
		r    Record
		want string // profile and environment
	}{
		{"first of two", Record{Request: &Request{URL: "https://shared.example/v1"}}, "first test"},
		{"token endpoint", Record{Request: &Request{URL: "HTTPS://Shared.example/token"}}, "first prod"},
		{"the record's environment", Record{Environment: "production", Request: &Request{URL: "https://shared.example/v1"}}, "first prod"},
		{"letter case", Record{Request: &Request{URL: "https://api.first.example:8443/v1"}}, "first prod"},
		{"provider", Record{Provider: "second", Request: &Request{URL: "https://shared.example/v1"}}, "second live"},
		{"provider elsewhere", Record{Provider: "second", Environment: "live", Request: &Request{URL: "https://other.example/v1"}}, "second live"},
		{"issuer's host", Record{Request: &Request{URL: "https://id.second.example/keys"}}, "second live"},
		{"endpoint without a host", Record{Request: &Request{URL: "/oauth/v2/grant", Headers: HeadersOf(map[string]string{"host": "proxy.example"})}}, "second live"},
		{"host field", Record{Request: &Request{URL: "/v1", Headers: HeadersOf(map[string]string{"host": "shared.example:443"})}}, "first test"},
		{"nobody's", Record{Request: &Request{URL: "https://other.example/"}}, " "},
		{"no request", Record{}, " "},
	} {
		e := places.locate(&tt.r, &Classifier{})
		if got := e.Profile.ID + " " + e.Environment; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A granted token's answer is not read for an error; whatever has one is.
func TestMayHoldCode(t *testing.T) {
	for body, want := range map[string]bool{
		`{"access_token":"[jwt]","token_type":"Bearer","expires_in":300,"scope":"read_all"}`: false,
		`{"access_token":"[jwt]","error":"invalid_client"}`:                                  true,
		`{"error": "invalid\u005fclient"}`:                                                   true,
		`"{\"error\":\"invalid_client\"}"`:                                                   true,
		`"granted"`:                                                                          false,
		``:                                                                                   false,
	} {
		r := &Response{Status: 200, Body: Body(body)}
		if got := mayHoldCode(r); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
		if heard := (&Exchange{Record: &Record{Response: r}, Phase: TokenRequest}).hear().oauth; heard && !want {
			t.Errorf("%s is heard", body)
		}
	}
	if !mayHoldCode(&Response{Status: 200, Headers: HeadersOf(map[string]string{"www-authenticate": "Bearer"})}) {
		t.Error("a challenge is not read")
	}
}

// What is read in one pass is what cutting gives.
func TestPlainEndpoint(t *testing.T) {
	plain := 0
	some := []string{"https://", "http", "s", "://", "a", "B", "7", ".", "-", ":80", "/", "?", "#", "@", "%", "[", "é"}
	var try func(url string, more int)
	try = func(url string, more int) {
		if e, ok := plainEndpoint(url); ok {
			plain++
			if e.text != url || e.address != cutAddress(url) || !e.plain || strings.ContainsAny(url, "?#@") {
				t.Errorf("%q is read as %+v, cut to %+v", url, e, cutAddress(url))
			}
		}
		for i := 0; more > 0 && i < len(some); i++ {
			try(url+some[i], more-1)
		}
	}
	try("", 4)
	try("https://", 4)
	long := "https://a.test/" + strings.Repeat("p", 5000)
	if _, ok := plainEndpoint(long); ok || plain < 1000 {
		t.Errorf("%d URLs are plain; a long one: %v", plain, ok)
	}
}
