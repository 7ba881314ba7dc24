package classify

import (
	"strings"
	"testing"
)

// numberedProfiles are profiles that name numbers in their addresses and paths.
func numberedProfiles() Profiles {
	return Profiles{
		{ID: "lab", Environments: []Environment{{Name: "production", Hosts: []string{"api.lab.test"}, TokenEndpoints: []string{"https://login.lab.test/4711/oauth2/token"}}},
			Scopes: []ScopeRule{{Method: "GET", Path: "/2024/orders/{id}", AllOf: []string{"read"}}, {Method: "GET", Path: "/shop/{shop}/items", AllOf: []string{"read"}}}},
		{ID: "bare", Environments: []Environment{{Name: "test", Hosts: []string{"api.bare.test"}, TokenEndpoints: []string{"/9/token"}}}},
	}
}

// checkAlike replaces the numbers of a URL: what is alike then must be placed alike.
func checkAlike(t *testing.T, url, number string) {
	t.Helper()
	if strings.ContainsRune(url, 0) {
		return
	}
	a, classifier := NewAlike(numberedProfiles()), New(numberedProfiles(), nil)
	parts := strings.Split(url, "/")
	for i, part := range parts {
		if isNumber([]byte(part)) {
			parts[i] = number
		}
	}
	other := strings.Join(parts, "/")
	if string(a.AppendURL(nil, []byte(url))) != string(a.AppendURL(nil, []byte(other))) {
		return
	}
	for _, method := range []string{"GET", "POST"} {
		place := func(url string) Exchange {
			return classifier.Locate(&Record{Request: &Request{Method: method, URL: url, Headers: HeadersOf(map[string]string{"authorization": "Bearer [jwt]"})}, Response: &Response{Status: 200}})
		}
		x, y := place(url), place(other)
		if x.Provider != y.Provider || x.Environment != y.Environment || x.Phase != y.Phase || x.Endpoint != y.Endpoint || x.Outcome != y.Outcome || x.Profile != y.Profile {
			t.Errorf("%s %s and %s: %s %s %s %s, and %s %s %s %s", method, url, other, x.Provider, x.Environment, x.Phase, x.Endpoint, y.Provider, y.Environment, y.Phase, y.Endpoint)
		}
	}
}

func alikeSeeds() []string {
	return []string{
		"https://api.lab.test/v1/orders/12345", "https://api.lab.test/2024/orders/7", "https://api.lab.test/2025/orders/7?x=/1/", "https://api.lab.test/shop/77/items",
		"https://login.lab.test/4711/oauth2/token", "https://login.lab.test/4712/oauth2/token", "/9/token", "/8/token", "/v1/orders/1", "api.lab.test/v1/1", "https://10.0.0.1/1/2/3/4/5/6/7/8/9/10",
		"https://api.lab.test/1/https://api.bare.test/2", "https://api.lab.test?/1/2", "https://1/1", "//api.lab.test/1", "https://user:1@api.lab.test/1/", "http://api.lab.test/1#/2", "https:///1/2", "https://api.lab.test//1//2", "", "/", "HTTPS://api.lab.test/1",
	}
}

func TestAlike_IsPlacedAlike(t *testing.T) {
	a := NewAlike(numberedProfiles())
	for _, url := range alikeSeeds() {
		for _, number := range []string{"0", "4711", "2024", "9", "123456789012", strings.Repeat("5", 60)} {
			checkAlike(t, url, number)
		}
	}
	alike := func(x, y string) bool {
		return string(a.AppendURL(nil, []byte(x))) == string(a.AppendURL(nil, []byte(y)))
	}
	if !alike("https://api.lab.test/v1/orders/1", "https://api.lab.test/v1/orders/22") || !alike("/v1/orders/1/x", "/v1/orders/22/x") {
		t.Error("numbers that nobody names make a difference")
	}
	if alike("https://login.lab.test/4711/oauth2/token", "https://login.lab.test/4712/oauth2/token") || alike("/2024/orders", "/2025/orders") || alike("/v1/orders/1", "/v1/orders/x") {
		t.Error("different places are alike")
	}
}

func FuzzAlike(f *testing.F) {
	for _, url := range alikeSeeds() {
		f.Add(url, "4711")
		f.Add(url, "1")
	}
	f.Fuzz(func(t *testing.T, url, number string) {
		if isNumber([]byte(number)) {
			checkAlike(t, url, number)
		}
	})
}
