package classify

import "strings"

const (
	assertionTypeJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	formMedia        = "application/x-www-form-urlencoded"
	jsonMedia        = "application/json"
)

// checkContentType compares the media type of a token request with the profile's, else with RFC 6749 section 3.2.
func checkContentType(x *examination) {
	const check, path = demandContentType, "request.headers.content-type"
	if x.Phase != TokenRequest || x.Record.Request == nil {
		return
	}
	got := x.Record.Request.Headers.Get("content-type")
	want := formMedia
	ruled := x.Profile.Assertion != nil && x.Profile.Assertion.ContentType != ""
	if ruled && x.Profile.Assertion.ContentType != formMedia {
		want = strings.ToLower(x.Profile.Assertion.ContentType)
	}
	if got != want {
		got, _, _ = strings.Cut(strings.ToLower(got), ";")
		got = strings.TrimSpace(got)
	}
	if got == want {
		x.pass(check, path, "the content type is ", want)
		return
	}
	f := finding{cause: WrongContentType, weight: demonstrated, witness: WitnessRequest, path: path, observed: clip(got), expected: want,
		detail: "the content type is " + clip(got) + "; the token endpoint expects " + want, repairs: []Edit{{Op: "replace", Path: path, Value: want}}}
	switch {
	case got == "" && !x.auth.logged:
		x.skip(check, path, "the request's header fields were not logged")
	case got == "":
		f.weight, f.detail = possible, "no content type was sent or logged"
		x.report(check, f)
	case ruled:
		x.report(check, f)
	case got == jsonMedia:
		// RFC 6749 asks for a form, yet large providers take JSON: only the server's words make this a fault.
		switch about := x.words.subject; {
		case x.seenAccepted(FactShape, string(TokenRequest), jsonMedia):
			x.pass(check, path, "requests in JSON were accepted here")
			return
		case about&(aboutContentType|aboutRequest|aboutGrant|aboutAssertion|aboutAssertionType) != 0:
			f.weight = likely
		case about == 0 && x.status() == 400 && x.words.code != "invalid_client" && x.words.code != "invalid_grant":
			f.weight = possible // a server that reads forms finds nothing in this one
		default:
			x.skip(check, path, "no profile says which content type is due; this one is JSON")
			return
		}
		x.report(check, f)
	default:
		x.report(check, f)
	}
}

// checkGrant looks at grant_type, RFC 6749 section 4.4.2.
func checkGrant(x *examination) {
	const check, path = demandGrantType, "request.body.grant_type"
	if x.Phase != TokenRequest || !x.form.known || !x.tokenForm() {
		return
	}
	got := x.form.text("grant_type")
	if got == "client_credentials" {
		x.pass(check, path, "grant_type is client_credentials")
		return
	}
	f := finding{cause: InvalidGrantType, weight: demonstrated, witness: WitnessRequest, path: path, observed: shown(x.form.value("grant_type")), expected: "client_credentials",
		repairs: []Edit{{Op: "replace", Path: path, Value: "client_credentials"}}}
	switch {
	case x.form.twice == "grant_type":
	case got == "" && !x.form.has("grant_type"):
		f.repairs[0].Op, f.detail = "add", "the request has no grant_type"
		x.report(check, f)
	case !registeredGrant(got):
		f.detail = "grant_type is " + said(x.form.value("grant_type")) + ", which no server knows"
		if strings.HasPrefix(got, "http") || strings.HasPrefix(got, "urn:") {
			f.weight = possible
		}
		x.report(check, f)
	case x.Profile.Assertion != nil && x.form.has("client_assertion"):
		f.weight, f.detail = possible, "grant_type is "+clip(got)+", not client_credentials"
		if got == "password" {
			f.weight = likely // a client that authenticates with its own key has no password to send
		}
		x.report(check, f)
	default:
		x.pass(check, path, "grant_type is ", clip(got))
	}
}

// tokenForm tells a token request from another form that carries client authentication: introspection, revocation, PAR.
func (x *examination) tokenForm() bool {
	return !x.form.has("token") && !x.form.has("redirect_uri") && !x.form.has("response_type")
}

func registeredGrant(name string) bool {
	switch name {
	case "client_credentials", "authorization_code", "refresh_token", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer",
		"urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
		"urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:uma-ticket":
		return true
	}
	return false
}

// checkAssertionType looks at client_assertion_type, RFC 7521 section 4.2.
func checkAssertionType(x *examination) {
	const check, path = demandAssertionType, "request.body.client_assertion_type"
	if x.Phase != TokenRequest || !x.form.known || !(x.form.has("client_assertion") || x.form.has("client_assertion_type")) {
		return
	}
	got := x.form.text("client_assertion_type")
	if got == assertionTypeJWT {
		x.pass(check, path, "client_assertion_type is the JWT type of RFC 7523")
		return
	}
	f := finding{cause: InvalidAssertionType, weight: demonstrated, witness: WitnessRequest, path: path, observed: shown(x.form.value("client_assertion_type")), expected: assertionTypeJWT,
		repairs: []Edit{{Op: "replace", Path: path, Value: assertionTypeJWT}}}
	switch {
	case x.form.twice == "client_assertion_type":
	case !x.form.has("client_assertion_type"):
		f.repairs[0].Op, f.detail = "add", "a client_assertion was sent without client_assertion_type"
		x.report(check, f)
	default:
		f.detail = "client_assertion_type is " + said(x.form.value("client_assertion_type")) + ", not that of a JWT"
		x.report(check, f)
	}
}

// checkAssertion asks whether the request authenticates the client at all.
func checkAssertion(x *examination) {
	const check, path = demandClientAuth, "request.body.client_assertion"
	if x.Phase != TokenRequest || !x.form.known {
		return
	}
	marker := x.form.text("client_assertion")
	f := finding{cause: MissingAssertion, weight: demonstrated, witness: WitnessRequest, path: path, detail: "the request has no client_assertion"}
	switch {
	case x.form.blank("client_assertion"):
		f.detail = "client_assertion is empty"
		x.report(check, f)
	case x.form.has("client_assertion"):
		x.presentAssertion(check, path, marker)
	case x.form.has("client_assertion_type"):
		f.detail = "client_assertion_type was sent without client_assertion"
		x.report(check, f)
	case x.form.has("client_secret") || x.auth.present || x.form.has("assertion") || x.form.has("code") || x.token != nil:
		x.pass(check, "", "the client authenticates in another way")
	case x.Profile.Assertion == nil:
		f.weight = likely
		x.report(check, f)
	default:
		x.report(check, f)
	}
}

func (x *examination) presentAssertion(check demand, path, marker string) {
	if strings.HasPrefix(marker, "[malformed") && x.token == nil {
		x.report(check, finding{cause: MalformedJWT, weight: demonstrated, witness: WitnessRequest, path: path, observed: clip(marker),
			detail: "the client_assertion is not a JWT: " + strings.Trim(clip(strings.TrimPrefix(marker, "[malformed")), " :]")})
		return
	}
	if x.token == nil && (x.seenAccepted(FactShape, string(TokenRequest), "jwt") || x.seenElsewhere(FactShape, string(TokenRequest), "jwt")) {
		// Whoever writes these records decodes assertions; one that is not decoded could not be.
		x.report(check, finding{cause: MalformedJWT, weight: likely, witness: WitnessHistory, path: path,
			detail: "the assertion was not decoded, those of accepted requests were"})
		return
	}
	x.pass(check, path, "a client_assertion was sent")
}

// checkParameters looks for what RFC 6749 section 3.2 forbids: a parameter sent twice, two ways of client authentication.
func checkParameters(x *examination) {
	const check = demandParameters
	if x.Phase != TokenRequest || !x.form.known {
		return
	}
	f := finding{cause: InvalidTokenRequest, weight: demonstrated, witness: WitnessRequest}
	switch {
	case x.form.twice != "":
		f.path, f.detail = "request.body."+clip(x.form.twice), "the parameter "+clip(x.form.twice)+" was sent more than once"
		f.observed = shown(x.form.value(x.form.twice))
		x.report(check, f)
	case x.form.has("client_assertion") && (x.auth.present && x.auth.scheme == "basic" || x.form.has("client_secret")):
		f.path, f.detail = "request.body.client_assertion", "the client authenticates in two ways at once"
		if x.auth.scheme == "basic" {
			f.path = "request.headers.authorization"
		}
		x.report(check, f)
	default:
		x.pass(check, "request.body", "no parameter was sent twice")
	}
}

// checkRequestedScope looks at the form of scope, RFC 6749 section 3.3: names separated by single spaces.
func checkRequestedScope(x *examination) {
	const check, path = demandRequestedScope, "request.body.scope"
	if x.Phase != TokenRequest || !x.form.known || !x.form.has("scope") {
		return
	}
	text, ok := x.form.text("scope"), x.form.isText("scope")
	if x.form.twice == "scope" {
		return
	}
	if problem := scopeProblem(text); !ok || problem != "" {
		if !ok {
			problem = "it is no text"
		}
		f := finding{cause: ScopeFormat, weight: likely, witness: WitnessRequest, path: path, observed: shown(x.form.value("scope")), expected: "names separated by spaces",
			detail: "scope is badly formed: " + problem, repairs: []Edit{{Op: "replace", Path: path, Value: repairedScope(text)}}}
		if x.words.subject&aboutScope != 0 {
			f.weight = demonstrated
		}
		x.report(check, f)
		return
	}
	x.pass(check, path, "scope is well formed")
}

// scopeProblem says what is wrong with the form of a scope value.
func scopeProblem(scope string) string {
	if plainScope(scope) {
		return ""
	}
	trimmed := strings.TrimSpace(scope)
	switch {
	case strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "{"):
		return "it is JSON in a text"
	case strings.ContainsAny(trimmed, ",;|"):
		return "the names are separated by " + string(trimmed[strings.IndexAny(trimmed, ",;|")]) + " instead of spaces"
	case strings.ContainsAny(trimmed, "\"\\"):
		return "it holds a character that RFC 6749 does not allow"
	}
	return ""
}

// plainScope is true for a text that holds nothing of what makes a scope badly formed, as nearly every one is.
func plainScope(scope string) bool {
	for i := 0; i < len(scope); i++ {
		switch scope[i] {
		case '[', '{', ',', ';', '|', '"', '\\':
			return false
		}
	}
	return true
}

func repairedScope(scope string) string {
	return clip(strings.Join(splitScope(scope), " "))
}

// splitScope reads the names that a badly formed scope was meant to hold.
func splitScope(scope string) []string {
	return strings.FieldsFunc(scope, func(c rune) bool { return strings.ContainsRune(" ,;|[]{}\"'\t\n", c) })
}

// checkRequestedAudience asks whether the API that the token is for is one of the environment's.
func checkRequestedAudience(x *examination) {
	const check = demandRequestedAudience
	if x.Phase != TokenRequest || !x.form.known {
		return
	}
	for _, name := range [...]string{"audience", "resource"} {
		got := x.form.text(name)
		if got == "" {
			continue
		}
		path := x.join("request.body.", name)
		if x.env == nil || len(x.env.APIAudiences) == 0 {
			x.skip(check, path, "the environment's API audiences are not known")
			return
		}
		if contains(x.env.APIAudiences, got) {
			x.pass(check, path, name, " is an API of ", x.env.Name)
			return
		}
		f := finding{cause: AudienceNotGranted, weight: likely, witness: WitnessRequest, path: path, observed: clip(got), expected: x.env.APIAudiences,
			detail: name + " is " + clip(got) + ", which is no API of " + x.env.Name}
		if other := x.environmentOf(func(e *Environment) bool { return contains(e.APIAudiences, got) }); other != nil {
			f.cause, f.subject = WrongEnvironment, aboutTarget|aboutAudience|aboutRequest
			f.detail = name + " is " + clip(got) + ", the API of " + other.Name + "; this is " + x.env.Name
			f.repairs = []Edit{{Op: "replace", Path: path, Value: x.env.APIAudiences[0]}}
		}
		if x.words.subject&(aboutTarget|aboutAudience) != 0 {
			f.weight = demonstrated
		}
		x.report(check, f)
		return
	}
}
