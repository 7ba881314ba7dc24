package classify

import (
	"bytes"
	"strings"
)

// locate places a record; see Classifier.Locate.
func (ps *places) locate(r *Record, c *Classifier) Exchange {
	var called endpoint
	host := ""
	if r.Request != nil {
		called = endpointAt(r.Request.URL)
		if host = called.host; host == "" {
			host = addressOf(r.Request.Headers.Get("host")).host
		}
	}
	s, env := ps.find(r, &called, host)
	e := Exchange{Record: r, Profile: s.profile, Provider: r.Provider, Environment: r.Environment, Outcome: Other,
		requirements: &s.requirements, knowledge: c.knowledge, causes: c.causes, desks: c.desks, odds: c.odds, hearings: c.hearings, forms: c.forms}
	if env != nil {
		e.Environment = env.Name
	}
	switch {
	case e.Provider != "":
	case s.profile.ID != "":
		e.Provider = s.profile.ID
	default:
		e.Provider = clip(host)
	}
	e.Phase = s.phaseOf(r, &called, c.forms)
	e.ClientID = clip(clientOf(r, e.Phase, c.forms))
	if r.Request != nil {
		e.path, e.routes = called.path, s.routes(called.path)
		e.nameEndpoint(r.Request.Method, host, c.endpoints)
	}
	e.Outcome = s.outcomeOf(&e, &called)
	return e
}

// routes are the profile's, from the first that a path fits.
func (s *site) routes(path string) []ScopeRule {
	list := s.profile.Scopes
	for i := range list {
		if matchesPath(list[i].Path, path) {
			return list[i:]
		}
	}
	return nil
}

// phaseOf tells a token request from an API call by the address, the form and the token that was sent.
func (s *site) phaseOf(r *Record, called *endpoint, known *forms) Phase {
	if (r.Response == nil || r.Response.Status == 0) && r.Error != "" {
		return ClientSide
	}
	if r.Request != nil {
		if s.grants(called) {
			return TokenRequest
		}
		switch method := methodName(r.Request.Method); {
		case r.AccessToken != nil || authorizationOf(r.Request.Headers).scheme == "bearer":
			return APICall
		case method == "POST" && tokenPath(called.path):
			return TokenRequest
		case r.ClientAssertion != nil:
			return TokenRequest
		case method == "POST" && len(r.Request.Body) > 0:
			if f := known.read(r.Request.Body, nil); f.has("grant_type") || f.has("client_assertion") || f.has("client_assertion_type") {
				return TokenRequest
			}
		}
		return APICall
	}
	if r.ClientAssertion != nil && r.AccessToken == nil {
		return TokenRequest
	}
	return APICall
}

// tokenPath recognises the usual paths of token endpoints.
func tokenPath(path string) bool {
	path = strings.ToLower(strings.TrimSuffix(path, "/"))
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "token", "tokens", "token.oauth2", "access_token", "access_tokens", "accesstoken", "accesstokens", "token.php":
		return true
	}
	return false
}

// clientOf is the client that a record is about: what the source says, else what the request says, else what the token claims.
func clientOf(r *Record, phase Phase, known *forms) string {
	if r.ClientID != "" {
		return r.ClientID
	}
	if r.Request != nil && phase == TokenRequest {
		f := known.read(r.Request.Body, nil)
		if id := f.text("client_id"); id != "" {
			return id
		}
		if id, _, ok := strings.Cut(authorizationOf(r.Request.Headers).print, ":"); ok && authorizationOf(r.Request.Headers).scheme == "basic" {
			return id
		}
	}
	if t := r.ClientAssertion; t != nil && phase == TokenRequest {
		for _, name := range [...]string{"iss", "sub"} {
			if id := textOf(t.Claims.Get(name)); id != "" {
				return id
			}
		}
	}
	if t := r.AccessToken; t != nil {
		for _, name := range [...]string{"client_id", "azp", "appid", "cid", "clientId"} {
			if id := textOf(t.Claims.Get(name)); id != "" {
				return id
			}
		}
	}
	return ""
}

// outcomeOf decides what a record means for authentication.
func (s *site) outcomeOf(e *Exchange, called *endpoint) Outcome {
	r := e.Record
	if e.Phase == ClientSide {
		return s.clientSideOutcome(e, called)
	}
	if r.Response == nil {
		return Other
	}
	carried := r.AccessToken != nil || r.ClientAssertion != nil || r.Request != nil && r.Request.Headers.Get("authorization") != ""
	switch status := r.Response.Status; {
	case status == 401, status == 403, status == 407:
		return Failed
	case status == 0:
		return statuslessOutcome(e)
	case status == 429:
		if carried || e.Phase == TokenRequest || e.ClientID != "" {
			return Failed
		}
		return Other
	case status >= 200 && status < 300:
		return successOutcome(e, carried)
	case status == 304 && carried:
		return Accepted
	case status < 400:
		return Other
	case e.Phase == TokenRequest:
		return Failed
	}
	return businessOutcome(e)
}

func (s *site) clientSideOutcome(e *Exchange, called *endpoint) Outcome {
	w := e.hear()
	if w.subject != 0 && w.subject&(aboutKeyFile|aboutServer|aboutStructure|aboutSignature|aboutExpiry|aboutKey|aboutAlgorithm) != 0 {
		if w.subject&aboutServer == 0 || e.Record.Request == nil || s.toTokenEndpoint(called) {
			return Failed
		}
	}
	if w.speaks || e.Record.Request != nil && s.toTokenEndpoint(called) {
		return Failed
	}
	return Other
}

// toTokenEndpoint reports whether a request was sent to a token endpoint, known or by its path.
func (s *site) toTokenEndpoint(called *endpoint) bool {
	return tokenPath(called.path) || s.grants(called)
}

// successOutcome: a 2xx that carries an OAuth error all the same is a failure, some providers answer so.
func successOutcome(e *Exchange, carried bool) Outcome {
	challenge := e.Record.Response.Headers.Get("www-authenticate")
	if strings.Contains(challenge, "error=") {
		return Failed
	}
	if e.Phase == TokenRequest {
		if mayHoldCode(e.Record.Response) && e.hear().oauth {
			return Failed
		}
		return Accepted
	}
	if !carried {
		return Other
	}
	if bodyMentions(e.Record.Response.Body, `"error"`) {
		if w := e.hear(); w.oauth && w.code != "access_denied" && w.code != "invalid_request" {
			return Failed
		}
	}
	return Accepted
}

// statuslessOutcome: some logs keep the answer and not its status. An OAuth error or a challenge with one is a failure whatever the
// status was; anything else says nothing.
func statuslessOutcome(e *Exchange) Outcome {
	w := e.hear()
	general := w.code == "access_denied" || w.code == "invalid_request"
	if w.oauth && (w.challenged || e.Phase == TokenRequest || !general) {
		return Failed
	}
	return Other
}

// mayHoldCode reports whether an answer needs to be read for the code of an OAuth error: that of a granted token has neither a challenge
// nor, between two quotes, such a code.
func mayHoldCode(r *Response) bool {
	if r.Headers.Get("www-authenticate") != "" || bytes.IndexByte(r.Body, '\\') >= 0 {
		return true
	}
	for rest := r.Body; ; {
		i := bytes.IndexByte(rest, '_')
		if i < 0 {
			return false
		}
		start, end := bytes.LastIndexByte(rest[:i], '"')+1, bytes.IndexByte(rest[i:], '"')
		if end < 0 || oauthCode(string(rest[start:i+end])) {
			return true
		}
		rest = rest[i+end+1:]
	}
}

func bodyMentions(body Body, text string) bool {
	head := body
	if len(head) > 4096 {
		head = head[:4096]
	}
	return bytes.Contains(head, []byte(text))
}

// businessOutcome judges the other errors of an API: a failure only if the words are about authentication or the carried token is
// at fault. A gateway's 502 to 504 never looked at the token.
func businessOutcome(e *Exchange) Outcome {
	status := e.Record.Response.Status
	w := e.hear()
	carried := e.Record.AccessToken != nil || e.Record.Request != nil && e.Record.Request.Headers.Get("authorization") != ""
	if w.challenged || w.oauth && w.code != "invalid_request" && w.code != "access_denied" || w.speaks || w.token && carried || e.refusesToken(&w) {
		return Failed
	}
	if _, _, missed := e.missedKey(); missed {
		return Failed
	}
	if status >= 502 && status <= 504 {
		return Other
	}
	x := examine(e, Held{})
	defer x.release()
	if x.token == nil && x.auth.kind != "malformed" && !x.auth.doubled && !x.auth.several {
		return Other
	}
	x.quiet = true
	rules := allRules()
	x.run(rules[:])
	for i := range x.findings {
		switch f := &x.findings[i]; f.trait.group {
		case "structure", "client", "key", "signature", "claims", "time":
			if f.weight == demonstrated {
				return Failed
			}
		default:
			if f.cause == WrongEnvironment && f.weight == demonstrated {
				return Failed
			}
		}
	}
	return Other
}

// refusesToken recognises the answer of a verifier that does not say 401: nothing but one sentence about what only a token has, to a
// call that carried one. Of what other things have as well (a coupon expires, a form has a subject) it says nothing.
func (e *Exchange) refusesToken(w *words) bool {
	const ofTokens = aboutSignature | aboutStructure | aboutAlgorithm | aboutKID | aboutAudience | aboutIssuer | aboutNotBefore | aboutClaims
	status := e.Record.Response.Status
	if status != 400 && status != 422 || w.strength < 2 || w.subject&ofTokens == 0 || w.subject&(aboutServer|aboutScope) != 0 || e.Record.Request == nil {
		return false
	}
	if w.subject&aboutSub != 0 && !containsFold(w.text, "claim") {
		return false // forms have subjects too
	}
	const brief = 160 // bytes of an answer that holds a sentence and a code
	a := authorizationOf(e.Record.Request.Headers)
	return len(e.Record.Response.Body) <= brief && (a.scheme == "bearer" || a.scheme == "jwt") && (a.kind == "jwt" || a.kind == "opaque")
}
