package classify

import (
	"reflect"
	"strings"
	"testing"
)

// The quick reader of plain forms reads what the JSON package reads, or leaves it to it.
func TestForm_TextsAsJSONReadsThem(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"a":""}`, ` {"a":"b"}`, `{ "a" : "b" , "c":"d" }`, `{"a":"b",}`, `{"a":"b"}x`, `{"a":"b"`, `{"a"}`, `{"a":"b" "c":"d"}`, `{"a":1}`, `{"a":null,"b":"c"}`,
		`{"a":"b","a":"c"}`, `{"a":"b\nc"}`, `{"a":"\u0062"}`, "{\"a\":\"b\tc\"}", "{\"a\":\"\xff\"}", `{"a":{"b":"c"}}`, `{"a":["b","c"]}`, `{"scope":"a b","grant_type":"client_credentials"}`,
		"{" + strings.TrimSuffix(strings.Repeat(`"a":"b",`, 3), ",") + "}",
	} {
		var quick, exact form
		if !quick.readTexts(strings.TrimLeft(body, " ")) {
			continue
		}
		if !exact.readValues(Body(body)) {
			t.Errorf("%s is no JSON and was read as %v", body, quick.params)
		}
		for _, p := range exact.params {
			if got, want := quick.value(p.name), exact.value(p.name); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s is %v, want %v", body, p.name, got, want)
			}
		}
		if len(quick.params) != len(exact.params) || quick.twice != exact.twice {
			t.Errorf("%s: %v, want %v", body, quick, exact)
		}
	}
}

func TestForm_SentTwice(t *testing.T) {
	for body, want := range map[string]string{
		`"a=1&b=2&a=3"`: "a", `{"a":["1","2"]}`: "a", `"resource=1&resource=2"`: "", `{"audience":["1","2"]}`: "", `{"a":["1"]}`: "", `{"a":"1"}`: "",
	} {
		if f := formOf(Body(body)); f.twice != want || !f.known {
			t.Errorf("%s: %q was sent twice, want %q", body, f.twice, want)
		}
	}
}

// An assertion that was sent with nothing in it is missing, however a client writes nothing.
func TestForm_BlankAssertion(t *testing.T) {
	for _, body := range []string{
		`{"grant_type":"client_credentials","client_assertion_type":"` + assertionTypeJWT + `","client_assertion":""}`,
		`{"grant_type":"client_credentials","client_assertion_type":"` + assertionTypeJWT + `","client_assertion":" "}`,
		`{"grant_type":"client_credentials","client_assertion_type":"` + assertionTypeJWT + `","client_assertion":null}`,
		`"grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="`,
		`"grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=+"`,
	} {
		v := judgeStory(t, `{"time":"2026-11-20T14:03:20Z","id":"r","provider":"strict","request":{"method":"POST","url":"https://id.example.com/oauth/token","headers":{"content-type":"application/x-www-form-urlencoded"},"body":`+body+`},"response":{"status":401,"body":{"error":"invalid_client"}}}`)
		if v.Cause != MissingAssertion || v.Confidence != Proven {
			t.Errorf("%s: %s (%s): %s", body, v.Cause, v.Confidence, v.Summary)
		}
	}
}
