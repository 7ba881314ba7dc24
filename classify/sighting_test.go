package classify

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// looked classifies one native record and returns what it shows.
func looked(t *testing.T, profiles Profiles, record string) (text string, list []Sight) {
	t.Helper()
	var r Record
	if err := json.Unmarshal([]byte(record), &r); err != nil {
		t.Fatal(err)
	}
	e := New(profiles, nil).Locate(&r)
	var v *Verdict
	if e.Outcome == Failed {
		judged := Classify(e, nil)
		v = &judged
	}
	look := e.AppendLook(nil, v)
	return string(look), Sights(string(look))
}

func sightsOf(list []Sight, kind SightKind) (out []Sight) {
	for _, s := range list {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

const sightGrant = `{"time":"2026-11-22T12:00:00Z","request":{"method":"POST","url":"https://auth.test/oauth/token","headers":{"user-agent":"orders/7"}},
	"response":{"status":200,"body":{"access_token":"[jwt]","scope":"read write"}},
	"client_assertion":{"header":{"alg":"RS256","kid":"k1","typ":"JWT"},"claims":{"iss":"a","sub":"a","aud":["https://auth.test","x"],"jti":"6f9619ff-8b86-d011-b42d-00cf4fc964ff","iat":1795348800,"exp":1795349100}}}`

func TestSights_OfGrant(t *testing.T) {
	_, list := looked(t, nil, sightGrant)
	for kind, want := range map[SightKind]string{
		SightAssertionKID: "k1", SightAssertionType: "JWT", SightAssertionAlg: "RS256", SightAssertionIssuer: "a",
		SightAssertionAudience: `["https://auth.test","x"]`, SightAssertionClaims: "aud exp iat iss jti sub", SightAssertionLifetime: "300s",
		SightAssertionID: "uuid", SightTokenEndpoint: "auth.test/oauth/token", SightUserAgent: "orders/7", SightScopeGranted: "read",
	} {
		found := sightsOf(list, kind)
		if len(found) == 0 || found[0].Value != want || found[0].Outcome != Accepted {
			t.Errorf("%s: %+v, want %q", kind, found, want)
		}
	}
	if key := sightsOf(list, SightAssertionKID)[0]; key.Host != "auth.test" || key.Owner != "a" {
		t.Errorf("key %+v", key)
	}
	if n := len(sightsOf(list, SightScopeGranted)); n != 2 {
		t.Errorf("%d scopes", n)
	}
}

// What is of one occasion only does not make a look another one, and all else does.
func TestLook_TellsApart(t *testing.T) {
	was, _ := looked(t, nil, sightGrant)
	for _, same := range []string{"d011-b42d-00cf4fc964ff", ":00:00Z"} {
		other := strings.Replace(sightGrant, same, strings.Replace(same, "0", "1", 1), 1)
		if now, _ := looked(t, nil, other); now != was {
			t.Errorf("%s makes a difference", same)
		}
	}
	for _, change := range [][2]string{{`"k1"`, `"k2"`}, {"RS256", "PS256"}, {`"JWT"`, `"jwt"`}, {`,"x"`, ``}, {`"sub":"a",`, ``}, {"1795349100", "1795349160"},
		{"orders/7", "orders/8"}, {"read write", "read"}, {"/oauth/token", "/v2/oauth/token"}, {`"iss":"a"`, `"iss":"b"`}, {"6f9619ff-", "x"}} {
		if now, _ := looked(t, nil, strings.Replace(sightGrant, change[0], change[1], 1)); now == was {
			t.Errorf("%s makes no difference", change[0])
		}
	}
}

// A failure speaks against what it was about, and against nothing else.
func TestSights_OfFailures(t *testing.T) {
	call := func(status, body, more string) string {
		return `{"time":"2026-11-22T12:00:00Z","provider":"p","request":{"method":"GET","url":"https://api.test/orders/1"},"response":{"status":` + status + `,"body":` + body + `},
			"access_token":{"header":{"alg":"RS256","kid":"k1"},"claims":{"iss":"https://auth.test","aud":"api","client_id":"a","scope":"read",` + more + `}}}`
	}
	profiles := Profiles{{ID: "p", Scopes: []ScopeRule{{Path: "/orders/{id}", AllOf: []string{"read", "orders"}}}}}
	for _, tt := range []struct {
		name, record  string
		kid, lifetime Outcome
		refused       []string
	}{
		{"key", call("401", `{"error":"invalid_token","error_description":"Unable to find a signing key that matches kid k1, request 0a1b2c3d4e5f"}`, `"iat":1795348700,"exp":1795349000`), Failed, Other, nil},
		{"expiry", call("401", `{"error":"invalid_token"}`, `"iat":1795340000,"exp":1795340300`), Other, Failed, nil},
		{"scope", call("403", `{"error":"insufficient_scope"}`, `"iat":1795348700,"exp":1795349000`), Other, Other, []string{"orders"}},
		{"accepted", call("200", `{}`, `"iat":1795348700,"exp":1795349000`), Accepted, Accepted, nil},
	} {
		_, list := looked(t, profiles, tt.record)
		if got := sightsOf(list, SightTokenKID); len(got) != 1 || got[0].Outcome != tt.kid || got[0].Owner != "https://auth.test" || got[0].Host != "api.test" {
			t.Errorf("%s: kid %+v", tt.name, got)
		}
		if got := sightsOf(list, SightTokenLifetime); len(got) != 1 || got[0].Outcome != tt.lifetime {
			t.Errorf("%s: lifetime %+v", tt.name, got)
		}
		var refused []string
		for _, s := range sightsOf(list, SightScopeRefused) {
			refused = append(refused, s.Value)
		}
		if !slices.Equal(refused, tt.refused) {
			t.Errorf("%s: refused %q", tt.name, refused)
		}
		used := sightsOf(list, SightScopeUsed)
		if (tt.name == "accepted") != (len(used) == 1 && used[0].Value == "read") {
			t.Errorf("%s: used %+v", tt.name, used)
		}
		words := sightsOf(list, SightWording)
		if tt.name == "key" && (len(words) != 1 || strings.Contains(words[0].Value, "0a1b2c3d4e5f") || !strings.Contains(words[0].Value, "signing key")) {
			t.Errorf("words %+v", words)
		}
	}
}

// Whatever a sender puts into a token, a look is read as it was written.
func TestSights_HostileValues(t *testing.T) {
	for _, value := range []string{"\x00", "a\x00\x01b", strings.Repeat("é", 5000), "\xff\xfe", ""} {
		e := Exchange{Record: &Record{AccessToken: &JWT{Header: ObjectOf(map[string]any{"kid": value, "alg": value}), Claims: ObjectOf(map[string]any{value: value, "aud": []any{value, []any{map[string]any{"a": value}}}, "iss": value, "scope": value})}},
			Profile: &Profile{}, Phase: APICall, Outcome: Accepted, Endpoint: "GET api.test/x"}
		list := Sights(string(e.AppendLook(nil, nil)))
		if len(sightsOf(list, SightTokenKID)) != 1 || len(sightsOf(list, SightTokenClaims)) != 1 {
			t.Errorf("%q: %+v", value[:min(len(value), 8)], list)
		}
		for _, s := range list {
			if len(s.Value) > maxSight+3 {
				t.Errorf("%s: %d bytes", s.Kind, len(s.Value))
			}
		}
	}
}

// Every kind has its number, and those of a token stand where token counts on them.
func TestSightKinds_Numbers(t *testing.T) {
	kinds := SightKinds()
	for number, want := range map[int]SightKind{sightAssertionKID: SightAssertionKID, sightAssertionKID + 7: SightAssertionID, sightTokenKID: SightTokenKID,
		sightTokenKID + 6: SightTokenLifetime, sightTokenEndpoint: SightTokenEndpoint, sightAPI: SightAPI, sightUserAgent: SightUserAgent,
		sightWording: SightWording, sightScopeGranted: SightScopeGranted, sightScopeUsed: SightScopeUsed, sightScopeRefused: SightScopeRefused} {
		if kinds[number-1] != want {
			t.Errorf("%d is %s, want %s", number, kinds[number-1], want)
		}
	}
}

func TestMarginClass(t *testing.T) {
	for seconds, want := range map[int64]int{-3: 0, 0: 1, 4: 1, 5: 2, 3599: 8, 3600: 9, 90000: 9} {
		if got := MarginClass(seconds); got != want {
			t.Errorf("%d s: class %d, want %d", seconds, got, want)
		}
	}
}
