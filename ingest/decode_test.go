package ingest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

const goodRecord = `{"time":"2026-11-22T02:19:00.123Z","id":"r1","response":{"status":401}}`

// outcome writes what Decode made of a body: the indices of good records and index:code of the others.
func outcome(records []Indexed, bad []RecordError) string {
	var out []string
	for _, r := range records {
		out = append(out, fmt.Sprint(r.Index))
	}
	for _, b := range bad {
		out = append(out, fmt.Sprintf("%d:%s", b.Index, b.Code))
	}
	return strings.Join(out, " ")
}

func TestDecode_Layouts(t *testing.T) {
	pretty := strings.NewReplacer(",", ",\n  ", "{", "{\n").Replace(goodRecord)
	tests := map[string]struct{ body, want string }{
		"one object":             {goodRecord, "0"},
		"byte order mark":        {"\xef\xbb\xbf" + goodRecord, "0"},
		"array":                  {"[" + goodRecord + ", " + goodRecord + "]", "0 1"},
		"empty array":            {"[]", ""},
		"empty":                  {" \n", ""},
		"NDJSON":                 {goodRecord + "\n" + goodRecord + "\n", "0 1"},
		"CRLF and empty lines":   {goodRecord + "\r\n\r\n" + goodRecord + "\r\n", "0 1"},
		"no newline at the end":  {goodRecord + "\n" + goodRecord, "0 1"},
		"concatenated":           {goodRecord + goodRecord, "0 1"},
		"pretty-printed":         {pretty + "\n" + pretty, "0 1"},
		"array a line":           {"[" + goodRecord + "]\n[" + goodRecord + "]", "0 1"},
		"record separators":      {"\x1e" + goodRecord + "\n\x1e" + goodRecord, "0 1"},
		"malformed line":         {goodRecord + "\n{\"time\": oops}\n" + goodRecord, "0 2 1:not_json"},
		"cut line between":       {goodRecord + "\n" + goodRecord[:30] + "\n" + goodRecord, "0 2 1:not_json"},
		"open object between":    {goodRecord + "\n{\"time\":\n" + goodRecord + "\n" + goodRecord, "0 2 3 1:not_json"},
		"garbage line":           {"GET / 401\n" + goodRecord, "1 0:not_json"},
		"half a line at the end": {goodRecord + "\n" + goodRecord[:30], "0 1:cut_off"},
		"malformed element":      {"[" + goodRecord + `,{"time":oops},` + goodRecord + "]", "0 2 1:not_json"},
		"array cut off":          {"[" + goodRecord + "," + goodRecord[:30], "0 1:cut_off"},
		"bracket between":        {goodRecord + "\n[warn] at [0x1f, \"\n" + goodRecord + "\n[warn\n" + goodRecord, "0 2 4 1:not_json 3:not_json"},
		"bracket first":          {"[notice] started\n" + goodRecord + "\n" + goodRecord, "1 2 0:not_json"},
		"cut array between":      {goodRecord + "\n[" + goodRecord + "," + goodRecord[:30] + "\n" + goodRecord + "\n" + goodRecord, "0 1 3 4 2:not_json"},
		"array of anything":      {"[null," + goodRecord + "]\n" + goodRecord, "1 2 0:not_an_object"},
		"scalar lines":           {"42\n\"x\"\n" + goodRecord, "2 0:not_an_object 1:not_an_object"},
		"time missing":           {`{"response":{"status":401}}`, "0:missing_time"},
		"time is Unix":           {`{"time":1795312740,"response":{"status":401}}`, "0:unix_time"},
		"time is Unix text":      {`{"time":"1795312740.5","response":{"status":401}}`, "0:unix_time"},
		"time is another text":   {`{"time":"22/Nov/2026:02:19:00 +0000","response":{"status":401}}`, "0:not_rfc3339"},
		"second 60":              {`{"time":"2026-11-22T02:19:60Z","response":{"status":401}}`, "0:not_rfc3339"},
		"offset of 24 hours":     {`{"time":"2026-11-22T02:19:00+24:00","response":{"status":401}}`, "0:not_rfc3339"},
		"year 10000 in UTC":      {`{"time":"9999-12-31T23:59:59-12:00","response":{"status":401}}`, "0:time_out_of_range"},
		"no exchange":            {`{"time":"2026-11-22T02:19:00Z","level":"info"}`, "0:empty_record"},
		"status is an object":    {`{"time":"2026-11-22T02:19:00Z","response":{"status":{}}}`, "0:wrong_type"},
		"status is a word":       {`{"time":"2026-11-22T02:19:00Z","response":{"status":"forbidden"}}`, "0:wrong_type"},
		"request is a string":    {`{"time":"2026-11-22T02:19:00Z","request":"GET /"}`, "0:wrong_type"},
		"unknown members":        {`{"time":"2026-11-22T02:19:00Z","response":{"status":401},"kubernetes":{"pod":"x"}}`, "0"},
		"32 levels":              {nested(29), "0"},
		"33 levels":              {nested(30), "0:too_deep"},
		"513 members":            {members(513), "0:too_many_members"},
		"512 members":            {members(512), "0"},
		"large record":           {goodRecord + "\n" + `{"time":"2026-11-22T02:19:00Z","error":"` + strings.Repeat("x", maxRecord) + `"}` + "\n" + goodRecord, "0 2 1:record_too_large"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := outcome(Decode([]byte(tt.body), testRedactor(t))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func nested(levels int) string {
	return `{"time":"2026-11-22T02:19:00Z","response":{"body":` + strings.Repeat("[", levels) + `{}` + strings.Repeat("]", levels) + "}}"
}

func members(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":1`, i)
	}
	return `{"time":"2026-11-22T02:19:00Z","response":{"body":{` + strings.Join(list, ",") + "}}}"
}

// One malformed line in a thousand costs only itself.
func TestDecode_OneBadLineInAThousand(t *testing.T) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = goodRecord
	}
	lines[500] = goodRecord[:len(goodRecord)-1]
	records, bad := Decode([]byte(strings.Join(lines, "\n")), testRedactor(t))
	if len(records) != 999 || len(bad) != 1 || bad[0].Index != 500 {
		t.Errorf("%d records, %v", len(records), bad)
	}
}

// What looks like nesting without end is read a bounded number of times.
func TestDecode_HostileNestingIsLinear(t *testing.T) {
	line := `{"a":["` + strings.Repeat("x", 4000) + `",` + "\n"
	s := newSplitter([]byte(strings.Repeat(line, 500)))
	parts := 0
	for _, more := s.next(); more; _, more = s.next() {
		parts++
	}
	if parts > 501 || s.rescan < 0 {
		t.Errorf("%d parts, %d bytes of the allowance are left", parts, s.rescan)
	}
}

// Arrays without a record need no stack, however many there are: a server without any would end.
func TestDecode_EmptyArraysWithoutEnd(t *testing.T) {
	body := strings.Repeat("[]", 2<<20) + goodRecord
	if got := outcome(Decode([]byte(body), testRedactor(t))); got != "0" {
		t.Error(got)
	}
}

func TestDecode_ExactValues(t *testing.T) {
	rec := decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T03:19:00.5+01:00","id":7,"service":"a\u0000b",
		"request":{"method":"GET","headers":{"Accept":["a","b"],"ACCEPT":"c","X-Count":3}},
		"response":{"status":"401","body":{"n":9007199254740993,"big":1e400}},
		"access_token":{"header":{"alg":"RS256","alg":"none"},"claims":{"exp":9007199254740993,"iat":-0,"sub":"a","ſub":"b"}}}`))
	if want := time.Date(2026, 11, 22, 2, 19, 0, 500e6, time.UTC); !rec.Time.Equal(want) || rec.Time.Location() != time.UTC {
		t.Errorf("time %v", rec.Time)
	}
	if rec.ID != "7" || rec.Service != "a\uFFFDb" || rec.Response.Status != 401 {
		t.Errorf("id %q, service %q, status %d", rec.ID, rec.Service, rec.Response.Status)
	}
	if got := rec.Request.Headers.Get("accept"); got != "c, a, b" || rec.Request.Headers.Get("x-count") != "3" {
		t.Errorf("headers %v", rec.Request.Headers)
	}
	if got := string(rec.Response.Body); got != `{"big":1e400,"n":9007199254740993}` {
		t.Errorf("body %s", got)
	}
	claims := rec.AccessToken.Claims
	if fmt.Sprint(claims.Get("exp")) != "9007199254740993" || fmt.Sprint(claims.Get("iat")) != "-0" || claims.Get("sub") != "a" {
		t.Errorf("claims %v", claims)
	}
	if rec.AccessToken.Header.Get("alg") != "RS256" {
		t.Errorf("a later duplicate overrides: %v", rec.AccessToken.Header)
	}
}

func TestDecode_CutsAfterRedaction(t *testing.T) {
	rec := decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","error":"`+strings.Repeat("é ", 20000)+`"}`))
	if len(rec.Error) > maxString || !strings.HasSuffix(rec.Error, "… [cut, 60000 bytes]") || strings.Contains(rec.Error, "\uFFFD") {
		t.Errorf("%d bytes, ends in %q", len(rec.Error), rec.Error[len(rec.Error)-40:])
	}
	long := strings.Repeat("k", 5000)
	rec = decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","error":"x","client_id":"`+long+`"}`))
	other := decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","error":"x","client_id":"`+long+`2"}`))
	if len(rec.ClientID) > maxIdentity || rec.ClientID == other.ClientID {
		t.Errorf("client ids %q and %q", rec.ClientID, other.ClientID)
	}
}

// A record that asks for more work than there is fails closed: time and status stay.
func TestDecode_FailsClosed(t *testing.T) {
	w := &walk{Redactor: testRedactor(t), work: maxWork}
	rec := classify.Record{Time: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), ID: "r1", Response: &classify.Response{Status: 401, Body: classify.Body(`"x"`)}}
	rec.Error = w.text("client_secret=hunter2hunter2")
	finished, _ := w.finish(&rec)
	got, err := json.Marshal(finished)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"time":"2026-11-22T00:00:00Z","response":{"status":401},"error":"redaction_failed"}`; string(got) != want {
		t.Errorf("got %s", got)
	}
}

// The last net catches what the others missed.
func TestFinish_ScansAgain(t *testing.T) {
	token := rv01(t)
	rec := classify.Record{Time: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Service: "svc " + token}
	w := &walk{Redactor: testRedactor(t)}
	if got, _ := w.finish(&rec); got.Service != "svc [jwt fp1:jwpiqrmhxjnh7axtp4od …mPwP]" {
		t.Errorf("service %q", got.Service)
	}
}

func TestContentKey_IgnoresLayout(t *testing.T) {
	red := testRedactor(t)
	key := func(body string) string {
		d, f := red.decodePart(part{raw: []byte(body)}, red.decodeResponse)
		if f != nil {
			t.Fatal(f)
		}
		return d.key
	}
	a := key(`{"time":"2026-11-22T02:19:00Z","response":{"status":401,"body":{"a":1,"b":[1,2]}}}`)
	if b := key(`{ "response":{"body":{"b":[1, 2],"a":1},"status":401}, "time":"2026-11-22T02:19:00Z"}`); a != b {
		t.Error("the layout changes the key")
	}
	if b := key(`{"time":"2026-11-22T02:19:00Z","response":{"status":401,"body":{"a":1,"b":[2,1]}}}`); a == b {
		t.Error("another content has the same key")
	}
	if b := key(`{"time":"2026-11-22T02:19:00Z","id":"r1","response":{"status":401}}`); b != "id:r1" {
		t.Errorf("key of a record with an id: %s", b)
	}
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestDecode_RawTokens(t *testing.T) {
	header, claims := segment(`{"alg":"RS256","kid":"k1"}`), segment(`{"iss":"c1","sub":"c1","aud":"https://as.test/token","exp":1795316340,"jti":"j1"}`)
	signature := strings.Repeat("Zm9vYmFy", 8)
	tests := map[string]struct {
		token     string
		malformed string
		alg, iss  any
	}{
		"well formed":     {header + "." + claims + "." + signature, "", "RS256", "c1"},
		"unknown alg":     {segment(`{"alg":"ES256K"}`) + "." + claims + "." + signature, "", "ES256K", "c1"},
		"alg none":        {segment(`{"alg":"none"}`) + "." + claims + ".", "", "none", "c1"},
		"alg empty":       {segment(`{"alg":""}`) + "." + claims + "." + signature, "", "", "c1"},
		"no alg":          {segment(`{"typ":"JWT"}`) + "." + claims + "." + signature, "", nil, "c1"},
		"header null":     {segment(`null`) + "." + claims + "." + signature, "header is not a JSON object", nil, "c1"},
		"payload null":    {header + "." + segment(`null`) + "." + signature, "payload is not a JSON object", "RS256", nil},
		"payload array":   {header + "." + segment(`[]`) + "." + signature, "payload is not a JSON object", "RS256", nil},
		"payload empty":   {header + ".." + signature, "payload is not a JSON object", "RS256", nil},
		"payload no JSON": {header + "." + segment(`{"iss":`) + "." + signature, "payload is not a JSON object", "RS256", nil},
		"two segments":    {header + "." + claims, "2 segments", "RS256", "c1"},
		"four segments":   {header + "." + claims + "." + signature + "." + signature, "4 segments", "RS256", "c1"},
		"padded":          {header + "." + claims + "==." + signature, "base64 padding", "RS256", "c1"},
		"odd alphabet":    {header + "." + claims + "." + "+/" + signature, "standard base64 alphabet instead of base64url", "RS256", "c1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check := func(where string, got *classify.JWT) {
				t.Helper()
				if got == nil {
					t.Fatalf("%s: no token", where)
				}
				if got.Malformed != tt.malformed || got.Header.Get("alg") != tt.alg || got.Claims.Get("iss") != tt.iss {
					t.Errorf("%s: %+v", where, got)
				}
			}
			body := `{"time":"2026-11-22T02:19:00Z","request":{"url":"https://api.test/","headers":{"authorization":"Bearer ` + tt.token + `"}},"response":{"status":401}}`
			rec := decodeOne(t, testRedactor(t), []byte(body))
			check("header", rec.AccessToken)
			form := "grant_type=client_credentials&client_assertion=" + strings.ReplaceAll(tt.token, "+", "%2B")
			rec = decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","request":{"url":"https://as.test/token","body":"`+form+`"},"response":{"status":401}}`))
			check("form", rec.ClientAssertion)
			rec = decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","client_assertion":"`+tt.token+`","response":{"status":401}}`))
			check("field", rec.ClientAssertion)
			if stored, _ := json.Marshal(rec); strings.Contains(string(stored), signature[:20]) {
				t.Error("the signature is kept")
			}
		})
	}
}

// A token that the server issued was not presented, and a given one is not replaced.
func TestDecode_TokensThatStayOut(t *testing.T) {
	token := rv01(t)
	rec := decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","request":{"url":"https://as.test/token","body":{"grant_type":"refresh_token","refresh_token":"`+token+`"}},
		"response":{"status":200,"body":{"access_token":"`+token+`"}}}`))
	if rec.AccessToken != nil || rec.ClientAssertion != nil {
		t.Errorf("access token %v, assertion %v", rec.AccessToken, rec.ClientAssertion)
	}
	rec = decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","request":{"headers":{"authorization":"Bearer `+token+`"}},"response":{"status":401},
		"access_token":{"header":{"alg":"ES256"},"claims":{"iss":"given"}}}`))
	if rec.AccessToken.Claims.Get("iss") != "given" {
		t.Errorf("access token %v", rec.AccessToken)
	}
}

func TestDecode_ClaimAllowList(t *testing.T) {
	rec := decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T02:19:00Z","response":{"status":401},"access_token":{
		"header":{"alg":"RS256","kid":"k1","custom":"x","jwk":{"kty":"EC","crv":"P-256","x":"AQ","d":"c2VjcmV0"}},
		"claims":{"iss":"i","aud":["a","b"],"exp":"soon","scope":{"a":"secretive"},"email":"ana@synthetic.test","age":42,"ok":true,"groups":["g"],"address":{"city":"x"},"nothing":null,
			"cnf":{"jkt":"thumb","jwk":{"kty":"EC"}},"seen":"string(18)"}}}`))
	got, err := json.Marshal(rec.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"header":{"alg":"RS256","custom":"string(1)","jwk":{"crv":"P-256","d":"[private]","kty":"EC","x":"AQ"},"kid":"k1"},` +
		`"claims":{"address":"object(1)","age":"number","aud":["a","b"],"cnf":{"jkt":"thumb","jwk":"object(1)"},"email":"string(18)","exp":"soon","groups":"array(1)","iss":"i","nothing":null,"ok":"boolean","scope":{"a":"string(9)"},"seen":"string(18)"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodePasted(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	token := rv01(t)
	assertion := segment(`{"alg":"RS256"}`) + "." + segment(`{"iss":"c1","sub":"c1","aud":"https://as.test/oauth/token"}`) + ".Zm9vYmFyZm9v"
	tests := map[string]struct{ in, want string }{
		"access token":     {token, `access`},
		"Bearer header":    {"Authorization: Bearer " + token, `access`},
		"assertion":        {" " + assertion + "\n", `assertion`},
		"two segments":     {token[:strings.LastIndexByte(token, '.')], `access malformed`},
		"claims":           {`{"iss":"https://as.test","sub":"u1","aud":"api","exp":1795316340}`, `access`},
		"assertion claims": {`{"iss":"c1","sub":"c1","aud":"https://as.test/oauth/token"}`, `assertion`},
		"header, claims":   {`{"header":{"typ":"client-authentication+jwt"},"claims":{"iss":"x"}}`, `assertion`},
		"header, payload":  {`{"header":{"alg":"RS256"},"payload":{"iss":"x","sub":"y"}}`, `access`},
		"record":           {goodRecord, `401 its own time`},
		"response record":  {`{"response":{"status":401}}`, `401`},
		"token, no time":   {`{"response":{"status":401},"access_token":{"header":{},"claims":{}}}`, `error: time is missing`},
		"error body":       {`{"error":"invalid_client","error_description":"x"}`, `body {"error":"invalid_client","error_description":"x"}`},
		"HTTP text":        {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n\r\n{\"error\":\"invalid_token\"}", `401 challenge body {"error":"invalid_token"}`},
		"curl over HTTP/2": {"HTTP/2 401 \nwww-authenticate: Bearer\n", `401 challenge`},
		"ECS record":       {`{"@timestamp":"2026-11-22T02:19:00Z","http":{"request":{"method":"GET"},"response":{"status_code":401,"body":{"content":"{\"error\":\"invalid_token\"}"}}},"url":{"full":"https://api.test/a"}}`, `401 body "{\"error\":\"invalid_token\"}" its own time`},
		"OTel, no time":    {`{"body":{"http.response.status_code":403,"url.path":"/a","http.request.method":"GET"},"scope":{"name":"n"}}`, `403`},
		"wrapped record":   {`{"log":` + strconv.Quote(goodRecord) + `,"stream":"stdout"}`, `401 its own time`},
		"access log":       {`10.0.0.7 - - [22/Nov/2026:02:19:00 +0000] "GET /a HTTP/1.1" 401 12 "-" "curl/8"`, `401 its own time`},
		"log line":         {"could not load key: PEM lib", `log could not load key: PEM lib`},
		"nothing":          {" \n", `error: nothing was pasted`},
		"broken JSON":      {`{"iss":`, `error: the body ends`},
		"two objects":      {`{"iss":"a"}{"iss":"b"}`, `error: one JSON object`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec, err := DecodePasted([]byte(tt.in), testRedactor(t), now)
			got := pastedShape(rec, err, now)
			if got != tt.want && !(strings.HasPrefix(tt.want, "error: ") && strings.HasPrefix(got, tt.want)) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func pastedShape(rec classify.Record, err error, now time.Time) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var out []string
	for name, token := range map[string]*classify.JWT{"assertion": rec.ClientAssertion, "access": rec.AccessToken} {
		if token == nil {
			continue
		}
		out = append(out, name)
		if token.Malformed != "" {
			out = append(out, "malformed")
		}
	}
	if r := rec.Response; r != nil {
		if r.Status != 0 {
			out = append(out, fmt.Sprint(r.Status))
		}
		if r.Headers.Get("www-authenticate") != "" {
			out = append(out, "challenge")
		}
		if r.Body != nil {
			out = append(out, "body "+string(r.Body))
		}
	}
	if rec.Error != "" {
		out = append(out, "log "+rec.Error)
	}
	if !rec.Time.Equal(now) {
		out = append(out, "its own time")
	}
	return strings.Join(out, " ")
}
