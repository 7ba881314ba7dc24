package ingest

import (
	"strings"
	"testing"
)

func oktaEvent(kind, result string) string {
	return `{"uuid":"` + kind + result + `","published":"2026-11-22T03:00:01.500Z","eventType":"` + kind + `","version":"0","severity":"WARN","displayMessage":"OAuth2 token request",
		"actor":{"id":"0oa1","type":"PublicClientApp","displayName":"Orders"},"client":{"userAgent":{"rawUserAgent":"Go-http-client/2.0"},"ipAddress":"192.0.2.7"},
		"outcome":{"result":"` + result + `","reason":"invalid_client"},"transaction":{"type":"WEB","id":"t1"},
		"debugContext":{"debugData":{"requestId":"rq1","requestUri":"/oauth2/default/v1/token","grantType":"client_credentials"}}}`
}

func TestOkta_Hook(t *testing.T) {
	s := newService(t, nil)
	hook := `{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","source":"https://org.okta.test","eventId":"e1","data":{"events":[` +
		oktaEvent("app.oauth2.as.token.grant", "FAILURE") + "," + oktaEvent("app.oauth2.as.token.grant", "SUCCESS") + "," + oktaEvent("user.session.start", "FAILURE") + `,7]}}`
	_, text := s.send("/ingest/okta", hook)
	if !strings.Contains(text, `"received":4,"accepted":2,"duplicates":0,"rejected":1`) {
		t.Errorf("%s", text)
	}
	if _, text = s.send("/ingest/okta", oktaEvent("app.oauth2.as.token.grant", "FAILURE")); !strings.Contains(text, `"duplicates":1`) {
		t.Errorf("%s", text)
	}
	list := s.failures()
	if len(list) != 1 {
		t.Fatalf("%d failures", len(list))
	}
	f := list[0]
	if f.Verdict.Provider != "okta" || f.Verdict.ClientID != "0oa1" || f.URL != "/oauth2/default/v1/token" || f.RequestID != "rq1" || !strings.Contains(string(f.Record), `"error":"invalid_client"`) {
		t.Errorf("%+v", f)
	}
}

// Okta asks once whether its events are wanted.
func TestOkta_Verification(t *testing.T) {
	s := newService(t, nil)
	w := wire{method: "GET", path: "/ingest/okta", header: map[string]string{"X-Okta-Verification-Challenge": "abc123"}, key: func(k string) (string, string) { return "Authorization", k }}
	if resp, text := s.ship(w, s.key, ""); resp.StatusCode != 200 || strings.TrimSpace(text) != `{"verification":"abc123"}` {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, _ := s.ship(w, "", ""); resp.StatusCode != 401 {
		t.Errorf("without a key: %d", resp.StatusCode)
	}
}

func FuzzOkta(f *testing.F) {
	f.Add([]byte(oktaEvent("app.oauth2.token.grant", "FAILURE")))
	f.Add([]byte(`{"data":{"events":[null,{"eventType":"app.oauth2.token","client":[]}]}}`))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openOkta, body) })
}
