package classify

// A weight says how much a finding may decide.
type weight int

const (
	possible     weight = 1 + iota // it may explain the failure when nothing better does
	likely                         // it is more probable than the plain reading of the server's words
	demonstrated                   // a check that was re-run shows the fault
)

// A finding is a witness's vote: one fault that was seen, and how sure it is.
type finding struct {
	cause    Code
	weight   weight
	witness  Witness
	subject  subject // complaints that the fault comes out as; 0 for the usual ones of its cause
	path     string
	observed any
	expected any
	detail   string
	repairs  []Edit // any one of them repairs the fault
	reads    inputs // of the check that found it
	trait    *trait // of the cause
}

// An examination re-runs every check of one exchange. The checks are independent of each other: they only read the fields above
// findings, so that their order cannot matter.
type examination struct {
	Exchange
	held Held
	at   float64 // when the server judged, in seconds
	gap  float64 // the server's clock against the log's, in seconds; 0 when they agree
	env  *Environment

	token      *JWT   // the one that this phase is about; nil if none is known
	root       string // its path in the record
	assertion  bool   // it is a client assertion at a token endpoint
	unreadable string // why its claims cannot be checked, else ""
	otherKind  string // why it is another kind of token than is due here, else ""
	kindWeight weight // of otherKind
	head       head
	claims     claims
	audiences  []string // of aud, RFC 7519 section 4.1.3
	wellAud    bool     // aud is a text or an array of them
	oneAud     [1]string
	exp        numericDate
	nbf        numericDate
	iat        numericDate
	form       form
	auth       authorization
	words      words
	overruled  bool      // the words were not believed
	doubted    complaint // what they would have said, when another fault that a check shows outweighs them

	findings []finding
	checks   []noted
	passes   demandSet // that were met
	skipped  demandSet // that could not be checked
	unsorted bool      // the checks were not noted in the order of display
	quiet    bool      // findings only: the checks are re-run to verify a fix, and nobody reads the details
	desk     *desk
}

// examine prepares an examination. Who is done with it and all that it holds may release it.
func examine(e *Exchange, held Held) *examination {
	d := e.desks.take()
	x := &d.first
	d.asked = 0
	*x = examination{}
	e.hearInto(&x.words)
	x.Exchange, x.held, x.desk, x.findings, x.checks = *e, held, d, d.findings[:0], d.checks[:0]
	r := e.Record
	x.at, x.gap = r.judgedAt()
	x.env = e.environment()
	switch e.Phase {
	case TokenRequest:
		x.assertion, x.token, x.root = true, r.ClientAssertion, "client_assertion"
		if r.Request != nil {
			x.form = e.forms.read(r.Request.Body, d.params[:0])
		}
	case APICall:
		x.token, x.root = r.AccessToken, "access_token"
		if x.token == nil && r.ClientAssertion != nil {
			x.token, x.root = r.ClientAssertion, "client_assertion"
		}
	}
	if r.Request != nil {
		x.auth = authorizationOf(r.Request.Headers)
	}
	x.readToken()
	return x
}

// readToken reads what several checks ask of the token, once.
func (x *examination) readToken() {
	if x.token == nil {
		return
	}
	x.head, x.claims = headOf(x.token.Header), claimsOf(x.token.Claims)
	x.unreadable = unreadable(x.token)
	x.readClaims()
}

func (x *examination) readClaims() {
	x.otherKind, x.kindWeight = "", demonstrated
	if x.unreadable != "" {
		return
	}
	if text, ok := x.claims.aud.(string); ok {
		x.oneAud[0] = text
		x.audiences, x.wellAud = x.oneAud[:], text != ""
	} else {
		x.audiences, x.wellAud = audiencesOf(x.claims.aud)
	}
	x.exp, x.nbf, x.iat = dateOf(x.claims.exp, x.at), dateOf(x.claims.nbf, x.at), dateOf(x.claims.iat, x.at)
	x.otherKind = x.kindMismatch()
}

// run performs the checks and leaves findings and checks.
func (x *examination) run(rules []rule) {
	for i := range rules {
		x.perform(&rules[i])
	}
}

func (x *examination) perform(r *rule) {
	known := len(x.findings)
	r.check(x)
	for i := known; i < len(x.findings); i++ {
		f := &x.findings[i]
		f.reads, f.trait = r.reads, x.trait(f.cause)
	}
}

// join puts parts together in the desk's one text, so that some thirty small texts cost no more than one.
func (x *examination) join(parts ...string) string { return x.desk.text.join(parts) }

// say is join for details, which are left out when nobody reads them.
func (x *examination) say(parts ...string) string {
	if x.quiet {
		return ""
	}
	return x.desk.text.join(parts)
}

// pass notes that a demand is met; the detail may come in parts.
func (x *examination) pass(check demand, path string, detail ...string) {
	if !x.quiet {
		x.passes |= 1 << check
		x.note(check, Pass, path, detail)
	}
}

func (x *examination) skip(check demand, path, reason string) {
	if !x.quiet {
		x.skipped |= 1 << check
		x.note(check, NotCheckable, path, []string{reason})
	}
}

func (x *examination) note(check demand, result CheckResult, path string, detail []string) {
	n := noted{check, x.minute(check, result, path, detail)}
	if last := len(x.checks) - 1; last >= 0 && x.checks[last].demand >= check && !x.unsorted {
		x.unsorted = compareNotes(x.checks[last], n) > 0
	}
	x.checks = append(x.checks, n)
}

// fail records a check that shows a fault.
func (x *examination) fail(check demand, f finding) {
	if f.witness == "" {
		f.witness = WitnessToken
	}
	if !x.quiet {
		x.note(check, Fail, f.path, []string{f.detail})
	}
	x.findings = append(x.findings, f)
}

// suspect records a sign that is no proof: the check itself could not be run.
func (x *examination) suspect(check demand, f finding) {
	if f.witness == "" {
		f.witness = WitnessToken
	}
	x.skip(check, f.path, f.detail)
	x.findings = append(x.findings, f)
}

// report is fail for a demonstrated finding and suspect for a weaker one.
func (x *examination) report(check demand, f finding) {
	if f.weight == demonstrated {
		x.fail(check, f)
		return
	}
	x.suspect(check, f)
}

// readable reports whether claims can be checked and, if not, says so for the check.
func (x *examination) readable(check demand) bool {
	switch {
	case x.token == nil:
		return false
	case x.unreadable != "":
		x.skip(check, x.root, "the token could not be decoded")
		return false
	case x.otherKind != "" && check != demandExpiry && check != demandAlgorithm:
		x.skip(check, x.root, "it is another kind of token")
		return false
	}
	return true
}

func (x *examination) claim(name string) (any, bool) {
	v := x.claims.get(name)
	return v, v != nil
}

// claimPath is the path of a claim, headerPath that of a header parameter. The usual ones are spelt out, since every check asks for one.
func (x *examination) claimPath(name string) string {
	if x.root == "client_assertion" {
		switch name {
		case "iss":
			return "client_assertion.claims.iss"
		case "sub":
			return "client_assertion.claims.sub"
		case "aud":
			return "client_assertion.claims.aud"
		case "exp":
			return "client_assertion.claims.exp"
		case "iat":
			return "client_assertion.claims.iat"
		case "jti":
			return "client_assertion.claims.jti"
		}
	} else {
		switch name {
		case "iss":
			return "access_token.claims.iss"
		case "aud":
			return "access_token.claims.aud"
		case "exp":
			return "access_token.claims.exp"
		case "iat":
			return "access_token.claims.iat"
		case "scope":
			return "access_token.claims.scope"
		}
	}
	return x.join(x.root, ".claims.", clip(name))
}

func (x *examination) claimsPath() string {
	if x.root == "client_assertion" {
		return "client_assertion.claims"
	}
	return "access_token.claims"
}

func (x *examination) headerPath(name string) string {
	if x.root == "client_assertion" {
		switch name {
		case "alg":
			return "client_assertion.header.alg"
		case "kid":
			return "client_assertion.header.kid"
		}
	}
	return x.join(x.root, ".header.", name)
}

// status is the response's, 0 without one.
func (x *examination) status() int {
	if x.Record.Response == nil {
		return 0
	}
	return x.Record.Response.Status
}

func (x *examination) skew() float64 {
	switch {
	case x.assertion && x.Profile.Assertion != nil && x.Profile.Assertion.ClockSkew != nil:
		return x.Profile.Assertion.ClockSkew.seconds()
	case !x.assertion && x.Profile.AccessToken != nil && x.Profile.AccessToken.ClockSkew != nil:
		return x.Profile.AccessToken.ClockSkew.seconds()
	}
	return 0
}

// algorithms are those that the profile allows, none if it does not say.
func (e *Exchange) algorithms() []string {
	switch p := e.Profile; {
	case e.Phase == TokenRequest && p.Assertion != nil:
		return p.Assertion.Algorithms
	case e.Phase != TokenRequest && p.AccessToken != nil:
		return p.AccessToken.Algorithms
	}
	return nil
}

// unreadable says why a token's claims are no basis for checks.
func unreadable(t *JWT) string {
	switch {
	case t == nil:
		return ""
	case t.Malformed != "":
		return t.Malformed
	case t.Claims == nil:
		return "there is no claims object"
	}
	return ""
}

func contains(list []string, value string) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}
