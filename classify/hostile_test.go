package classify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func duration(d time.Duration) *Duration { out := Duration(d); return &out }

// strictProfile has a rule for everything, so that every check runs.
func strictProfile() *Profile {
	return &Profile{
		ID: "strict",
		Environments: []Environment{
			{Name: "prod", TokenEndpoints: []string{"https://id.example.com/oauth/token"}, Issuers: []string{"https://id.example.com/"}, APIAudiences: []string{"https://api.example.com"}},
			{Name: "staging", TokenEndpoints: []string{"https://id.stg.example.com/oauth/token"}, Issuers: []string{"https://id.stg.example.com/"}, APIAudiences: []string{"https://api.stg.example.com"}},
		},
		Assertion: &AssertionRules{Algorithms: []string{"RS256"}, RequiredClaims: []string{"iss", "sub", "aud", "exp", "iat", "jti"}, RequiredHeader: []string{"kid"},
			Audience: Audience{Keyword: AudienceTokenEndpoint}, MaxAge: duration(10 * time.Minute), MaxLifetime: duration(5 * time.Minute), ClockSkew: duration(10 * time.Second), SingleUseJTI: true},
		AccessToken: &AccessTokenRules{Algorithms: []string{"RS256"}, RequiredClaims: []string{"iss", "aud", "exp"}, ClockSkew: duration(10 * time.Second)},
		Clients:     []Client{{ID: "orders-bot", Environments: []string{"prod"}, KIDs: []string{"orders-bot-2026"}}},
		Scopes:      []ScopeRule{{Method: "GET", Path: "/v1/orders/{id}", AnyOf: []string{"orders:read"}}},
		CheckOrder:  CheckGroups(),
	}
}

// tokenRequest is a refused token request whose assertion has the given claims and header.
func tokenRequest(header, claims string) string {
	return `{"time":"2026-11-20T14:03:20Z","id":"r","provider":"strict","request":{"method":"POST","url":"https://id.example.com/oauth/token","headers":{"content-type":"application/x-www-form-urlencoded"},` +
		`"body":{"grant_type":"client_credentials","client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"[jwt]"}},` +
		`"response":{"status":401,"body":{"error":"invalid_client"}},"client_assertion":{"header":` + header + `,"claims":` + claims + `}}`
}

const soundHeader = `{"alg":"RS256","kid":"orders-bot-2026"}`

// soundClaims are claims that pass every check of strictProfile, with one member replaced.
func soundClaims(name, value string) string {
	members := []string{`"iss":"orders-bot"`, `"sub":"orders-bot"`, `"aud":"https://id.example.com/oauth/token"`, `"iat":1795183399`, `"exp":1795183690`, `"jti":"5f0c"`}
	for i, m := range members {
		if strings.HasPrefix(m, `"`+name+`"`) {
			members[i] = `"` + name + `":` + value
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func hostileRecords() []string {
	big := strings.Repeat("k", 1<<20)
	many := strings.TrimSuffix(strings.Repeat(`"https://a.example.com",`, 10_000), ",")
	nested := strings.Repeat(`{"error":`, 500) + `"x"` + strings.Repeat("}", 500)
	records := []string{
		tokenRequest(`{"alg":"`+strings.Repeat("R", 10_000)+`"}`, soundClaims("", "")),
		tokenRequest(`{"alg":["RS256"]}`, soundClaims("", "")), tokenRequest(`{"alg":{}}`, "null"), tokenRequest("null", "null"), tokenRequest("{}", "{}"),
		tokenRequest(`{"alg":"RS256","kid":"`+big+`"}`, soundClaims("", "")),
		tokenRequest(soundHeader, soundClaims("aud", "["+many+"]")),
		`{"time":"2026-11-20T14:03:20Z","response":{"status":401,"body":` + nested + `}}`,
		`{"time":"2026-11-20T14:03:20Z","response":{"status":401,"body":"{\"error\":"}}`,
		`{"time":"2026-11-20T14:03:20Z","response":{"status":401,"headers":{"www-authenticate":"Bearer error=\"` + strings.Repeat(`a\\\"`, 3000) + `"}}}`,
		`{"time":"2026-11-20T14:03:20Z","response":{"status":401,"headers":{"www-authenticate":",,,=\"=,Bearer"},"body":"<html><script>"}}`,
		`{"time":"9999-12-31T23:59:59Z","response":{"status":403},"access_token":{"header":{},"claims":{"exp":0,"scope":{"a":1},"cnf":[]}}}`,
		`{"time":"2026-11-20T14:03:20Z","request":{"url":"/` + strings.Repeat("a/", 4000) + `","headers":{"authorization":"` + strings.Repeat("Bearer ", 50) + `[jwt]"}},"response":{"status":401}}`,
		`{"time":"2026-11-20T14:03:20Z","request":{"url":"https://api.example.com","headers":{"authorization":"Bearer ["}},"response":{"status":401}}`,
		`{"time":"2026-11-20T14:03:20Z","request":{"url":"https://api.example.com","headers":{"authorization":"]["}},"response":{"status":401}}`,
		`{"time":"2026-11-20T14:03:20Z","request":{"url":"://@:/?","body":"%%%=&=&a=%zz"},"response":{"status":400,"body":[1,[2,[3]]]}}`,
	}
	for _, value := range []string{"1e300", "-1e300", "1e999999", "1795183400000", "1795183400000000000", `"1795183400"`, `"soon"`, `""`, "[]", "{}", "true", "-0", "9007199254740993", "253402300800", "1.5"} {
		for _, name := range []string{"exp", "iat"} {
			records = append(records, tokenRequest(soundHeader, soundClaims(name, value)))
		}
	}
	return records
}

func TestClassify_HostileRecords(t *testing.T) {
	profiles := Profiles{strictProfile()}
	for i, text := range hostileRecords() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var r Record
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			v := Classify(profiles.Locate(&r), nil)
			if data := verdictJSON(t, v); len(data) > 32<<10 {
				t.Errorf("a verdict of %d bytes", len(data))
			}
			if len(v.Summary) > 2048 {
				t.Errorf("a summary of %d bytes", len(v.Summary))
			}
		})
	}
}

func TestClassify_OddTimes(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        Code
	}{
		{"exp", "1795183690000", TimestampUnits},
		{"exp", `"1795183690"`, TimestampUnits},
		{"iat", "1795183399000", TimestampUnits},
		{"exp", `[1795183690]`, InvalidClaim},
		{"exp", "1e300", InvalidClaim},
		{"exp", "true", InvalidClaim},
		{"exp", "1795176490", AssertionExpired},
		{"exp", "253402300799", LifetimeTooLong}, // the year 9999 is far, not milliseconds
		{"iat", "1795183999", ClockSkew},
		{"iat", "1795183399.25", KeyMismatch}, // fractions are allowed: nothing is wrong
	} {
		t.Run(tt.name+" "+tt.value, func(t *testing.T) {
			var r Record
			if err := json.Unmarshal([]byte(tokenRequest(soundHeader, soundClaims(tt.name, tt.value))), &r); err != nil {
				t.Fatal(err)
			}
			v := Classify(Profiles{strictProfile()}.Locate(&r), nil)
			if v.Cause != tt.want {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}
