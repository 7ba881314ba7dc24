package ingest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// bare is a record without its decoded tokens.
func bare(record string) string {
	return regexp.MustCompile(`(?s),\s*"(access_token|client_assertion)":\{"header":\{[^{}]*\},"claims":\{[^{}]*\}\}`).ReplaceAllString(record, "")
}

// bareChanges are successes without decoded tokens, and such in which a raw one may be hidden.
func bareChanges(tb testing.TB) changes {
	token := rv01(tb)
	encoded := "ZXlKaGJHY2lPaUpTVXpJMU5pSXNJblI1Y0NJNklrcFhWQ0o5"
	whole := []string{
		bare(benchRecord), bare(apiCall(1, "7f3c1e", 200, "j", second(100))), bare(tokenRequest(1, "y", 200, "")),
		`{"time":"2026-11-22T03:00:00Z","id":"c9d7dc2a","service":"dispatch","request_id":"43ea7471","client_ip":"10.165.125.17","user_agent":"python-requests/2.32.3","request":{"method":"GET","url":"https://api.dispatch.example/v1/shipments/82586"},"response":{"status":200}}`,
		`{"time":"2026-11-22T03:00:00Z","id":"c9d7dc2a","trace_id":"7f","request":{"method":"POST","url":"/v1/orders","headers":{"host":"api.lab.test","x-api-key":"[redacted]","user-agent":"curl/8","cookie":"a=[set]"},"body":{"name":"x","n":1}},"response":{"status":201,"body":{"id":7}}}`,
		`{"time":"2026-11-22T03:00:00Z","id":"c9d7dc2a","request":{"method":"GET","url":"/v1/orders","headers":{"host":"api.lab.test","user-agent":"curl/8","authorization":"Bearer [jwt]"}},"response":{"status":200,"body":{"id":7}}}`,
		`{"time":"2026-11-22T03:00:00Z","id":"c9d7dc2a","request":{"method":"POST","url":"https://as.lab.test/oauth/token"},"response":{"status":200}}`,
	}
	return changes{whole, [][2]string{
		{`"user_agent":"`, `"user_agent":"` + token + ` `}, {`"service":"`, `"service":"` + token}, {`"client_ip":"`, `"client_ip":"` + encoded}, {`"request_id":"`, `"request_id":"` + token}, {`"request_id":"`, `"request_id":"ey`},
		{`"response":{`, `"error":"got ` + token + `","response":{`}, {`"response":{`, `"note":"` + token + `","response":{`}, {`"response":{`, `"response":{"headers":{"x-token":"` + token + `"},`}, {`"body":{`, `"body":{"token":"` + token + `",`},
		{`"headers":{`, `"headers":{"cookie":"session=` + token + `",`}, {`"headers":{`, `"headers":{"x-api-key":"eyring",`}, {`"headers":{`, `"headers":{"x-access-token":"aaaa.bbbb.cccc",`}, {`"headers":{`, `"headers":{"x-forwarded-authorization":"Bearer ` + token + `",`},
		{`"headers":{`, `"headers":{"x":"token=aaaa.bbbb.cccc",`}, {`"headers":{`, `"headers":{"x":"` + encoded + `",`}, {`"headers":{`, `"headers":{"x":["` + token + `"],`}, {`"headers":{`, `"headers":{"x":{"id_token":"aaaa.bbbb.cccc"},`}, {`"headers":{`, `"headers":{"X-Y":"a","x-y":"b",`},
		{`"headers":{`, `"headers":{"user-agent":"two\nlines",`}, {`"headers":{`, `"headers":{"proxy-authorization":"Basic Y2xpZW50LXo6cHc=",`}, {`"method":"`, `"method":"ey`}, {`"method":"`, `"body":"x","method":"`}, {`"method":"`, `"body":"a=b&grant%5Ftype=x","method":"`},
		{`"method":"GET"`, `"method":"POST","body":{"gr\u0061nt_type":"x"}`}, {`"method":"GET"`, `"method":"POST","body":"client_id=c&grant_type=client_credentials"`}, {`"method":"GET"`, `"method":"POST","body":{"subject_token":"` + token + `"}`}, {`"method":"GET"`, `"method":"POST","body":{"token":"aaaa.bbbb"}`},
		{`"method":"GET"`, `"method":"POST","body":{"protected":"eyJhbGciOiJSUzI1NiJ9","payload":"e30","signature":"x"}`}, {`Bearer [jwt]`, `Bearer ` + token}, {`Bearer [jwt]`, `Bearer s3cr3tOpaque9aBcD3fGh1JkL0mN`}, {`Bearer [jwt]`, `Bearer [opaque fp1:abcdefghijklmnopqrst …abcd]`}, {`Bearer [jwt]`, `Basic dXNlcjpwYXNz`},
		{`Bearer [jwt]`, `DPoP [jwt]`}, {`Bearer [jwt]`, ``}, {`Bearer [jwt]`, `token`}, {`[jwt]`, `[jwt]\"`}, {`"url":"`, `"url":"https://u:p@`}, {`82586`, `82586?access_token=aaaa.bbbb.cccc`}, {`82586`, `eyJhbGciOiJSUzI1NiJ9.e30.x`}, {`"status":20`, `"status":30`}, {`"status":20`, `"status":40`},
		{`"id":"`, `"id":"` + token}, {`"client_id":"client-a",`, `"client_id":"` + encoded + `",`}, {`"client_id":"client-a",`, ``}, {`"request_id":"`, `"request_id":"-","x":"`}, {`"request_id":"`, `"request_id":7,"x":"`}, {`"token_type":"Bearer"`, `"access_token":"s3cr3tOpaque9aBcD3fGh1JkL0mN"`}, {`"token_type":"Bearer"`, `"id_token":"` + token + `"`},
		{`"token_type":"Bearer"`, `"scope":"read invalid_grant"`}, {`"token_type":"Bearer"`, `"hint":"invalid_grant"`}, {`urn:ietf:params`, `urn%3Aietf`}, {`"client_assertion":"[redacted]"`, `"client_assertion":"` + token + `"`}, {`"client_assertion":"[redacted]"`, `"client_secret":"` + token + `"`}, {`"client_assertion":"[redacted]"`, `"assertion":"aaaa.bbbb.cccc"`},
	}}
}

// What most logs hold of an accepted exchange is read quickly: with its form, without, and where nothing says who called.
func TestQuickBare_Taken(t *testing.T) {
	i := quickIngester(t)
	for _, record := range []string{
		bare(benchRecord), bare(apiCall(1, "7f3c1e", 200, "j", second(100))), bare(tokenRequest(1, "y", 200, "")),
		strings.Replace(bare(tokenRequest(1, "y", 200, "")), `"body":{`, `"body":"grant_type=client_credentials&client_assertion_type=urn%3Aietf","x":{`, 1),
		strings.Replace(bare(benchRecord), `[jwt]`, `s3cr3tOpaque9aBcD3fGh1JkL0mN`, 1),
		`{"time":"2026-11-22T03:00:00Z","id":"c9d7dc2a","service":"dispatch","client_ip":"10.165.125.17","request":{"method":"GET","url":"https://api.dispatch.example/v1/shipments/82586"},"response":{"status":200}}`,
		`{"time":"2026-11-22T03:00:00Z","id":"c9d7dc2a","request":{"method":"POST","url":"https://as.lab.test/oauth/token"},"response":{"status":200}}`,
	} {
		if !checkQuick(t, i, []byte(record)) {
			t.Errorf("%s: not read quickly", record)
		}
	}
}

// A grant like an earlier one is not placed again; one that differs in its client, its agent or in what it was granted is another.
func TestQuickBare_GrantAgain(t *testing.T) {
	i := quickIngester(t)
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	grant := func(n int, client, agent, scope string) []byte {
		record := strings.Replace(bare(tokenRequest(n, fmt.Sprintf("y-%d", n), 200, "")), `"client_id":"client-a"`, fmt.Sprintf(`"client_id":%q,"user_agent":%q`, client, agent), 1)
		return []byte(strings.Replace(record, `"token_type":"Bearer"`, fmt.Sprintf(`"scope":%q`, scope), 1))
	}
	for _, of := range [][3]string{{"client-a", "curl/8", "read"}, {"client-a", "curl/8", "write"}, {"client-a", "curl/9", "write"}, {"client-b", "curl/9", "write"}} {
		b.noted, i.facts = nil, fewSlots[KnownFact]() // as though nothing had been said yet
		if !checkQuickIn(t, i, &b, grant(1, of[0], of[1], of[2])) {
			t.Errorf("%v is not read quickly", of)
		}
	}
	known := 0
	for n := range i.grants.slots {
		if g := i.grants.slots[n].Load(); g != nil {
			g.site = &site{client: "known"}
			known++
		}
	}
	if known != 4 {
		t.Errorf("%d grants are known, want 4", known)
	}
	if again, ok := quickly(i, &b, grant(2, "client-a", "curl/8", "read")); !ok || again.success.site.client != "known" {
		t.Errorf("another is placed again, at %+v", again.success.site)
	}
}

// What could wait for a token is left to the whole way, and only that.
func TestQuickBare_Waits(t *testing.T) {
	i := quickIngester(t)
	i.late.waits = 0
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	for id, want := range map[string]bool{"req-1": false, "-": true, "000-0": true, "none": true, "": true} {
		raw := strings.Replace(bare(tokenRequest(1, "y", 200, "")), `"request_id":"req-y"`, fmt.Sprintf(`"request_id":%q`, id), 1)
		if _, ok := quickly(i, &b, []byte(raw)); ok != want {
			t.Errorf("request id %q: quick %v", id, ok)
		}
	}
}

// The text of a line whose form is known is looked through where it may differ from the line that was read.
func TestQuickBare_FormHidesNoToken(t *testing.T) {
	i := quickIngester(t)
	record := strings.Replace(bare(benchRecord), `"request_id":"`, `"request_id":"`+strings.Repeat("a", 200), 1)
	b := formed(t, i, []byte(record))
	token := "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJhIn0."
	hidden := strings.Replace(record, strings.Repeat("a", 200), token+strings.Repeat("a", 200-len(token)), 1)
	if f, _ := i.forms.find([]byte(hidden)); f == nil {
		t.Fatal("the other line is of another form")
	}
	if _, ok := quickly(i, b, []byte(hidden)); ok {
		t.Error("a token in the place of an id is not seen")
	}
	if other := strings.Replace(record, "aaaa", "bbbb", 1); !checkForm(t, i, b, []byte(other)) {
		t.Error("another id is not read quickly")
	}
}
