package classify

import (
	"strconv"
	"strings"
)

// statusWords adds what the status itself says. It is part of the server's words: 429 names its cause as well as any text.
func (x *examination) statusWords() {
	w := &x.words
	status := x.status()
	say := func(c complaint, detail string) {
		if c.strength > w.strength || c.strength == 3 {
			c.path, c.text, c.standing = "response.status", detail, ofOwn
			w.complaint = c
		}
	}
	switch {
	case status == 415 && x.Phase == TokenRequest:
		say(named(aboutContentType, WrongContentType), "415 Unsupported Media Type")
	case status == 429:
		say(named(aboutRate, RateLimited), "429 Too Many Requests")
	case status == 407:
		say(named(aboutGateway, BlockedByGateway), "407 Proxy Authentication Required")
	case status >= 502 && status <= 504 && w.subject&^(aboutGateway|aboutServer|aboutRate) == 0:
		say(named(aboutServer, ProviderUnavailable), "the gateway reports that the server behind it did not answer")
	case status == 403 && w.page && w.gateway:
		x.gatewayPage()
	case status == 403 && w.page && x.Phase == TokenRequest && w.strength < 3:
		say(hinted(aboutGateway, BlockedByGateway), "a token endpoint answers in JSON; this page is somebody else's")
	case w.page && w.gateway && w.subject&aboutGateway != 0 && status != 403:
		w.complaint = complaint{} // a proxy's error page for another status says nothing
	}
	if w.page && status >= 500 && w.subject&^(aboutServer|aboutGateway|aboutRate) != 0 {
		w.complaint = complaint{} // the page of an exception quotes the server's own source
	}
	if status == 503 && w.subject == 0 {
		say(named(aboutServer, ProviderUnavailable), "503 Service Unavailable")
	}
	if !w.page && w.cause != UnknownKey {
		if path, text, missed := x.missedKey(); missed {
			c := named(aboutKID|aboutKey, UnknownKey)
			c.path, c.text = path, clip(text)
			w.complaint = c
		}
	}
}

// missedKey finds the words of an answer that say that something was not found and name it as the token's own kid: whatever a server
// calls its keys (authority, signer, certificate), that is one it does not know.
func (e *Exchange) missedKey() (path, text string, missed bool) {
	const distinct = 8 // characters; "1" and "2026" are in many sentences
	t := e.credential()
	if t == nil || e.Record.Response == nil {
		return "", "", false
	}
	kid := textOf(t.Header.Get("kid"))
	if len(kid) < distinct || !bodyMentions(e.Record.Response.Body, kid) {
		return "", "", false
	}
	return e.Record.Response.missing(kid)
}

// missing finds a value of the body that names something and says that it was not found.
func (r *Response) missing(name string) (path, text string, missed bool) {
	readBody(r.Body, func(at, _, value string) {
		if !missed && strings.Contains(value, name) && containsFold(value, "not found", "no ", "unable to find", "could not find", "cannot find", "unknown", "not known", "does not exist") {
			path, text, missed = at, value, true
		}
	})
	return path, text, missed
}

// gatewayPage reads the page with which a proxy or firewall refuses. It names who refused and not why: whatever is wrong with the
// request explains it better, and a proxy that verifies tokens has the same page for a bad signature.
func (x *examination) gatewayPage() {
	c := named(aboutGateway, BlockedByGateway)
	c.path, c.text, c.standing = "response.status", "the page is a gateway's own, not the API's", ofWhom
	if x.words.verifies && x.Phase == APICall && x.auth.kind != "" {
		c.strength, c.also = 2, []Code{InvalidSignature}
		if x.token == nil {
			c.strength = 1 // a token was sent, and nothing of it can be seen
		}
	}
	x.words.complaint = c
}

// residual is what remains when no check shows a fault: the causes that could not be checked, by what is known to be in order.
func (x *examination) residual(explained bool) []candidate {
	at := func(cause Code, detail string) []candidate {
		return []candidate{{cause: cause, score: scoreResidual, detail: detail}}
	}
	if explained || x.words.strength >= 2 {
		return nil
	}
	if x.Phase == ClientSide {
		return x.residualSilence(at)
	}
	if x.words.cause == BlockedByGateway {
		return []candidate{{cause: BlockedByGateway, score: scoreOpen + 1}, {cause: InvalidSignature, score: scoreOpen}}
	}
	if status := x.status(); status == 403 && x.gatewayHeaders() {
		return at(BlockedByGateway, "a page of the server in front refused the request before the API saw it")
	}
	return append(x.documented(), x.undocumented(at)...)
}

// residualSilence: a client that got no answer and names no fault of its own could not reach the server. HTTP clients write the
// method and the address before the reason, which redaction or a logger may have cut. A line that repeats an answer is none of these.
func (x *examination) residualSilence(at func(Code, string) []candidate) []candidate {
	if containsFold(x.Record.Error, "invalid", "unauthorized", "forbidden", "denied", "status", " 400", " 401", " 403") {
		return nil
	}
	if strings.Contains(x.Record.Error, "://") || x.Record.Request != nil && x.Record.Request.URL != "" {
		return at(ProviderUnavailable, "there was no answer, and the client reports no fault of its own")
	}
	return nil
}

// undocumented reads what remains by the protocol alone.
func (x *examination) undocumented(at func(Code, string) []candidate) []candidate {
	status := x.status()
	switch {
	case x.Phase == TokenRequest && status >= 500 && x.words.code != "" && (x.token == nil || x.unreadable != ""):
		return nil // an answer of the server itself, which stumbled over something in the request that cannot be seen
	case x.Phase == TokenRequest && status >= 500:
		return at(ProviderUnavailable, "the token endpoint answered with a server error and nothing is wrong with the request")
	case status == 403 && x.Phase == APICall:
		return at(x.refusedAction())
	case status == 403 && x.words.code == "" && x.token != nil && x.unreadable == "" && x.form.text("scope") != "":
		return at(ScopeGap, "the client was recognised (403, not 401), and asked for "+said(x.form.text("scope")))
	case x.Phase == TokenRequest:
		return x.residualAssertion()
	case status == 401 || x.words.oauth:
		return x.residualToken()
	}
	return nil
}

// refusedAction reads a bare 403 by what the token shows: what it lacks that accepted tokens at this endpoint have, else what it
// holds. A token that carries scopes, and no roles, is refused for a scope, unless the route's scopes are known to be there.
func (x *examination) refusedAction() (Code, string) {
	_, _, source := x.neededScopes()
	if x.token == nil && source != "" {
		return ScopeGap, "the caller was recognised (403, not 401), and " + source + " asks for scopes on this route; the token was not logged"
	}
	if x.token != nil && x.unreadable == "" {
		scopes, roles := x.strangeGrant(grantScopes), x.strangeGrant(grantRoles)
		_, scoped := x.claim("scope")
		switch {
		case source == "" && scopes && !roles:
			return ScopeGap, "the caller was recognised (403, not 401); accepted tokens have other scopes here, this one has " + said(x.claims.scope)
		case roles && !scopes:
			return InsufficientPermissions, "the caller was recognised (403, not 401); accepted tokens have other roles here"
		case source == "" && scoped && x.claims.get("roles") == nil && x.claims.get("permissions") == nil && x.claims.get("groups") == nil:
			return ScopeGap, "the caller was recognised (403, not 401); which scope the route needs is not known, the token has " + said(x.claims.scope)
		}
	}
	return InsufficientPermissions, "the caller was recognised (403, not 401) and nothing is wrong with the token"
}

// strangeGrant reports whether tokens with other grants of the sort were accepted at this endpoint, and none with these.
func (x *examination) strangeGrant(sort string) bool {
	return x.asks(FactShape, x.Environment) && x.seenAccepted(FactShape, grantName(x.Endpoint, sort, nil)) && !x.seenAccepted(FactShape, grantName(x.Endpoint, sort, x.token))
}

// gatewayHeaders recognises an HTML answer of a server that only stands in front, when the page itself was not logged.
func (x *examination) gatewayHeaders() bool {
	h := x.Record.Response.Headers
	return len(x.Record.Response.Body) == 0 && !x.words.challenged && strings.HasPrefix(h.Get("content-type"), "text/html") &&
		containsFold(h.Get("server"), "nginx", "cloudflare", "akamai", "cloudfront", "awselb", "haproxy", "envoy", "varnish", "openresty", "apache")
}

// residualAssertion: an assertion that passes every check and is refused all the same was most likely signed with another key,
// since the signature is what a log cannot show. invalid_request says that it is something else.
func (x *examination) residualAssertion() []candidate {
	t := x.token
	if t == nil && x.status() == 401 && x.words.said == "invalid_client" && x.Profile.Assertion != nil && x.form.has("client_assertion") {
		return []candidate{{cause: KeyMismatch, score: scoreResidual, detail: "the answer is a bare invalid_client and the assertion was not logged; the usual reason is the key"}}
	}
	if t == nil || x.unreadable != "" || t.Signature == "valid" || x.words.code == "invalid_request" || (x.status() == 400 || x.status() == 0) && x.words.code != "invalid_client" && x.words.code != "invalid_grant" && x.words.code != "invalid_client_assertion" {
		return nil
	}
	for i := range x.findings {
		if x.findings[i].weight >= possible && x.findings[i].subject&aboutTarget != 0 {
			return nil
		}
	}
	if x.words.code == "invalid_client" && !x.passed(demandClient) {
		// Of a client that is not known to be one, nothing says that it was its key that failed.
		return []candidate{{cause: UnknownClient, score: scoreOpen + 2}, {cause: KeyMismatch, score: scoreOpen + 1}, {cause: WrongEnvironment, score: scoreOpen}}
	}
	detail := "the assertion passes every check that can be run; its signature cannot be checked here"
	return []candidate{{cause: KeyMismatch, score: scoreResidual, detail: detail}}
}

// residualToken: the same for a bearer token. A token that worked before and has not expired was revoked; where opaque tokens are
// the rule, that is the best reading of a refusal as well.
func (x *examination) residualToken() []candidate {
	if f, ok := x.tokenFact(); ok && f.acceptedBy(x.Record.Time) {
		return []candidate{{cause: RevokedToken, score: scoreResidual + 50, detail: "the same token was accepted before and has not expired"}}
	}
	switch {
	case x.token == nil && x.auth.kind == "opaque" && x.seenAccepted(FactShape, string(APICall), "opaque"):
		return []candidate{{cause: RevokedToken, score: scoreResidual, detail: "opaque tokens are accepted here; this one no longer is"}}
	case x.token != nil && x.unreadable == "" && x.strangeGrant(grantScopes) && !x.strangeGrant(grantRoles):
		return []candidate{{cause: ScopeGap, score: scoreResidual, witness: WitnessHistory, path: x.claimPath("scope"),
			detail: "accepted tokens have other scopes here; this one has " + said(x.claims.scope)}}
	case x.words.whoever: // a server that knows who somebody is has read the token
		return []candidate{{cause: RevokedToken, score: scoreOpen + 1}, {cause: InvalidSignature, score: scoreOpen}}
	case x.token != nil && x.unreadable == "" && x.token.Signature != "valid":
		return []candidate{{cause: InvalidSignature, score: scoreResidual, detail: "the token passes every check that can be run; its signature cannot be checked here"}}
	}
	return nil
}

// documented reads the answer as the provider's documents do. It comes before the general reading of the same answer, and after what
// history knows of this very token.
func (x *examination) documented() []candidate {
	for i := range x.Profile.Meanings {
		m := &x.Profile.Meanings[i]
		if x.answered(m) && !x.passed(x.trait(m.Cause).check) {
			what, path := x.bareAnswer(m)
			return []candidate{{cause: m.Cause, score: scoreResidual + 20, witness: WitnessResponse, path: path,
				detail: "a bare " + what + " means " + string(m.Cause) + " by the documents of " + clip(x.Profile.ID) + " (its profile, meanings[" + strconv.Itoa(i) + "])"}}
		}
	}
	return nil
}

func (x *examination) answered(m *Meaning) bool {
	return (m.Phase == "" || m.Phase == x.Phase) && (m.Status == 0 || m.Status == x.status()) &&
		(m.Error == "" || m.Error == x.words.code) && (m.Code == "" || x.bodyHolds(m.Code))
}

func (x *examination) bodyHolds(value string) bool {
	found := false
	if x.Record.Response != nil {
		readBody(x.Record.Response.Body, func(_, _, v string) { found = found || v == value })
	}
	return found
}

// bareAnswer names the most particular member of a meaning, and where the record has it.
func (x *examination) bareAnswer(m *Meaning) (what, path string) {
	switch {
	case m.Code != "":
		return clip(m.Code), "response.body"
	case m.Error != "":
		return clip(m.Error), x.words.saidAt
	}
	return strconv.Itoa(m.Status), "response.status"
}

// passed reports whether the check was run and found nothing.
func (x *examination) passed(check demand) bool { return check != 0 && x.passes&(1<<check) != 0 }
