package classify

import "strings"

// locate places a record; see Classifier.Locate.
func (ps Profiles) locate(r *Record, k *Knowledge) Exchange {
	host := hostOf(r)
	profile, env := ps.place(r, host)
	e := Exchange{Record: r, Profile: profile, Provider: r.Provider, Environment: r.Environment, Outcome: Other, knowledge: k}
	if env != nil {
		e.Environment = env.Name
	}
	switch {
	case e.Provider != "":
	case profile.ID != "":
		e.Provider = profile.ID
	default:
		e.Provider = clip(host)
	}
	e.Phase = phaseOf(r, profile)
	e.ClientID = clip(clientOf(r, e.Phase))
	e.Endpoint = endpointOf(r, profile)
	e.Outcome = outcomeOf(e)
	return e
}

// place finds the profile, by the record's provider or by the host that was called, and the environment of that host.
func (ps Profiles) place(r *Record, host string) (*Profile, *Environment) {
	for _, p := range ps {
		if p != nil && p.ID == r.Provider && r.Provider != "" {
			return p, environmentCalled(p, r, host)
		}
	}
	for _, p := range ps {
		if p == nil {
			continue
		}
		if env := environmentAt(p, r, host); env != nil {
			return p, env
		}
	}
	return &Profile{}, nil
}

// environmentCalled is the environment of the host, else the one that the record names.
func environmentCalled(p *Profile, r *Record, host string) *Environment {
	if env := environmentAt(p, r, host); env != nil {
		return env
	}
	return environmentNamed(p, r.Environment)
}

// environmentAt finds the environment that owns the host. Where several share it, the token endpoint's whole URL decides, then the record.
func environmentAt(p *Profile, r *Record, host string) *Environment {
	if host == "" {
		return nil
	}
	var found *Environment
	shared := false
	for i := range p.Environments {
		env := &p.Environments[i]
		if r.Request != nil {
			for _, u := range env.TokenEndpoints {
				if sameURL(u, r.Request.URL) {
					return env
				}
			}
		}
		if ownsHost(env, host) {
			shared = shared || found != nil
			if found == nil {
				found = env
			}
		}
	}
	if shared {
		if env := environmentNamed(p, r.Environment); env != nil {
			return env
		}
	}
	return found
}

func ownsHost(env *Environment, host string) bool {
	for _, h := range env.Hosts {
		if h == host || addressOf(h).host == host {
			return true
		}
	}
	for _, list := range [...][]string{env.TokenEndpoints, env.APIAudiences, env.Issuers} {
		for _, u := range list {
			if a := addressOf(u); a.scheme != "" && a.host == host {
				return true
			}
		}
	}
	return false
}

// phaseOf tells a token request from an API call by the address, the form and the token that was sent.
func phaseOf(r *Record, p *Profile) Phase {
	if (r.Response == nil || r.Response.Status == 0) && r.Error != "" {
		return ClientSide
	}
	if r.Request != nil {
		for i := range p.Environments {
			for _, u := range p.Environments[i].TokenEndpoints {
				if sameURL(u, r.Request.URL) {
					return TokenRequest
				}
			}
		}
		bearer := authorizationOf(r.Request.Headers).scheme == "bearer"
		switch method := methodName(r.Request.Method); {
		case bearer || r.AccessToken != nil:
			return APICall
		case method == "POST" && tokenPath(addressOf(r.Request.URL).path):
			return TokenRequest
		case r.ClientAssertion != nil:
			return TokenRequest
		case method == "POST" && len(r.Request.Body) > 0:
			if f := formOf(r.Request.Body); f.has("grant_type") || f.has("client_assertion") || f.has("client_assertion_type") {
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
	case "token", "tokens", "token.oauth2", "access_token", "accesstoken", "token.php":
		return true
	}
	return false
}

// clientOf is the client that a record is about: what the source says, else what the request says, else what the token claims.
func clientOf(r *Record, phase Phase) string {
	if r.ClientID != "" {
		return r.ClientID
	}
	if r.Request != nil && phase == TokenRequest {
		f := formOf(r.Request.Body)
		if id := f.text("client_id"); id != "" {
			return id
		}
		if id, _, ok := strings.Cut(authorizationOf(r.Request.Headers).print, ":"); ok && authorizationOf(r.Request.Headers).scheme == "basic" {
			return id
		}
	}
	if t := r.ClientAssertion; t != nil && phase == TokenRequest {
		for _, name := range [...]string{"iss", "sub"} {
			if id := textOf(t.Claims[name]); id != "" {
				return id
			}
		}
	}
	if t := r.AccessToken; t != nil {
		for _, name := range [...]string{"client_id", "azp", "appid", "cid", "clientId"} {
			if id := textOf(t.Claims[name]); id != "" {
				return id
			}
		}
	}
	return ""
}

// outcomeOf decides what a record means for authentication, design part 3.
func outcomeOf(e Exchange) Outcome {
	r := e.Record
	if e.Phase == ClientSide {
		return clientSideOutcome(e)
	}
	if r.Response == nil {
		return Other
	}
	carried := r.AccessToken != nil || r.ClientAssertion != nil || r.Request != nil && r.Request.Headers["authorization"] != ""
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

func clientSideOutcome(e Exchange) Outcome {
	w := hear(e, ClientSide)
	if w.subject != 0 && w.subject&(aboutKeyFile|aboutServer|aboutStructure|aboutSignature|aboutExpiry|aboutKey|aboutAlgorithm) != 0 {
		if w.subject&aboutServer == 0 || e.Record.Request == nil || toTokenEndpoint(e) {
			return Failed
		}
	}
	if w.speaks || e.Record.Request != nil && toTokenEndpoint(e) {
		return Failed
	}
	return Other
}

func toTokenEndpoint(e Exchange) bool {
	if tokenPath(addressOf(e.Record.Request.URL).path) {
		return true
	}
	for i := range e.Profile.Environments {
		for _, u := range e.Profile.Environments[i].TokenEndpoints {
			if sameURL(u, e.Record.Request.URL) {
				return true
			}
		}
	}
	return false
}

// successOutcome: a 2xx that carries an OAuth error all the same is a failure, some providers answer so.
func successOutcome(e Exchange, carried bool) Outcome {
	challenge := e.Record.Response.Headers["www-authenticate"]
	if strings.Contains(challenge, "error=") {
		return Failed
	}
	if e.Phase == TokenRequest {
		if hear(e, e.Phase).oauth {
			return Failed
		}
		return Accepted
	}
	if !carried {
		return Other
	}
	if bodyMentions(e.Record.Response.Body, `"error"`) {
		if w := hear(e, e.Phase); w.oauth && w.code != "access_denied" && w.code != "invalid_request" {
			return Failed
		}
	}
	return Accepted
}

// statuslessOutcome: some logs keep the answer and not its status. An OAuth error or a challenge with one is a failure whatever the
// status was; anything else says nothing.
func statuslessOutcome(e Exchange) Outcome {
	w := hear(e, e.Phase)
	general := w.code == "access_denied" || w.code == "invalid_request"
	if w.oauth && (w.challenged || e.Phase == TokenRequest || !general) {
		return Failed
	}
	return Other
}

func bodyMentions(body Body, text string) bool {
	head := body
	if len(head) > 4096 {
		head = head[:4096]
	}
	return strings.Contains(string(head), text)
}

// businessOutcome judges the other errors of an API: a failure only if the words are about authentication or the carried token is
// at fault. A gateway's 502 to 504 never looked at the token.
func businessOutcome(e Exchange) Outcome {
	status := e.Record.Response.Status
	w := hear(e, e.Phase)
	carried := e.Record.AccessToken != nil || e.Record.Request != nil && e.Record.Request.Headers["authorization"] != ""
	if w.challenged || w.oauth && w.code != "invalid_request" && w.code != "access_denied" || w.speaks || w.token && carried {
		return Failed
	}
	if status >= 502 && status <= 504 {
		return Other
	}
	x := examine(e, nil)
	if x.token == nil && x.auth.kind != "malformed" && !x.auth.doubled && !x.auth.several {
		return Other
	}
	x.quiet = true
	x.run(allChecks())
	for i := range x.findings {
		switch f := &x.findings[i]; groupOf(f.cause) {
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
