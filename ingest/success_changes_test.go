package ingest

import (
	"encoding/json"
	"strings"
	"testing"
)

// A changes is records, and texts in them that are replaced by others, one at a time.
type changes struct {
	records []string
	of      [][2]string
}

// all are the records, and each with every change that finds something in it.
func (c changes) all() (out [][]byte) {
	for _, record := range c.records {
		out = append(out, []byte(record))
		for _, change := range c.of {
			if changed := strings.Replace(record, change[0], change[1], 1); changed != record {
				out = append(out, []byte(changed))
			}
		}
	}
	return out
}

// once are the records, and each change in the first of them in which it finds something: enough for a fuzzer to begin with.
func (c changes) once() (out [][]byte) {
	for _, record := range c.records {
		out = append(out, []byte(record))
	}
	for _, change := range c.of {
		for _, record := range c.records {
			if changed := strings.Replace(record, change[0], change[1], 1); changed != record {
				out = append(out, []byte(changed))
				break
			}
		}
	}
	return out
}

func quickSeeds(tb testing.TB) [][]byte { return quickChanges(tb).all() }

// quickChanges are accepted calls, and such that are not what they look like at first sight.
func quickChanges(tb testing.TB) changes {
	whole := []string{benchRecord, apiCall(1, "x", 200, "j", second(100)), apiCall(1, "", 204, "j", second(100)), tokenRequest(1, "y", 200, `,"client_assertion":`+assertionAt(1, "j", tokenEndpoint))}
	token := rv01(tb)
	return changes{whole, [][2]string{
		{`"status":200`, `"status":"201"`}, {`"status":200`, `"status":200.0`}, {`"status":200`, `"status":2e2`}, {`"status":200`, `"status":401`}, {`"status":200`, `"status":null`},
		{`"status":200`, `"headers":null,"status":299`}, {`"status":200`, `"headers":{"WWW-Authenticate":"Bearer error=\"invalid_token\""},"status":200`},
		{`"next":null`, `"error":"invalid_token"`}, {`"next":null`, `"err\u006fr":"invalid_token"`}, {`"items":[`, `"error":"access_denied","items":[`},
		{`Bearer [jwt]`, `Bearer ` + token}, {`Bearer [jwt]`, `Bearer [jwt fp1:abcdefghijklmnopqrst …abcd]`}, {`Bearer [jwt]`, `bearer abc`}, {`Bearer [jwt]`, `Basic dXNlcjpwYXNz`}, {`Bearer [jwt]`, `DPoP [jwt]`},
		{`Bearer [jwt]`, ``}, {`"authorization":"Bearer [jwt]"`, `"x":1`}, {`"authorization":`, `"Authorization":null,"authorization":`}, {`"authorization":"Bearer [jwt]"`, `"authorization":["Bearer [jwt]"]`},
		{`"id":"`, `"id":"` + strings.Repeat("9", 300)}, {`"id":"`, `"id":12345,"x":"`}, {`"id":"`, `"id":null,"x":"`}, {`"id":"`, `"id":"password=hunter2 `}, {`"id":"`, `"id":"sk_9aBcD3fGh1JkL0mN`}, {`"id":"`, `"id":"a\u0062`},
		{`"id":"`, `"client_id":"` + token[:100] + `","id":"`}, {`"id":"`, `"client_id":"c 1","environment":"staging","provider":"lab","id":"`}, {`"id":"`, `"provider":{},"id":"`}, {`"id":"`, `"service":[],"id":"`}, {`"id":"`, `"client_id":7,"id":"`},
		{`/api/shipments/55812`, `/api/shipments/55812?code=abc&x=1`}, {`/api/shipments/55812`, `/cb#access_token=` + token}, {`/api/shipments/55812`, `/%7Btoken%7D/` + token}, {`/api/shipments/55812`, `/u/eyJpc3MiOiJhIiwiZXhwIjoxMjM0NTY3ODkwfQ/x`},
		{`https://api.parcelgrid.test`, ``}, {`https://api.parcelgrid.test`, `https://user:pass@api.parcelgrid.test`}, {`"method":"GET"`, `"method":"get"`}, {`"method":"GET"`, `"method":"POST","body":{"grant_type":"x"}`}, {`"method":"GET"`, `"uri":"/x","method":"GET"`},
		{`"method":"GET"`, `"headers":{"host":"api.lab.test"},"method":"GET"`}, {`"url":"https://api.lab.test/v1/orders"`, `"url":"/v1/orders"`}, {`https://api.lab.test/v1/orders`, tokenEndpoint}, {`https://api.lab.test/v1/orders`, `https://other.test/oauth/token`},
		{`"access_token":{`, `"access_token":null,"x":{`}, {`"access_token":{`, `"client_assertion":{"claims":{}},"access_token":{`}, {`"access_token":{`, `"access_token":{"malformed":"2 segments",`}, {`"claims":{`, `"claims":{"email":"a@b.example","note":"` + token + `",`}, {`"claims":{`, `"claims":[],"x":{`},
		{`"time":"`, `"time":"1999-01-01T00:00:00Z","x":"`}, {`"time":"`, `"time":1795132800,"x":"`}, {`"time":"`, `"time":" `}, {`.074Z`, `.074+01:00`}, {`.074Z`, `.074z`}, {`"response":{`, `"error":"token expired","response":{`}, {`"content-type":"application/json"`, `"Date":"Sun, 22 Nov 2026 03:05:00 GMT"`}, {`"content-type":"application/json"`, `"date":"Sun, 22 Nov 2026 03:05:00 GMT","Date":"x"`},
		{`"user_agent":"`, `"user_agent":"` + token + ` `}, {`"request_id":"`, `"user_agent":"` + token + `","request_id":"`}, {`"request_id":"`, `"user_agent":"ZXlKaGJHY2lPaUpTVXpJMU5pSXNJblI1Y0NJNklrcFhWQ0o5","request_id":"`}, {`"token_type":"Bearer"`, `"error":"invalid_client"`}, {`"token_type":"Bearer"`, `"access_token":"invalid_client"`},
		{`"token_type":"Bearer"`, `"scope":"read_write slow_down"`}, {`"headers":{"content-type":"application/x-www-form-urlencoded"}`, `"headers":{"Authorization":"Basic Y2xpZW50LXo6cHc="}`}, {`"headers":{"content-type":"application/x-www-form-urlencoded"}`, `"headers":{"x-access-token":"aaaa.bbbb.cccc"}`},
		{`"client_id":"client-a",`, ``}, {`"iat":`, `"iat":"x","nbf":`}, {`"iss":"client-a"`, `"iss":"` + token + `"`}, {`"client_assertion":"[redacted]"`, `"client_assertion":"` + token + `"`},
		{`"jti":"`, `"x":{"jti":"j"},"jti" :"`}, {`"jti":"`, `"jti":"password=hunter2 `}, {`"jti":"`, `"jti":"a\u0062`}, {`"jti":"`, `"jti":"` + token}, {`"jti":"j"`, `"jti":7`}, {`"jti":"j"`, `"jti":"","x":["jti"]`}, {`"jti":"`, `"jti":"sk_9aBcD3fGh1JkL0mN`}, {`"jti":"`, `"jti":"` + strings.Repeat("9", 3000)},
		{`"claims":{`, `"claims":{"x":{"jti":"j"},`}, {`"header":{`, `"header":{"jti":"j","iat":1,`}, {`"exp":`, `"exp":1.5,"nbf":1795132800,"old":`}, {`"exp":`, `"exp":1795132800123,"nbf":-5,"old":`}, {`"claims":{`, `"payload":{`}, {`"claims":{`, `"malformed":"x","claims":{`},
		{`"headers":{"content-type":"application/json"`, `"headers":{"date":"Sun, 22 Nov 2026 03:55:00 GMT","content-type":"application/json"`}, {`"headers":{"content-type":"application/json"`, `"headers":{"AGE":"60","date":"Sun, 22 Nov 2026 03:55:00 GMT","content-type":"application/json"`}, {`"response":{`, `"response":{},"response":{`},
	}}
}

// corpusAsSuccesses are the records of the corpora with the answer of a success.
func corpusAsSuccesses(tb testing.TB) [][]byte {
	var out [][]byte
	for _, raw := range corpusRecords(tb) {
		var record map[string]any
		if err := json.Unmarshal(raw, &record); err != nil {
			tb.Fatalf("%s: %v", raw, err)
		}
		for _, bare := range []bool{false, true} {
			if bare {
				delete(record, "access_token")
				delete(record, "client_assertion")
			}
			for _, body := range []any{nil, map[string]any{"items": []any{}}, "done"} {
				record["response"] = map[string]any{"status": 200, "body": body, "headers": map[string]any{"date": "Fri, 20 Nov 2026 00:00:00 GMT"}}
				text, err := json.Marshal(record)
				if err != nil {
					tb.Fatal(err)
				}
				out = append(out, text)
			}
		}
	}
	return out
}
