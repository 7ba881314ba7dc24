package classify

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// SnippetLanguages lists what Snippet can write, in the order in which to offer it.
func SnippetLanguages() []string { return []string{"curl", "python", "node", "go", "java"} }

// Snippet is a short program in one of SnippetLanguages that makes the token request of this failure as it should be, with the values
// of this case: endpoint, client, aud, alg, kid, lifetime, content type, scope. The private key is the placeholder private_key.pem. There
// is none for failures that no other request mends, for other grants than client_credentials, for shared secrets, and when a value
// holds what must not stand in a program: control characters, or more text than any identifier has.
//
// Values come from logs and are hostile; each is quoted for the language that it stands in.
func Snippet(v Verdict, e Exchange, language string) (string, bool) {
	source, ok := snippetSource(language)
	if !ok || e.Record == nil || e.Profile == nil {
		return "", false
	}
	values, ok := snippetOf(v, e)
	if !ok || !values.writable(language) {
		return "", false
	}
	program, err := template.New(language).Funcs(template.FuncMap{
		"text": quotedText, "shell": quotedShell, "object": jsonMembers,
		"parameter": func(m member) string { return "&" + url.QueryEscape(m.Name) + "=" + url.QueryEscape(m.Value) },
	}).Parse(source)
	if err != nil {
		return "", false
	}
	var out strings.Builder
	if err := program.Execute(&out, values); err != nil {
		return "", false
	}
	return out.String(), true
}

// A member is a name and its text: of a JOSE header, of the claims or of the request.
type member struct{ Name, Value string }

// A snippet holds what the programs need.
type snippet struct {
	Endpoint  string
	Algorithm string
	Header    []member // beside alg and typ
	Claims    []member // iss, sub, aud and those that the profile asks for besides
	NotBefore bool
	Lifetime  int64 // seconds
	JSON      bool  // of the request's body; else it is a form
	Body      []member
}

// snippetOf gathers the values from the record with the fix applied, and from the profile where the record is wrong.
func snippetOf(v Verdict, e Exchange) (snippet, bool) {
	if !snippetHelps(v) {
		return snippet{}, false
	}
	x := examine(&e, Held{})
	x.assertion, x.root = true, "client_assertion" // what follows is about the assertion, also when the client could not make one
	fixed := x.edited(v.Fix.Edits).Record
	token := fixed.ClientAssertion
	if token == nil || v.Cause == WrongTokenType || v.Cause == MalformedJWT {
		token = &JWT{} // what another token says is no guide
		x.ClientID = fixed.ClientID
	}
	f := form{}
	if fixed.Request != nil {
		f = formOf(fixed.Request.Body)
	}
	if grant := f.text("grant_type"); grant != "" && grant != "client_credentials" || f.has("assertion") {
		return snippet{}, false
	}
	client := x.snippetClient(v.Cause, token, f)
	s := snippet{Endpoint: x.snippetEndpoint(), Lifetime: x.properLifetime(), JSON: x.snippetJSON(fixed.Request)}
	s.Algorithm = x.snippetAlgorithm(token)
	s.Header = x.snippetHeader(v.Cause, token)
	s.Claims = []member{{"iss", client}, {"sub", client}, {"aud", x.snippetAudience(v.Cause, token, s.Endpoint)}}
	for _, name := range x.required().claims {
		switch name {
		case "iss", "sub", "aud", "exp", "iat", "jti":
		case "nbf":
			s.NotBefore = true
		default:
			s.Claims = append(s.Claims, member{name, known(textOf(token.Claims.Get(name)), "YOUR_"+strings.ToUpper(name))})
		}
	}
	if !f.known || f.has("client_id") {
		s.Body = append(s.Body, member{"client_id", client})
	}
	for _, name := range []string{"scope", "audience", "resource"} {
		if value := f.text(name); value != "" {
			s.Body = append(s.Body, member{name, value})
		}
	}
	return s, s.Endpoint != "" && s.Algorithm != "" && s.Lifetime > 0 && s.sound()
}

// snippetHelps says whether another token request would have passed.
func snippetHelps(v Verdict) bool {
	switch v.Cause {
	case Unclassified, ProviderUnavailable, RateLimited, BlockedByGateway, InsufficientPermissions, AccountAccessDenied, StepUpRequired, ProofOfPossession:
		return false
	}
	return v.Phase == TokenRequest || v.Phase == ClientSide && v.Cause == BadKeyFormat
}

// known is the value, or the placeholder where there is none or only another placeholder.
func known(value, placeholder string) string {
	if value == "" || strings.HasPrefix(value, "<") || strings.HasPrefix(value, "[") {
		return placeholder
	}
	return value
}

func (x *examination) snippetClient(cause Code, token *JWT, f form) string {
	const placeholder = "YOUR_CLIENT_ID"
	if cause == UnknownClient {
		return placeholder // the one that was sent is not registered
	}
	sub := known(textOf(token.Claims.Get("sub")), f.text("client_id"))
	return known(known(sub, x.ClientID), placeholder)
}

// snippetEndpoint is the token endpoint that was called, else the environment's. What is no plain URL is none: a query may hold secrets.
func (x *examination) snippetEndpoint() string {
	if x.env != nil && len(x.env.TokenEndpoints) > 0 {
		return plainURL(x.calledOr(x.env.TokenEndpoints))
	}
	if x.Record.Request == nil || x.Phase != TokenRequest {
		return ""
	}
	return plainURL(x.Record.Request.URL)
}

func plainURL(text string) string {
	text, _, _ = strings.Cut(text, "?")
	text, _, _ = strings.Cut(text, "#")
	rest, ok := strings.CutPrefix(text, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(text, "http://")
	}
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~/:%", r))
	}
	if !ok || rest == "" || rest[0] == '/' || strings.ContainsFunc(rest, odd) {
		return ""
	}
	return text
}

// snippetAudience is what the profile asks for, else the one that was sent unless it was the fault, else the endpoint.
func (x *examination) snippetAudience(cause Code, token *JWT, endpoint string) string {
	list, _ := audiencesOf(token.Claims.Get("aud"))
	want := x.wantedAudiences(x.env)
	for _, aud := range list {
		if contains(want, aud) {
			return aud
		}
	}
	switch {
	case len(want) > 0:
		return x.calledOr(want)
	case len(list) == 1 && cause != WrongAudience && cause != WrongEnvironment:
		return known(list[0], endpoint)
	}
	return endpoint
}

// snippetAlgorithm is the one that was used, if it is allowed and has a private key, else the first such that the profile allows.
func (x *examination) snippetAlgorithm(token *JWT) string {
	allowed := x.algorithms()
	used := textOf(token.Header.Get("alg"))
	if asymmetric(used) && (len(allowed) == 0 || contains(allowed, used)) {
		return used
	}
	for _, alg := range allowed {
		if asymmetric(alg) {
			return alg
		}
	}
	if len(allowed) == 0 {
		return "RS256"
	}
	return ""
}

func asymmetric(alg string) bool {
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA":
		return true
	}
	return false
}

// snippetHeader names the key: by its kid, and by its certificate where the token did.
func (x *examination) snippetHeader(cause Code, token *JWT) []member {
	var out []member
	kid := textOf(token.Header.Get("kid"))
	if cause == UnknownKey || cause == KeyReusedAcrossEnvironments {
		kid = x.someKID() // the one that was sent is not registered here
	}
	required := x.Profile.Assertion != nil && contains(x.Profile.Assertion.RequiredHeader, "kid")
	if kid != "" || required {
		out = append(out, member{"kid", known(kid, "YOUR_KEY_ID")})
	}
	for _, name := range []string{"x5t", "x5t#S256"} {
		if value := textOf(token.Header.Get(name)); value != "" {
			out = append(out, member{name, value})
		}
	}
	return out
}

func (x *examination) snippetJSON(r *Request) bool {
	media := ""
	if r != nil {
		media = r.Headers.Get("content-type")
	}
	if x.Profile.Assertion != nil && x.Profile.Assertion.ContentType != "" {
		media = x.Profile.Assertion.ContentType
	}
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(media)), "application/json")
}

// sound refuses values that no identifier has: control and formatting characters could break out of a line, or show another
// program than the one that runs.
func (s snippet) sound() bool {
	for _, list := range [][]member{s.Header, s.Claims, s.Body} {
		for _, m := range list {
			if len(m.Value) > maxShown || !utf8.ValidString(m.Value) || strings.ContainsFunc(m.Value, func(r rune) bool { return !unicode.IsPrint(r) }) {
				return false
			}
		}
	}
	return true
}

// writable says whether the language's usual tools can sign with the algorithm in a few lines.
func (s snippet) writable(language string) bool {
	return s.Algorithm != "EdDSA" || language != "curl"
}

// quotedText is a string literal of Python, JavaScript, Go and Java, for printable text.
func quotedText(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// quotedShell is one word of a POSIX shell.
func quotedShell(value string) string {
	return `'` + strings.ReplaceAll(value, `'`, `'\''`) + `'`
}

// jsonMembers is the inside of a JSON object.
func jsonMembers(list []member) string {
	var out strings.Builder
	for _, m := range list {
		name, _ := json.Marshal(m.Name) // strings always encode
		value, _ := json.Marshal(m.Value)
		fmt.Fprintf(&out, "%s:%s,", name, value)
	}
	return strings.TrimSuffix(out.String(), ",")
}

// Family is RS, PS, ES or Ed.
func (s snippet) Family() string { return s.Algorithm[:2] }

// Bits are the digest's: 256 of RS256.
func (s snippet) Bits() string { return s.Algorithm[2:] }

// HalfSignature is how many hexadecimal digits one number of an ECDSA signature has, RFC 7518 section 3.4.
func (s snippet) HalfSignature() string {
	return map[string]string{"256": "64", "384": "96", "512": "132"}[s.Bits()]
}

// FullHeader is the JOSE header.
func (s snippet) FullHeader() []member {
	return append([]member{{"alg", s.Algorithm}, {"typ", "JWT"}}, s.Header...)
}

// JavaKey is the name of the key's algorithm in the Java Security Standard Algorithm Names.
func (s snippet) JavaKey() string {
	switch s.Family() {
	case "ES":
		return "EC"
	case "Ed":
		return "Ed25519"
	}
	return "RSA"
}

// JavaSignature is the signature's name there. The P1363 format is the one that RFC 7518 asks for.
func (s snippet) JavaSignature() string {
	switch s.Family() {
	case "ES":
		return "SHA" + s.Bits() + "withECDSAinP1363Format"
	case "Ed":
		return "Ed25519"
	case "PS":
		return "RSASSA-PSS"
	}
	return "SHA" + s.Bits() + "withRSA"
}
