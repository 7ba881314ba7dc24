package classify

import "strings"

// grantedScopes appends the scopes of an access token to a list: scope (RFC 9068) or scp (Entra, Okta).
func (x *examination) grantedScopes(list []string) (_ []string, problem, path string, value any) {
	for _, name := range [...]string{"scope", "scp"} {
		v, ok := x.claim(name)
		if !ok {
			continue
		}
		path = x.claimPath(name)
		switch s := v.(type) {
		case string:
			return appendFields(list, s), scopeProblem(s), path, v
		case []any:
			for _, e := range s[:min(len(s), maxAudiences)] {
				list = append(list, textOf(e))
			}
			if name == "scope" {
				problem = "it is an array where a text is due"
			}
			return list, problem, path, v
		default:
			return nil, "it is no text", path, v
		}
	}
	return nil, "", x.claimPath("scope"), nil
}

// neededScopes are those that the profile lists for the route, else those that the server's challenge names.
func (x *examination) neededScopes() (anyOf, allOf []string, source string) {
	if x.Record.Request != nil {
		for i := range x.routes {
			rule := &x.routes[i]
			if (rule.Method == "" || rule.Method == methodName(x.Record.Request.Method)) && (i == 0 || matchesPath(rule.Path, x.path)) {
				return rule.AnyOf, rule.AllOf, "the profile"
			}
		}
	}
	if x.words.scope != "" {
		return nil, strings.Fields(x.words.scope), "the challenge"
	}
	return nil, nil, ""
}

// checkScope compares the scopes of the token with those that the route needs.
func checkScope(x *examination) {
	const check = demandScope
	if x.Phase != APICall || !x.readable(check) {
		return
	}
	anyOf, allOf, source := x.neededScopes()
	var room [16]string
	granted, problem, path, value := x.grantedScopes(room[:0])
	if source == "" && problem == "" {
		x.skip(check, path, "no profile says which scopes this route needs")
		return
	}
	missing := missingScopes(granted, anyOf, allOf)
	if len(missing) == 0 && problem == "" {
		x.pass(check, path, "the token has the scope that the route needs")
		return
	}
	want := strings.Join(missing, " ")
	f := finding{cause: ScopeGap, weight: demonstrated, path: path, observed: shown(value), expected: want,
		detail: "the token has no scope " + clip(want) + ", which " + source + " asks for on this route"}
	if text, _ := value.(string); problem != "" {
		inside := splitScope(text)
		if list, ok := value.([]any); ok && len(list) > 0 {
			inside = granted
		}
		if source == "" || len(missingScopes(inside, anyOf, allOf)) == 0 {
			f.cause, f.detail = ScopeFormat, "the scope is there but badly formed: "+problem
			f.repairs = []Edit{{Op: "replace", Path: path, Value: clip(strings.Join(inside, " "))}}
		}
	} else if len(missing) == 0 {
		return
	}
	if x.status() != 403 && x.words.subject&(aboutScope|aboutPermission) == 0 {
		f.weight = possible // a 401 comes before scopes are looked at
	}
	x.report(check, f)
}

func missingScopes(granted, anyOf, allOf []string) []string {
	var missing []string
	for _, s := range allOf {
		if !contains(granted, s) {
			missing = append(missing, s)
		}
	}
	if len(anyOf) == 0 {
		return missing
	}
	for _, s := range anyOf {
		if contains(granted, s) {
			return missing
		}
	}
	return append(missing, anyOf[0])
}

// checkAccount looks for a route that names another account than the token does.
func checkAccount(x *examination) {
	const check = demandAccount
	if x.Phase != APICall || x.Record.Request == nil || x.status() != 403 && x.words.subject&(aboutAccount|aboutPermission) == 0 || !x.readable(check) {
		return
	}
	for _, name := range [...]string{"account_id", "account", "tenant_id", "tenant", "tid", "org_id", "organization_id", "organization", "company_id", "company", "merchant_id", "customer_id", "firm_id"} {
		own := textOf(x.claims.get(name))
		if own == "" {
			continue
		}
		x.suspectAccount(check, x.claimPath(name), own)
		return
	}
}

func (x *examination) suspectAccount(check demand, path, own string) {
	route := addressOf(x.Record.Request.URL).path
	f := finding{cause: AccountAccessDenied, weight: likely, path: path, observed: clip(own)}
	if typeNote(own) {
		other, sure := namedAccount(route)
		if other == "" {
			x.skip(check, path, "the token's account was not kept and the route names none")
			return
		}
		if !sure {
			f.weight = possible
		}
		f.expected, f.detail = clip(other), "the token is bound to an account, whose name is not kept; the route names "+clip(other)
		x.suspect(check, f)
		return
	}
	other := foreignAccount(route, own)
	if other == "" {
		x.skip(check, path, "the route names no other account")
		return
	}
	f.expected, f.detail = clip(other), "the token is for account "+clip(own)+", the route names "+clip(other)
	x.suspect(check, f)
}

// typeNote recognises what a redactor leaves of a claim that may be personal: "string(8)".
func typeNote(value string) bool {
	return strings.HasPrefix(value, "string(") && strings.HasSuffix(value, ")")
}

// namedAccount returns the segment of a route that stands where an account belongs. sure: the collection before it is one of
// accounts; else it is any collection whose member is a name rather than a number.
func namedAccount(path string) (name string, sure bool) {
	previous := ""
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch {
		case accountCollection(previous):
			return segment, true
		case name == "" && len(previous) > 2 && strings.HasSuffix(previous, "s") && strings.ContainsAny(segment, "-_") && makeOf(segment) != "0":
			name = segment
		}
		previous = segment
	}
	return name, false
}

// foreignAccount returns the path segment that stands where an account belongs and is not own: after a collection of accounts,
// or of the same make as own ("acc_7731" and "acc_9018").
func foreignAccount(path, own string) string {
	var found string
	previous := ""
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch {
		case segment == own:
			return ""
		case found == "" && previous != "" && strings.HasSuffix(previous, "s"):
			if accountCollection(previous) || (makeOf(segment) == makeOf(own) && strings.ContainsAny(own, "0123456789_-") && strings.ContainsAny(segment, "-_")) {
				found = segment
			}
		}
		previous = segment
	}
	return found
}

func accountCollection(name string) bool {
	switch strings.ToLower(name) {
	case "accounts", "tenants", "orgs", "organizations", "organisations", "companies", "merchants", "customers", "firms", "workspaces", "teams", "subaccounts":
		return true
	}
	return false
}

// makeOf is the pattern of an identifier: runs of letters as a, of digits as 0, anything else as it is.
func makeOf(id string) string {
	var out []byte
	for i := 0; i < len(id) && i < 64; i++ {
		c := id[i]
		switch {
		case c >= '0' && c <= '9':
			c = '0'
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			c = 'a'
		}
		if n := len(out); n == 0 || out[n-1] != c {
			out = append(out, c)
		}
	}
	return string(out)
}

// checkPossession looks at tokens that are bound to a key of their sender, RFC 9449 and 8705.
func checkPossession(x *examination) {
	const check, path = demandPossession, "access_token.claims.cnf"
	if x.Phase != APICall || !x.readable(check) {
		return
	}
	cnf, ok := x.claims.get("cnf").(map[string]any)
	if !ok {
		return
	}
	f := finding{cause: ProofOfPossession, weight: demonstrated, subject: aboutPossession | aboutHeader, path: path, observed: shown(map[string]any(cnf)), expected: "Authorization: DPoP with a proof",
		detail: "the token is bound to a DPoP key but was sent as a plain bearer token"}
	switch {
	case textOf(cnf["jkt"]) == "":
		x.skip(check, path, "the binding is to a certificate, which logs do not show")
	case x.auth.scheme == "dpop":
		x.skip(check, path, "the proof itself is not in the record")
	case x.auth.scheme != "bearer":
		x.skip(check, path, "the scheme was not logged")
	default:
		x.report(check, f)
	}
}
