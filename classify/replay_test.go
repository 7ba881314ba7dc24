package classify

import (
	"strings"
	"testing"
	"time"
)

// A step is one exchange of a story: fed in order, judged when it failed.
func judgeStory(t *testing.T, steps ...string) Verdict {
	t.Helper()
	profiles := Profiles{strictProfile()}
	history := History{}
	var last Verdict
	for _, step := range steps {
		e := profiles.Locate(recordOf(t, step))
		last = Verdict{}
		if e.Outcome == Failed {
			last = Classify(e, history)
		}
		history.Observe(e.Facts())
	}
	return last
}

func assertion(id string, status string, claims string) string {
	text := tokenRequest(soundHeader, claims)
	text = strings.Replace(text, `"id":"r"`, `"id":"`+id+`"`, 1)
	if status == "200" {
		text = strings.Replace(text, `{"status":401,"body":{"error":"invalid_client"}}`, `{"status":200,"body":{}}`, 1)
	}
	return text
}

func TestReplay(t *testing.T) {
	sound := soundClaims("", "")
	forged := soundClaims("exp", "1795183600")
	for _, tt := range []struct {
		name  string
		steps []string
		want  Code
	}{
		{"the same assertion after a success", []string{assertion("a", "200", sound), assertion("b", "401", sound)}, JTIReuse},
		{"the same line delivered twice", []string{assertion("a", "401", sound), assertion("a", "401", sound)}, KeyMismatch},
		{"a forged token with the victim's jti came first", []string{assertion("a", "401", forged), assertion("b", "401", sound)}, KeyMismatch},
		{"the jti was accepted, another token uses it", []string{assertion("a", "200", sound), assertion("b", "401", forged)}, JTIReuse},
		{"another jti", []string{assertion("a", "200", sound), assertion("b", "401", soundClaims("jti", `"other"`))}, KeyMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := judgeStory(t, tt.steps...); v.Cause != tt.want {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

// bearerCall is an API call with a sound token, at a time, with a status.
func bearerCall(id, at, status, exp string) string {
	return `{"time":"` + at + `","id":"` + id + `","provider":"strict","request":{"method":"GET","url":"https://api.example.com/v1/orders/7","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":` + status +
		`},"access_token":{"header":{"alg":"RS256","kid":"as-1"},"claims":{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":` + exp + `,"jti":"same","scope":"orders:read"}}}`
}

func TestHistory_TokenAcceptedBefore(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []string
		want  Code
	}{
		{"accepted, then expired", []string{bearerCall("a", "2026-11-20T14:00:00Z", "200", "1795183300"), bearerCall("b", "2026-11-20T14:03:20Z", "401", "1795183300")}, ExpiredMidSession},
		{"expired at first sight", []string{bearerCall("b", "2026-11-20T14:03:20Z", "401", "1795183300")}, TokenExpired},
		{"accepted only later: a late line must not change it", []string{bearerCall("a", "2026-11-20T14:05:00Z", "200", "1795183300"), bearerCall("b", "2026-11-20T14:03:20Z", "401", "1795183300")}, TokenExpired},
		{"accepted, then refused before exp", []string{bearerCall("a", "2026-11-20T14:00:00Z", "200", "1795190000"), bearerCall("b", "2026-11-20T14:03:20Z", "401", "1795190000")}, RevokedToken},
		{"its jti repeats on every call", []string{bearerCall("a", "2026-11-20T14:00:00Z", "401", "1795190000"), bearerCall("b", "2026-11-20T14:03:20Z", "401", "1795190000")}, InvalidSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := judgeStory(t, tt.steps...); v.Cause != tt.want {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

func TestFacts_Bounded(t *testing.T) {
	e := Profiles{strictProfile()}.Locate(recordOf(t, assertion("a", "200", soundClaims("jti", `"`+strings.Repeat("j", 100_000)+`"`))))
	for _, f := range e.Facts() {
		if len(f.Key.Name) > maxName {
			t.Errorf("a key of %d bytes", len(f.Key.Name))
		}
		if f.Key.Kind == FactJTI && (f.Expires.IsZero() || f.Expires.After(e.Record.Time.Add(49*time.Hour))) {
			t.Errorf("a jti is kept until %s", f.Expires)
		}
	}
}

func TestFix_FindsTheSmallestSet(t *testing.T) {
	for _, tt := range []struct {
		name, claims string
		edits        int
	}{
		{"aud", soundClaims("aud", `"https://api.example.com"`), 1},
		{"exp and iat", `{"iss":"orders-bot","sub":"orders-bot","aud":"https://id.example.com/oauth/token","iat":1795170000,"exp":1795170300,"jti":"x"}`, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judgeStory(t, assertion("a", "401", tt.claims))
			if !v.Fix.Verified || len(v.Fix.Edits) != tt.edits {
				t.Errorf("verified %v, edits %v; want %d", v.Fix.Verified, v.Fix.Edits, tt.edits)
			}
		})
	}
	if v := judgeStory(t, assertion("a", "401", soundClaims("", ""))); len(v.Fix.Edits) != 0 || v.Fix.Verified {
		t.Errorf("nothing fails, yet edits are proposed: %v", v.Fix.Edits)
	}
}
