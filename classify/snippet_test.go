package classify

import (
	"encoding/json"
	"go/format"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"
)

// refused is a token request that was refused, judged.
func refused(t *testing.T, p *Profile, request *Request, assertion *JWT) (Verdict, Exchange) {
	t.Helper()
	r := &Record{Time: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), ID: "r", Provider: p.ID, Request: request, Response: &Response{Status: 401}, ClientAssertion: assertion}
	e := Profiles{p}.Locate(r)
	if e.Outcome != Failed {
		t.Fatalf("outcome %s", e.Outcome)
	}
	return Classify(e, History{}), e
}

func snippetRequest(t *testing.T, contentType string, body map[string]any) *Request {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{Method: "POST", URL: "https://id.acme.example/token", Headers: HeadersOf(map[string]string{"content-type": contentType}), Body: data}
}

func goodBody() map[string]any {
	return map[string]any{"grant_type": "client_credentials", "client_assertion_type": assertionTypeJWT, "client_assertion": "[jwt]", "client_id": "bot", "scope": "orders:read"}
}

func goodAssertion() *JWT {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix()
	return &JWT{Header: ObjectOf(map[string]any{"alg": "RS256", "kid": "k1"}), Claims: ObjectOf(map[string]any{"iss": "bot", "sub": "bot", "aud": "https://id.acme.example/token", "iat": at, "exp": at + 300, "jti": "j"})}
}

// strictAcme asks for everything that a profile can ask of an assertion.
func strictAcme() *Profile {
	p := acme()
	limit := Duration(2 * time.Minute)
	p.Assertion.RequiredClaims, p.Assertion.RequiredHeader = []string{"iss", "sub", "aud", "iat", "exp", "jti"}, []string{"kid"}
	p.Assertion.MaxLifetime, p.Assertion.ContentType, p.Assertion.SingleUseJTI = &limit, formMedia, true
	return p
}

// Each failure of a token request that another request mends has a program in each language, and what was wrong is right in it.
func TestSnippet_Causes(t *testing.T) {
	for _, tt := range []struct {
		cause     Code
		spoil     func(*Request, *JWT)
		has, lack string // of the curl program
	}{
		{WrongAudience, func(_ *Request, a *JWT) { a.Claims = a.Claims.With("aud", "https://api.acme.example") }, `"aud":"https://id.acme.example/token"`, "api.acme.example"},
		{MissingClaim, func(_ *Request, a *JWT) { a.Claims = a.Claims.Without("jti") }, `"jti":"%s"`, "<a new"},
		{WrongAlgorithm, func(_ *Request, a *JWT) { a.Header = a.Header.With("alg", "HS256") }, `"alg":"RS256"`, "HS256"},
		{MissingKID, func(_ *Request, a *JWT) { a.Header = a.Header.Without("kid") }, `"kid":"YOUR_KEY_ID"`, "<id of"},
		{LifetimeTooLong, func(*Request, *JWT) {}, `$((now + 120))`, "now + 300"},
		{ClientIdentityMismatch, func(_ *Request, a *JWT) {
			a.Claims = a.Claims.With("sub", "bot2")
			a.Claims = a.Claims.With("iss", "bot2")
		}, `"iss":"bot`, `"iss":"x`},
		{InvalidGrantType, func(r *Request, _ *JWT) {
			r.Body = Body(strings.Replace(string(r.Body), `"client_credentials"`, `"client_credential"`, 1))
		}, "grant_type=client_credentials", "client_credential\n"},
		{InvalidAssertionType, func(r *Request, _ *JWT) { r.Body = Body(strings.Replace(string(r.Body), "urn:", "x:", 1)) }, "client_assertion_type=urn:", "x:ietf"},
		{WrongContentType, func(r *Request, _ *JWT) { r.Headers = r.Headers.With("content-type", "application/json") }, "--data-urlencode", "application/json"},
	} {
		t.Run(string(tt.cause), func(t *testing.T) {
			request, assertion := snippetRequest(t, formMedia, goodBody()), goodAssertion()
			if tt.cause != LifetimeTooLong {
				assertion.Claims = assertion.Claims.With("exp", assertion.Claims.Get("iat").(int64)+60)
			}
			tt.spoil(request, assertion)
			v, e := refused(t, strictAcme(), request, assertion)
			if v.Cause != tt.cause {
				t.Fatalf("judged %s: %s", v.Cause, v.Summary)
			}
			for _, language := range SnippetLanguages() {
				text, ok := Snippet(v, e, language)
				if !ok {
					t.Fatalf("no program in %s", language)
				}
				wellFormed(t, language, text)
				if !strings.Contains(text, "orders:read") && !strings.Contains(text, "orders%3Aread") {
					t.Errorf("%s has no scope:\n%s", language, text)
				}
				if language == "curl" && (!strings.Contains(text, tt.has) || strings.Contains(text, tt.lack)) {
					t.Errorf("want %q and not %q in\n%s", tt.has, tt.lack, text)
				}
			}
		})
	}
}

// Every algorithm and both content types make whole programs; gofmt has nothing to change in the Go one.
func TestSnippet_Forms(t *testing.T) {
	for _, alg := range []string{"RS256", "RS512", "PS256", "ES256", "ES512", "EdDSA"} {
		for _, media := range []string{formMedia, "application/json"} {
			p := strictAcme()
			p.Assertion.Algorithms, p.Assertion.ContentType = []string{alg}, media
			p.Assertion.RequiredClaims = append(p.Assertion.RequiredClaims, "nbf")
			assertion := goodAssertion()
			assertion.Header = assertion.Header.With("alg", alg).With("x5t#S256", "dGh1bWJwcmludA")
			assertion.Claims = assertion.Claims.With("aud", "https://api.acme.example")
			v, e := refused(t, p, snippetRequest(t, media, goodBody()), assertion)
			for _, language := range SnippetLanguages() {
				text, ok := Snippet(v, e, language)
				if want := language != "curl" || alg != "EdDSA"; ok != want {
					t.Errorf("%s %s %s: written %v, want %v", language, alg, media, ok, want)
				}
				if !ok {
					continue
				}
				wellFormed(t, language, text)
				if !strings.Contains(text, "nbf") || !strings.Contains(text, "x5t#S256") || !strings.Contains(text, "dGh1bWJwcmludA") {
					t.Errorf("%s lacks nbf or the certificate:\n%s", language, text)
				}
				if isJSON := strings.Contains(text, "application/json") || strings.Contains(text, "json={"); isJSON != (media != formMedia) {
					t.Errorf("%s has the wrong content type for %s:\n%s", language, media, text)
				}
			}
		}
	}
}

// No value can leave its literal: the program around the literals is the same for a hostile value as for a plain one.
func TestSnippet_HostileValues(t *testing.T) {
	plain := programs(t, "plain")
	for _, hostile := range []string{
		`'; rm -rf ~; '`, `" + evil() + "`, `$(evil)`, "`evil`", `${evil}`, `\`, `\\`, `\"`, `\'`, `a\u0022;evil()//`, `'''`, `"""`, `%s%d`, `*/ evil /*`, `{{.}}`,
		`</script><script>`, `é日本`, `@/etc/passwd`, `-o/tmp/x`, `a&scope=admin`, `=`, `#`, `//`,
	} {
		got := programs(t, hostile)
		for language, text := range got {
			wellFormed(t, language, text)
			if skeleton(language, text) != skeleton(language, plain[language]) {
				t.Errorf("%s: %q leaves its literal:\n%s", language, hostile, text)
			}
		}
	}
	for _, refusedValue := range []string{"a\nb", "a\rb", "a\x00b", "a\x1b[31m", "a\u2028b", "a\u202eb", "a\u200bb", "a\u0085b", "\xff", strings.Repeat("x", 300)} {
		if got := programs(t, refusedValue); len(got) != 0 {
			t.Errorf("%q was written", refusedValue)
		}
	}
}

// programs writes every program with one value in every place that a log can fill.
func programs(t *testing.T, value string) map[string]string {
	t.Helper()
	body := goodBody()
	body["client_id"], body["scope"], body["resource"] = value, value, value
	assertion := goodAssertion()
	for _, name := range []string{"iss", "sub", "aud"} {
		assertion.Claims = assertion.Claims.With(name, value)
	}
	assertion.Header = assertion.Header.With("kid", value).With("x5t", value)
	p := acme()
	p.Assertion.Audience = Audience{Values: []string{value}}
	v, e := refused(t, p, snippetRequest(t, formMedia, goodBody()), assertion)
	v.Cause, v.Fix = KeyMismatch, Fix{} // whatever was judged: the values are the case's own
	e.Record.Request.Body = snippetRequest(t, formMedia, body).Body
	out := map[string]string{}
	for _, language := range SnippetLanguages() {
		if text, ok := Snippet(v, e, language); ok {
			out[language] = text
		}
	}
	return out
}

// Where the token is no guide or there is none, values come from the profile and the record, and placeholders stand for the rest.
func TestSnippet_Placeholders(t *testing.T) {
	unruled := &Profile{ID: "acme"}
	for _, tt := range []struct {
		name      string
		profile   *Profile
		cause     Code
		change    func(*Record)
		has, lack []string
	}{
		{"another kind of token", acme(), WrongTokenType, func(r *Record) {
			r.ClientAssertion.Claims = r.ClientAssertion.Claims.With("iss", "https://id.acme.example/")
			r.ClientAssertion.Header = r.ClientAssertion.Header.With("kid", "theirs")
		},
			[]string{`"iss": "bot"`, `"aud": "https://id.acme.example/token"`}, []string{"id.acme.example/\"", "theirs"}},
		{"an unknown client", acme(), UnknownClient, func(*Record) {}, []string{`"iss": "YOUR_CLIENT_ID"`}, []string{`"bot"`}},
		{"an unknown key", acme(), UnknownKey, func(*Record) {}, []string{`"kid": "YOUR_KEY_ID"`}, []string{`"k1"`}},
		{"the wrong audience without a profile", unruled, WrongAudience, func(r *Record) {
			r.ClientAssertion.Claims = r.ClientAssertion.Claims.With("aud", "https://other.example")
		},
			[]string{`"aud": "https://id.acme.example/token"`, `algorithm="RS256"`}, []string{"other.example"}},
		{"another audience without a profile", unruled, KeyMismatch, func(r *Record) {
			r.ClientAssertion.Claims = r.ClientAssertion.Claims.With("aud", "https://id.acme.example/")
		}, []string{`"aud": "https://id.acme.example/",`}, nil},
		{"a URL with a query", unruled, KeyMismatch, func(r *Record) { r.Request.URL += "?client_secret=x" }, []string{`"https://id.acme.example/token",`}, []string{"client_secret"}},
		{"a registered key", withClient(acme()), UnknownKey, func(*Record) {}, []string{`"kid": "k9"`}, []string{`"k1"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, e := refused(t, tt.profile, snippetRequest(t, formMedia, goodBody()), goodAssertion())
			v.Cause, v.Fix = tt.cause, Fix{}
			tt.change(e.Record)
			text, ok := Snippet(v, e, "python")
			if !ok {
				t.Fatal("no program")
			}
			for _, part := range tt.has {
				if !strings.Contains(text, part) {
					t.Errorf("lacks %s:\n%s", part, text)
				}
			}
			for _, part := range tt.lack {
				if strings.Contains(text, part) {
					t.Errorf("has %s:\n%s", part, text)
				}
			}
		})
	}
}

func withClient(p *Profile) *Profile {
	p.Clients = []Client{{ID: "bot", KIDs: []string{"k9"}}}
	return p
}

// A client that could not load its key sent nothing: the program shows how it is loaded.
func TestSnippet_KeyThatCouldNotBeLoaded(t *testing.T) {
	r := &Record{Time: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Provider: "acme", Environment: "prod", ClientID: "bot", Error: "could not load private key: invalid PEM"}
	e := Profiles{acme()}.Locate(r)
	v := Classify(e, History{})
	if v.Cause != BadKeyFormat || v.Phase != ClientSide {
		t.Fatalf("judged %s in %s", v.Cause, v.Phase)
	}
	text, ok := Snippet(v, e, "go")
	if !ok || !strings.Contains(text, `"iss": "bot"`) || !strings.Contains(text, `"https://id.acme.example/token"`) {
		t.Errorf("written %v:\n%s", ok, text)
	}
	wellFormed(t, "go", text)
}

// A URL with a query, credentials or odd characters is not copied, and what no other request mends has no program.
func TestSnippet_None(t *testing.T) {
	unruled := &Profile{ID: "acme", Assertion: &AssertionRules{}}
	for _, url := range []string{"", "ftp://id.example/token", "https://user:pw@id.example/token", "https://id.example/$(x)/token", "https://", "javascript:alert(1)"} {
		request := snippetRequest(t, formMedia, goodBody())
		request.URL = url
		v, e := refused(t, unruled, request, goodAssertion())
		v.Cause, e.Phase, v.Phase = WrongAudience, TokenRequest, TokenRequest
		if text, ok := Snippet(v, e, "curl"); ok {
			t.Errorf("%q was written:\n%s", url, text)
		}
	}
	for name, change := range map[string]func(*Verdict, *Exchange){
		"unclassified": func(v *Verdict, _ *Exchange) { v.Cause = Unclassified },
		"provider":     func(v *Verdict, _ *Exchange) { v.Cause = ProviderUnavailable },
		"api call":     func(v *Verdict, _ *Exchange) { v.Phase = APICall },
		"no record":    func(_ *Verdict, e *Exchange) { e.Record = nil },
		"other grant": func(_ *Verdict, e *Exchange) {
			e.Record.Request.Body = Body(`{"grant_type":"refresh_token","client_assertion":"[jwt]"}`)
		},
		"shared secrets": func(_ *Verdict, e *Exchange) { e.Profile.Assertion.Algorithms = []string{"HS256"} },
	} {
		assertion := goodAssertion()
		assertion.Claims = assertion.Claims.With("aud", "https://api.acme.example")
		v, e := refused(t, acme(), snippetRequest(t, formMedia, goodBody()), assertion)
		if _, ok := Snippet(v, e, "python"); !ok {
			t.Fatal("the plain case has no program")
		}
		change(&v, &e)
		if _, ok := Snippet(v, e, "python"); ok {
			t.Errorf("%s: written", name)
		}
	}
	v, e := refused(t, acme(), snippetRequest(t, formMedia, goodBody()), goodAssertion())
	if _, ok := Snippet(v, e, "cobol"); ok {
		t.Error("an unknown language was written")
	}
}

// wellFormed parses the Go program; of the others it follows the literals and brackets.
func wellFormed(t *testing.T, language, text string) {
	t.Helper()
	if language == "go" {
		if _, err := parser.ParseFile(token.NewFileSet(), "main.go", text, parser.AllErrors); err != nil {
			t.Errorf("%v\n%s", err, text)
			return
		}
		if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
			t.Errorf("gofmt changes the program: %v\n%s", err, text)
		}
		return
	}
	rest := skeleton(language, text)
	if strings.Contains(rest, "UNCLOSED") {
		t.Errorf("%s: a literal has no end:\n%s", language, text)
	}
	if language == "curl" {
		return // the patterns of sed and tr hold single brackets
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		if open, closed := strings.Count(rest, pair[:1]), strings.Count(rest, pair[1:]); open != closed {
			t.Errorf("%s: %d %c and %d %c:\n%s", language, open, pair[0], closed, pair[1], text)
		}
	}
}

// skeleton is the program with each string literal replaced by S. A shell's word may be several literals joined by an escaped quote.
func skeleton(language, text string) string {
	quotes := "\"`"
	if language == "curl" {
		quotes = "'"
		text = strings.ReplaceAll(text, `'\''`, "")
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if !strings.ContainsRune(quotes, rune(text[i])) {
			out.WriteByte(text[i])
			continue
		}
		quote, closed := text[i], false
		for i++; i < len(text) && !closed; i++ {
			switch {
			case text[i] == '\\' && quote == '"':
				i++
			case text[i] == '\n' && quote == '"':
				out.WriteString("UNCLOSED")
				return out.String()
			case text[i] == quote:
				closed = true
			}
		}
		i--
		if !closed {
			out.WriteString("UNCLOSED")
			return out.String()
		}
		out.WriteByte('S')
	}
	return out.String()
}
