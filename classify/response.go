package classify

import "strings"

// Words are what the response witness heard: the most telling complaint of a response and how it was said.
type words struct {
	complaint
	code       string // OAuth error, from the challenge or the body
	said       string // the text or code that was shown with the failure, clipped
	saidAt     string
	challenged bool   // a WWW-Authenticate challenge was sent
	schemes    string // of the challenges, joined with spaces
	scope      string // that the challenge asks for
	oauth      bool   // the code is one of RFC 6749, 6750, 8707, 9449 or 9470
	speaks     bool   // the text speaks of authentication
	token      bool   // the text says something particular about a token, of whatever kind
	enumerates bool   // the text lists what may be wrong
	whoever    bool   // the text says that the credentials are not to the server's liking, and nothing of what they are
	page       bool   // the body is an HTML page
	gateway    bool   // the page is one that a proxy or firewall makes
	verifies   bool   // of those, one that can verify tokens

	knowledge *Knowledge // documented texts, nil for none
	provider  string     // whose words they are, as far as is known
	title     string     // of the provider
	mayBe     []Code     // the causes of a documented text that stands for everything, likeliest first
	wording   string     // see compared; "" unless the answer is remembered
}

// hear reads what the server (or, on the client's side, the client's own log line) says.
func (e *Exchange) hear() (w words) {
	e.hearInto(&w)
	return w
}

// hearInto leaves in w what was said.
func (e *Exchange) hearInto(w *words) {
	if e.heard == nil {
		a := answerOf(e)
		e.heard = e.hearings.hear(&a, e.knowledge, w)
	}
	if e.heard != nil {
		*w = *e.heard
	}
}

// words reads the answer: what it hears depends on nothing else.
func (a *answer) words(k *Knowledge) words {
	w := words{knowledge: k, provider: a.provider, title: a.title}
	if a.challenge != "" {
		w.challenges(a.challenge, a.phase)
	}
	readBody(a.body, func(path, key, value string) { w.member(path, key, value, a.phase) })
	if a.note != "" { // what the server, or a gateway before it, noted beside its answer; or the client, when there was none
		w.listen(a.note[:min(len(a.note), maxText)], "error", a.phase)
	}
	return w
}

func (w *words) challenges(field string, phase Phase) {
	const at = "response.headers.www-authenticate"
	w.challenged = true
	for _, c := range challengesOf(field) {
		w.schemes += c.scheme + " "
		if c.failure != "" {
			w.setCode(c.failure, at, phase)
		}
		if c.description != "" {
			w.listen(c.description, at, phase)
		}
		if c.scope != "" && w.scope == "" {
			w.scope = c.scope
		}
	}
	w.schemes = strings.TrimSpace(w.schemes)
}

// member looks at one string or number of the body. Servers put the reason under a few dozen names; names that hold data
// rather than words are skipped, so that an order's "status": "expired" is no complaint; a documented text counts under any name.
func (w *words) member(path, key, value string, phase Phase) {
	if len(value) > maxText {
		value = value[:maxText]
	}
	switch strings.ToLower(key) {
	case "":
		if isHTML(value) {
			w.page = true
			value = pageText(value)
			w.gateway, w.verifies = pageOfGateway(value)
		}
		w.listen(value, path, phase)
		if w.page && w.standing <= ofHint && w.subject&^aboutWhom == 0 {
			w.complaint = complaint{} // the prose of a stock page says no more than its status
		}
	case "error", "code", "error_code", "errorcode", "err", "error_type", "errortype", "__type", "type", "title", "name", "status_code", "error_codes", "fault", "faultcode", "reason", "failure_reason", "result", "statuscode", "sub_error", "suberror":
		w.setCode(value, path, phase)
	case "error_description", "message", "msg", "detail", "details", "description", "error_message", "errormessage", "errorsummary", "errorcauses",
		"faultstring", "error_msg", "hint", "error_hint", "error_debug", "cause", "info", "text", "errors", "developermessage", "diagnostics", "error_detail", "errordetail", "claim", "exception", "debug", "additionaldetails", "causes":
		w.listen(value, path, phase)
	default:
		if w.knowledge.certain(value, phase) {
			w.listen(value, path, phase)
		}
	}
}

// setCode reads a value that is a code at some servers and a sentence at others.
func (w *words) setCode(value, path string, phase Phase) {
	c, generic := complaintOfCode(value)
	if w.code == "" && value != "" {
		if oauthCode(value) {
			w.oauth, w.code = true, value
		} else if strings.HasSuffix(path, ".error") && len(value) <= 64 {
			w.code = value
		}
	}
	if generic {
		w.note(value, path)
		w.speaks = w.speaks || oauthCode(value) && value != "invalid_request" && value != "access_denied"
		return
	}
	if c.subject != 0 {
		c.cause, c.standing = atPhase(c.cause, phase), ofOwn
		w.take(w.recognise(value, phase, c), value, path)
		w.speaks = w.speaks || c.subject&(aboutServer|aboutRate) == 0
		return
	}
	w.listen(value, path, phase)
}

// listen finds the most telling clause. Of equals the later one counts: libraries wrap the reason in what it led to.
func (w *words) listen(value, path string, phase Phase) {
	if value == "" {
		return
	}
	w.note(value, path)
	var best complaint
	var all, before phrase
	reader := phraseReader{lexicon: w.knowledge.vocabulary(), text: value}
	for p, ok := reader.next(); ok; p, ok = reader.next() {
		if boilerplate(p) {
			continue
		}
		if !p.terms.any(predicates) || p.refines(before) {
			p.terms |= before.terms // "missing required claim: jti"
			p.notes |= before.notes
		}
		before = p
		all.terms |= p.terms
		all.words += p.words
		all.notes |= p.notes
		if all.first == 0 {
			all.first = p.first
		}
		c := complaintOf(p, phase)
		if p.enumerates() {
			c.strength, w.enumerates = min(c.strength, 1), true
		}
		if c.subject != 0 && c.strength >= best.strength {
			best = c
		}
	}
	if best.subject == 0 {
		best = complaintOf(all, phase)
	}
	best = w.recognise(value, phase, best)
	if shown := observedCause(value, best.cause); shown != best.cause {
		best.cause, best.also, best.strength = shown, nil, 3
	}
	if best.subject != 0 {
		w.take(best, value, path)
	}
	w.speaks = w.speaks || all.aboutAuth() && (best.strength >= 2 || all.terms.any(pInvalid|pFailed|pDenied))
	w.whoever = w.whoever || all.notes.any(nWhoever) && best.strength < 2
	w.token = w.token || best.strength >= 2 && all.terms.any(tToken)
}

// refines reports whether a clause only says which claim the one before it was about: "invalid type for claim: exp is invalid".
func (p phrase) refines(before phrase) bool {
	return p.terms.any(subjects) && p.terms&predicates&^(pInvalid|pFailed) == 0 && before.terms.all(tClaim|tType) && !before.terms.any(subjects)
}

// aboutAuth reports whether a text uses the vocabulary of authentication; "token" alone is also a coin, a voucher or a link in a mail.
func (p phrase) aboutAuth() bool {
	return p.notes.any(nAuthorization|nJWT) || p.terms.any(tAssertion|tBearer|tPossession) || p.terms.all(tToken|tSignature) || p.notes.any(nAccess) && p.terms.any(tToken)
}

// enumerates reports whether a clause lists what may be wrong ("malformed or has incorrect claims"), which names nothing.
func (p phrase) enumerates() bool {
	if !p.notes.any(nOr) {
		return false
	}
	if p.parts >= 2 {
		return true
	}
	kinds := 0
	for _, kind := range [...]terms{tShape, tExpired, tClaim, tSignature | tKey, tRevoked, pMissing, pUnknown, pInvalid} {
		if p.terms.any(kind) {
			kinds++
		}
	}
	return kinds >= 2
}

// take keeps the stronger complaint.
func (w *words) take(c complaint, value, path string) {
	if c.strength > w.strength || (c.strength == w.strength && w.subject == 0) {
		c.text, c.path = clip(value), path
		w.complaint = c
	}
}

// note remembers the longest thing that was said, for evidence when no complaint is understood.
func (w *words) note(value, path string) {
	if len(value) > len(w.said) && !w.page {
		w.said, w.saidAt = clip(value), path
	}
}

// boilerplate is RFC 6749's own definition of invalid_request, which lists all that may be wrong and so says nothing.
func boilerplate(p phrase) bool {
	return p.terms.all(pMissing|tBody|pInvalid|tShape) && p.words > 8
}

func oauthCode(code string) bool {
	switch code {
	case "invalid_client", "invalid_token", "invalid_grant", "invalid_request", "unauthorized_client", "insufficient_scope", "invalid_scope",
		"unsupported_grant_type", "invalid_target", "jti_known", "invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication",
		"temporarily_unavailable", "invalid_client_assertion", "invalid_assertion", "unsupported_token_type", "access_denied":
		return true
	}
	return false
}

// aboutWhom is what the stock pages of servers speak of: somebody has no permission, or should sign in.
const aboutWhom = aboutAccount | aboutPermission | aboutNoToken | aboutHeader | aboutClient

// pageOfGateway recognises the pages that proxies and firewalls make themselves, by the product that signs them. verifies marks a product
// that can verify tokens itself, and refuses a bad one with the same page as an address.
func pageOfGateway(text string) (gateway, verifies bool) {
	verifies = containsFold(text, "administrative rules", "haproxy", "traefik", "envoy", "openresty", "apache/")
	return verifies || containsFold(text, "nginx", "cloudflare", "akamai", "cloudfront", "varnish", "incapsula", "imperva", "mod_security",
		"modsecurity", "firewall", "request rejected", "requested url was rejected", "request blocked", "microsoft-azure-application-gateway",
		"awselb", "errors.edgesuite.net", "support id", "squid", "ray id", "reference #", "you have been blocked"), verifies
}
