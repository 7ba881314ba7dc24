package ingest

import (
	"strings"
	"testing"

	"authwatch/classify"
)

// auth0Failure is a failed client credentials exchange as the tenant log has it.
func auth0Failure(id, cause string) string {
	return `{"log_id":"` + id + `","data":{"log_id":"` + id + `","date":"2026-11-22T03:00:01.500Z","type":"feccft","description":"Unauthorized","client_id":"client-a","client_name":"A",
		"ip":"192.0.2.7","user_agent":"Go-http-client/2.0","hostname":"tenant.auth0.test","audience":"https://api.lab.test","scope":null` + cause + `}}`
}

// JSON lines, an array and an object bring the same records, and a second delivery changes nothing.
func TestAuth0_Forms(t *testing.T) {
	a, b := oneLine(auth0Failure("90020261122a", "")), oneLine(auth0Failure("90020261122b", ""))
	for name, body := range map[string]string{"lines": a + "\n" + b + "\n", "array": "[" + a + "," + b + "]", "data only": strings.NewReplacer(`{"log_id":"90020261122a","data":{`, "{", "}}", "}").Replace(a) + b} {
		s := newService(t, nil)
		for range 2 {
			resp, text := s.send("/ingest/auth0", body, "Authorization", s.key)
			if resp.StatusCode != 200 || !strings.Contains(text, `"received":2`) {
				t.Errorf("%s: %d %s", name, resp.StatusCode, text)
			}
		}
		list := s.failures()
		if len(list) != 2 {
			t.Fatalf("%s: %d failures", name, len(list))
		}
		v := list[0].Verdict
		if v.Provider != "auth0" || v.ClientID != "client-a" || v.Phase != classify.TokenRequest || list[0].URL != "https://tenant.auth0.test/oauth/token" ||
			!v.Time.Equal(second(1).Add(500_000_000)) {
			t.Errorf("%s: %+v", name, list[0])
		}
	}
}

// The tenant's log names the cause that the client was not told; both spellings of the field are read.
func TestAuth0_ClientAuthentication(t *testing.T) {
	for _, name := range []string{"client_authentication_error", "client_authentoication_error"} {
		for _, cause := range []string{`,"` + name + `":"Invalid signature"`, `,"details":{"` + name + `":"Invalid signature"}`} {
			s := newService(t, nil)
			s.send("/ingest/auth0", auth0Failure("1", cause))
			list := s.failures()
			if len(list) != 1 || list[0].Status != 401 || !strings.Contains(string(list[0].Record), `"error_description":"Invalid signature"`) {
				t.Errorf("%s: %+v", cause, list)
			}
		}
	}
}

// Successes make history; what is no token exchange is left alone; what is no JSON is refused.
func TestAuth0_Others(t *testing.T) {
	s := newService(t, nil)
	_, text := s.send("/ingest/auth0", strings.Replace(auth0Failure("1", ""), "feccft", "seccft", 1)+strings.Replace(auth0Failure("2", ""), "feccft", "fp", 1))
	if !strings.Contains(text, `"received":2,"accepted":1`) || len(s.failures()) != 0 {
		t.Errorf("%s", text)
	}
	if resp, _ := s.send("/ingest/auth0", "junk"); resp.StatusCode != 400 {
		t.Errorf("%d", resp.StatusCode)
	}
}

func FuzzAuth0(f *testing.F) {
	f.Add([]byte(auth0Failure("1", `,"details":{"error":{"oauthError":"x"}}`)))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openAuth0, body) })
}
