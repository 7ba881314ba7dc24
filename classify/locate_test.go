package classify

import (
	"encoding/json"
	"strings"
	"testing"
)

func recordOf(t *testing.T, text string) *Record {
	t.Helper()
	var r Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &r
}

// apiCall is a call with a sound bearer token that was answered with the given response.
func apiCall(response string) string {
	return `{"time":"2026-11-20T14:03:20Z","provider":"strict","request":{"method":"POST","url":"https://api.example.com/v1/orders","headers":{"authorization":"Bearer [jwt]"}},"response":` + response +
		`,"access_token":{"header":{"alg":"RS256"},"claims":{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795183690}}}`
}

func TestLocate_Outcome(t *testing.T) {
	const expired = `,"access_token":{"header":{"alg":"RS256"},"claims":{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795180000}}}`
	for _, tt := range []struct {
		name, record string
		want         Outcome
	}{
		{"401", apiCall(`{"status":401}`), Failed},
		{"403", apiCall(`{"status":403,"body":"Forbidden"}`), Failed},
		{"407", apiCall(`{"status":407}`), Failed},
		{"429 with auth", apiCall(`{"status":429}`), Failed},
		{"429 without auth", `{"time":"2026-11-20T14:03:20Z","request":{"url":"https://www.example.com/"},"response":{"status":429}}`, Other},
		{"success with auth", apiCall(`{"status":200,"body":{"items":[]}}`), Accepted},
		{"success without auth", `{"time":"2026-11-20T14:03:20Z","request":{"url":"https://www.example.com/login"},"response":{"status":200,"body":"<html><form action=login>"}}`, Other},
		{"success that carries an OAuth error", apiCall(`{"status":200,"body":{"error":"invalid_token"}}`), Failed},
		{"404", apiCall(`{"status":404,"body":{"error":"not_found","message":"order 12 not found"}}`), Other},
		{"404 of a token that is a coin", apiCall(`{"status":404,"body":{"message":"Token 0xabc not found"}}`), Other},
		{"409", apiCall(`{"status":409,"body":{"message":"order already exists"}}`), Other},
		{"422", apiCall(`{"status":422,"body":{"message":"quantity must be a number"}}`), Other},
		{"500", apiCall(`{"status":500,"body":"Internal Server Error"}`), Other},
		{"502", apiCall(`{"status":502,"body":"<html><h1>502 Bad Gateway</h1>nginx</html>"}`), Other},
		{"400 about business", apiCall(`{"status":400,"body":{"error":"insufficient_funds","message":"Your card has expired"}}`), Other},
		{"400 about the request", apiCall(`{"status":400,"body":{"error":"invalid_request","error_description":"price is missing"}}`), Other},
		{"400 that speaks of the token", apiCall(`{"status":400,"body":{"message":"JWT signature verification failed"}}`), Failed},
		{"400 with a challenge", apiCall(`{"status":400,"headers":{"www-authenticate":"Bearer realm=\"api\""}}`), Failed},
		{"500 that names the token's own kid as not found", strings.Replace(apiCall(`{"status":500,"body":{"message":"Unable to find a signer for orders-2019-03"}}`), `"alg":"RS256"`, `"alg":"RS256","kid":"orders-2019-03"`, 1), Failed},
		{"500 that names something else as not found", strings.Replace(apiCall(`{"status":500,"body":{"message":"Unable to find a signer for orders-2019-04"}}`), `"alg":"RS256"`, `"alg":"RS256","kid":"orders-2019-03"`, 1), Other},
		{"500 that carried an expired token", `{"time":"2026-11-20T14:03:20Z","provider":"strict","request":{"url":"https://api.example.com/v1"},"response":{"status":500}` + expired, Failed},
		{"503 that carried an expired token", `{"time":"2026-11-20T14:03:20Z","provider":"strict","request":{"url":"https://api.example.com/v1"},"response":{"status":503}` + expired, Other},
		{"redirect to a login page", `{"time":"2026-11-20T14:03:20Z","request":{"url":"https://www.example.com/"},"response":{"status":302}}`, Other},
		{"token endpoint 200", `{"time":"2026-11-20T14:03:20Z","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"response":{"status":200}}`, Accepted},
		{"token endpoint 400", `{"time":"2026-11-20T14:03:20Z","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"response":{"status":400}}`, Failed},
		{"token endpoint 500", `{"time":"2026-11-20T14:03:20Z","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"response":{"status":500}}`, Failed},
		{"client cannot load its key", `{"time":"2026-11-20T14:03:20Z","error":"failed to parse private key: asn1: structure error"}`, Failed},
		{"client cannot reach the token endpoint", `{"time":"2026-11-20T14:03:20Z","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"error":"connect ECONNREFUSED 192.0.2.1:443"}`, Failed},
		{"client cannot reach an image", `{"time":"2026-11-20T14:03:20Z","request":{"url":"https://www.example.com/a.png"},"error":"connect ECONNREFUSED 192.0.2.1:443"}`, Other},
		{"client error about something else", `{"time":"2026-11-20T14:03:20Z","error":"disk full"}`, Other},
		{"no response", `{"time":"2026-11-20T14:03:20Z","request":{"url":"https://api.example.com/"}}`, Other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := (Profiles{strictProfile()}).Locate(recordOf(t, tt.record)).Outcome; got != tt.want {
				t.Errorf("outcome %s, want %s", got, tt.want)
			}
		})
	}
}

func TestLocate_Place(t *testing.T) {
	profiles := Profiles{strictProfile()}
	for _, tt := range []struct{ name, record, provider, environment, client, endpoint string }{
		{"by host", `{"request":{"url":"https://api.stg.example.com:8443/v1/orders/77?x=1"},"response":{"status":401}}`, "strict", "staging", "", "GET api.stg.example.com/v1/orders/{id}"},
		{"the host beats the record", `{"provider":"strict","environment":"prod","request":{"url":"https://api.stg.example.com/v1/orders"},"response":{"status":401}}`, "strict", "staging", "", "GET api.stg.example.com/v1/orders"},
		{"unknown host, known provider", `{"provider":"strict","environment":"production","request":{"url":"https://gw.example.com/v2/x"},"response":{"status":401}}`, "strict", "prod", "", "GET gw.example.com/v2/x"},
		{"unknown provider", `{"provider":"other","environment":"qa","request":{"url":"https://gw.other.test/a/0f8fad5b-d9cb-469f-a165-70867728950e/b"},"response":{"status":401}}`, "other", "qa", "", "GET gw.other.test/a/{id}/b"},
		{"no provider", `{"request":{"method":"BREW","url":"https://gw.other.test/"},"response":{"status":401}}`, "gw.other.test", "", "", "OTHER gw.other.test/"},
		{"client of the form", `{"request":{"method":"POST","url":"https://id.example.com/oauth/token","body":"grant_type=client_credentials&client_id=orders%2Dbot"},"response":{"status":401}}`, "strict", "prod", "orders-bot", "POST id.example.com/oauth/token"},
		{"client of the token", apiCall(`{"status":401}`), "strict", "prod", "", "POST api.example.com/v1/orders"},
		{"host field", `{"request":{"url":"/v1/orders","headers":{"Host":"api.example.com"}},"response":{"status":401}}`, "strict", "prod", "", "GET api.example.com/v1/orders"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := profiles.Locate(recordOf(t, tt.record))
			if e.Provider != tt.provider || e.Environment != tt.environment || e.ClientID != tt.client || e.Endpoint != tt.endpoint {
				t.Errorf("got %q %q %q %q, want %q %q %q %q", e.Provider, e.Environment, e.ClientID, e.Endpoint, tt.provider, tt.environment, tt.client, tt.endpoint)
			}
			if e.Profile == nil {
				t.Error("no profile")
			}
		})
	}
}
