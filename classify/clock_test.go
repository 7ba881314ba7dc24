package classify

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// datedRequest is a refused token request at a time by the log's clock, with the server's Date field.
func datedRequest(id, at, date, status, claims string) string {
	text := strings.Replace(tokenRequest(soundHeader, claims), `"time":"2026-11-20T14:03:20Z","id":"r"`, `"time":"`+at+`","id":"`+id+`"`, 1)
	return strings.Replace(text, `"response":{"status":401,`, `"response":{"status":`+status+`,"headers":{"date":"`+date+`"},`, 1)
}

func timedClaims(iat, exp, jti string) string {
	return `{"iss":"orders-bot","sub":"orders-bot","aud":"https://id.example.com/oauth/token","iat":` + iat + `,"exp":` + exp + `,"jti":"` + jti + `"}`
}

// A log whose own clock is wrong must not make sound tokens expire, nor hide that one did.
func TestClock_TheServersDateDecides(t *testing.T) {
	sound := timedClaims("1795183399", "1795183690", "a") // iat 14:03:19
	for _, tt := range []struct {
		name, at, date string
		want           Code
		confidence     Confidence
	}{
		{"the log is an hour fast", "2026-11-20T15:03:20Z", "Fri, 20 Nov 2026 14:03:20 GMT", KeyMismatch, Inferred},
		{"the log is right, the server too", "2026-11-20T14:03:20.9Z", "Fri, 20 Nov 2026 14:03:20 GMT", KeyMismatch, Inferred},
		{"the log is slow and hides an expiry", "2026-11-20T14:03:20Z", "Fri, 20 Nov 2026 15:03:20 GMT", AssertionExpired, Inferred},
		{"both clocks say expired", "2026-11-20T15:03:20Z", "Fri, 20 Nov 2026 15:04:20 GMT", AssertionExpired, Proven},
		{"a day off is no clock", "2026-11-20T14:03:20Z", "Sun, 22 Nov 2026 14:03:20 GMT", KeyMismatch, Inferred},
		{"no date", "2026-11-20T14:03:20Z", "yesterday", KeyMismatch, Inferred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judgeStory(t, datedRequest("r", tt.at, tt.date, "401", sound))
			if v.Cause != tt.want || v.Confidence != tt.confidence {
				t.Errorf("cause %s (%s), want %s (%s): %s", v.Cause, v.Confidence, tt.want, tt.confidence, v.Summary)
			}
		})
	}
}

func TestClock_ACachedDateSaysNothing(t *testing.T) {
	text := strings.Replace(datedRequest("r", "2026-11-20T14:03:20Z", "Fri, 20 Nov 2026 15:03:20 GMT", "401", timedClaims("1795183399", "1795183690", "a")), `"headers":{"date"`, `"headers":{"age":"3600","date"`, 1)
	if v := judgeStory(t, text); v.Cause != KeyMismatch {
		t.Errorf("cause %s: %s", v.Cause, v.Summary)
	}
}

// The client's offset is measured against the server's clock, whatever the log's.
func TestClock_OffsetIsCalibrated(t *testing.T) {
	var steps []string
	for i := range 4 {
		server := time.Date(2026, 11, 20, 14, i, 0, 0, time.UTC)
		iat := server.Add(-9 * time.Minute).Unix()
		claims := timedClaims(strconv.FormatInt(iat, 10), strconv.FormatInt(iat+60, 10), "j"+strconv.Itoa(i))
		logged := server.Add(time.Hour).Format(time.RFC3339)
		steps = append(steps, datedRequest("r"+strconv.Itoa(i), logged, server.Format(httpDate), "401", claims))
	}
	v := judgeStory(t, steps...)
	if v.Cause != ClockSkew || !strings.Contains(v.Summary, "9 min slow, by 3 earlier assertions") {
		t.Errorf("cause %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
}

func TestClockEstimate_FewerSamplesAreLessCertain(t *testing.T) {
	e := Exchange{Record: &Record{Time: time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)}, Profile: &Profile{}, ClientID: "c", Phase: TokenRequest}
	width := func(n int64) float64 {
		h := History{}
		h.Observe([]Fact{{Key: e.key(FactClock, clockName("c", e.Record.Time)), MaxOffset: -10 * time.Minute, Count: n}})
		c := examine(&e, h.Held()).clockOffset(300)
		if c.low > -600 || c.high < -600 {
			t.Errorf("%d samples: from %v to %v leaves out what was measured", n, c.low, c.high)
		}
		return c.high - c.low
	}
	if few, many := width(2), width(50); few <= many || few < 100 || many > 10 {
		t.Errorf("width with 2 samples %v s, with 50 %v s", few, many)
	}
}

func TestStatuslessAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, record string
		want         Outcome
	}{
		{"an OAuth error", `{"time":"2026-11-20T14:03:20Z","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"response":{"body":{"error":"invalid_client","error_description":"kid not found"}}}`, Failed},
		{"a challenge with an error", `{"time":"2026-11-20T14:03:20Z","response":{"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}}}`, Failed},
		{"a token", `{"time":"2026-11-20T14:03:20Z","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"response":{"body":{"access_token":"[jwt]"}}}`, Other},
		{"an API's own error", `{"time":"2026-11-20T14:03:20Z","request":{"method":"GET","url":"https://api.example.com/v1/orders"},"response":{"body":{"error":"invalid_request"}}}`, Other},
		{"nothing", `{"time":"2026-11-20T14:03:20Z","response":{}}`, Other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if e := (Profiles{strictProfile()}).Locate(recordOf(t, tt.record)); e.Outcome != tt.want {
				t.Errorf("outcome %s, want %s", e.Outcome, tt.want)
			} else if e.Outcome == Failed {
				Classify(e, nil)
			}
		})
	}
}

// tokenCall is a refused API call with a token of these claims.
func tokenCall(claims, words string) string {
	return `{"time":"2026-11-20T14:03:20Z","id":"r","provider":"strict","request":{"method":"GET","url":"https://api.example.com/v1/trades","headers":{"authorization":"Bearer [jwt]"}},` +
		`"response":{"status":401,"body":{"message":"` + words + `"}},"access_token":{"header":{"alg":"RS256","kid":"as-1"},"claims":` + claims + `}}`
}

func TestTokenLifetime(t *testing.T) {
	p := strictProfile()
	p.AccessToken.Lifetime, p.AccessToken.RequiredClaims = duration(3*time.Minute), nil
	base := `"iss":"https://id.example.com/","aud":"https://api.example.com"`
	for _, tt := range []struct {
		name, claims, words string
		want                Code
	}{
		{"the provider's own", `{` + base + `,"iat":1795183390,"exp":1795183570}`, "", InvalidSignature},
		{"longer, nobody minds", `{` + base + `,"iat":1795183390,"exp":1795186990}`, "", InvalidSignature},
		{"longer, and the server says so", `{` + base + `,"iat":1795183390,"exp":1795186990}`, "token lifetime is too long", LifetimeTooLong},
		{"no exp, young", `{` + base + `,"iat":1795183390}`, "", InvalidSignature},
		{"no exp, old", `{` + base + `,"iat":1795183000}`, "", TokenExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := Classify(Profiles{p}.Locate(recordOf(t, tokenCall(tt.claims, tt.words))), nil); v.Cause != tt.want {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

// The quick reader of a Date field and the exact one agree.
func TestDateOfField(t *testing.T) {
	for _, field := range []string{
		"Fri, 20 Nov 2026 14:03:20 GMT", "Tue, 31 Mar 2026 00:00:00 GMT", "Sun, 29 Feb 2026 10:00:00 GMT", "Sat, 29 Feb 2028 23:59:59 GMT", "Fri, 20 Nov 2026 24:00:00 GMT",
		"Fri, 20 Nov 2026 14:03:60 GMT", "Xri, 20 Nov 2026 14:03:20 GMT", "Fri, 20 nov 2026 14:03:20 GMT", "Fri, 20 anF 2026 14:03:20 GMT", "Fri, 00 Nov 2026 14:03:20 GMT",
		"Fri, 20 Nov 0000 14:03:20 GMT", "Fri, 20 Nov 2026 14:03:20 UTC", "Fri; 20 Nov 2026 14:03:20 GMT", "Fri, 2x Nov 2026 14:03:20 GMT", "Fri, 20 Nov 2026 14-03-20 GMT", "",
		"Fri, 20 Nov 2026 1x:03:20 GMT", "2026-11-20T14:03:20Z", "Friday, 20-Nov-26 14:03:20 GMT", "Fri,  2 Nov 2026 14:03:20 GMT",
	} {
		want, err := time.Parse(httpDate, field)
		if got, ok := dateOfField(field); ok != (err == nil) || ok && !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v %v", field, got, ok, want, err)
		}
	}
}
