package api

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// A tokenView is one decoded JWT beside what was expected of it.
type tokenView struct {
	Title     string
	Malformed string
	Signature string
	Rows      []claimRow
	Left      int // rows that were left out of an overlong token
}

// A claimRow is one header parameter or claim: sent, expected, and the result in words.
type claimRow struct {
	Part     string // "header" or "claim"
	Name     string
	Sent     string
	Absent   bool
	Mixed    bool   // the value mixes scripts
	Time     moment // the value as a date
	Relative string // the same relative to the request
	Expected string
	Rule     string // where the expectation comes from
	Result   badge  // zero when nothing was checked
	Detail   string
}

// tokenRows bounds the table: a token of ten thousand claims is an attack on the reader.
const tokenRows = 60

func tokensOf(rec classify.Record, v classify.Verdict, p *classify.Profile) []tokenView {
	var out []tokenView
	for _, t := range []struct {
		title string
		path  string
		jwt   *classify.JWT
	}{
		{"Client assertion", "client_assertion", rec.ClientAssertion},
		{"Access token", "access_token", rec.AccessToken},
	} {
		if t.jwt == nil {
			continue
		}
		view := tokenView{Title: t.title, Malformed: line(t.jwt.Malformed), Signature: t.jwt.Signature}
		b := claimTable{path: t.path, jwt: t.jwt, at: rec.Time, verdict: v, rules: rulesOf(t.path, p, v)}
		view.Rows = b.rows()
		if len(view.Rows) > tokenRows {
			view.Left = len(view.Rows) - tokenRows
			view.Rows = view.Rows[:tokenRows]
		}
		out = append(out, view)
	}
	return out
}

// A claimTable builds the rows of one token.
type claimTable struct {
	path    string // "client_assertion"
	jwt     *classify.JWT
	at      time.Time
	verdict classify.Verdict
	rules   map[string]rule // by "header.alg" or "claims.aud"
}

// A rule is what a profile or an RFC expects of one member.
type rule struct {
	text string
	from string
}

func (t claimTable) rows() []claimRow {
	var rows []claimRow
	for _, part := range []struct {
		name   string
		word   string
		values classify.Object
		usual  []string
	}{
		{"header", "header", t.jwt.Header, []string{"alg", "kid", "typ"}},
		{"claims", "claim", t.jwt.Claims, []string{"iss", "sub", "aud", "client_id", "scope", "iat", "nbf", "exp", "jti"}},
	} {
		for _, name := range t.names(part.name, part.values, part.usual) {
			rows = append(rows, t.row(part.name, part.word, name, part.values.Get(name), part.values.Has(name)))
		}
	}
	return rows
}

// names puts the registered members first, the others by name, and adds those that are missing but expected or complained about.
func (t claimTable) names(part string, values classify.Object, usual []string) []string {
	var names []string
	for _, name := range usual {
		_, wanted := t.rules[part+"."+name]
		if values.Has(name) || wanted || t.concerns(part+"."+name) {
			names = append(names, name)
		}
	}
	for _, m := range values {
		if !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	for key := range t.rules {
		if name, ok := strings.CutPrefix(key, part+"."); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return place(usual, a) - place(usual, b)
	})
	return names
}

func place(usual []string, name string) int {
	if i := slices.Index(usual, name); i >= 0 {
		return i
	}
	return len(usual)
}

func (t claimTable) concerns(member string) bool {
	path := t.path + "." + member
	return slices.ContainsFunc(t.verdict.Evidence, func(e classify.Evidence) bool { return e.Path == path }) ||
		slices.ContainsFunc(t.verdict.Checks, func(c *classify.Check) bool { return c.Path == path && c.Result == classify.Fail })
}

func (t claimTable) row(part, word, name string, value any, sent bool) claimRow {
	r := claimRow{Part: word, Name: line(name), Absent: !sent}
	if sent {
		r.Sent = sentText(value)
		text, _ := value.(string)
		r.Mixed = mixesScripts(text)
		if isTimeClaim(name) && part == "claims" {
			t.tell(&r, name, value)
		}
	}
	path := t.path + "." + part + "." + name
	if want, ok := t.rules[part+"."+name]; ok {
		r.Expected, r.Rule = want.text, want.from
	}
	for _, e := range t.verdict.Evidence {
		if e.Path == path && e.Expected != nil {
			r.Expected = wantedText(e.Expected)
			break
		}
	}
	t.judge(&r, path)
	return r
}

// tell adds the date and its distance from the request to a time claim.
func (t claimTable) tell(r *claimRow, name string, value any) {
	when, ok := numericDate(value, time.Second)
	if !ok || when.Year() > 5000 {
		r.Relative = "not a number of seconds"
		if when, ok := numericDate(value, time.Millisecond); ok && when.Year() > 2000 && when.Year() < 2200 {
			r.Relative = "not a number of seconds; as milliseconds it is " + when.Format("2 Jan 2006 15:04:05") + " UTC"
		}
		return
	}
	r.Time = moment{ISO: when.Format(time.RFC3339), Text: when.Format("2 Jan 2006 15:04:05") + " UTC"}
	r.Relative = claimTimeWords(name, when, t.at)
}

// judge takes the worst result of the checks of this member.
func (t claimTable) judge(r *claimRow, path string) {
	worst := -1
	for _, c := range t.verdict.Checks {
		if c.Path != path {
			continue
		}
		severity := map[classify.CheckResult]int{classify.Pass: 1, classify.NotCheckable: 0, classify.Fail: 2}[c.Result]
		if severity > worst {
			worst = severity
			r.Result, r.Detail = resultBadge(c.Result), shown(c.Detail, 2*valueLength)
		}
	}
}

// rulesOf writes down what the profile demands of the members of one token in the environment of the verdict.
func rulesOf(path string, p *classify.Profile, v classify.Verdict) map[string]rule {
	rules := map[string]rule{}
	if p == nil {
		return rules
	}
	env := environmentOf(p, v.Environment)
	if path == "client_assertion" && p.Assertion != nil {
		assertionRules(rules, p, env, v.ClientID)
	}
	if path == "access_token" {
		accessTokenRules(rules, p, env)
	}
	return rules
}

func environmentOf(p *classify.Profile, name string) classify.Environment {
	for _, e := range p.Environments {
		if e.Name == name {
			return e
		}
	}
	return classify.Environment{}
}

func assertionRules(rules map[string]rule, p *classify.Profile, env classify.Environment, client string) {
	a, from := p.Assertion, p.ID+": assertion."
	for _, name := range a.RequiredClaims {
		rules["claims."+name] = rule{"present", from + "required_claims"}
	}
	for _, name := range a.RequiredHeader {
		rules["header."+name] = rule{"present", from + "required_header"}
	}
	if len(a.Algorithms) > 0 {
		rules["header.alg"] = rule{strings.Join(a.Algorithms, " or "), from + "algorithms"}
	}
	if client != "" {
		rules["claims.iss"] = rule{line(client), "RFC 7523 §3: the client id"}
		rules["claims.sub"] = rule{line(client), "RFC 7523 §3: the client id"}
	}
	where := ", " + env.Name
	switch {
	case a.Audience.Keyword == "token_endpoint" && len(env.TokenEndpoints) > 0:
		rules["claims.aud"] = rule{strings.Join(env.TokenEndpoints, " or "), from + "audience = token endpoint" + where}
	case a.Audience.Keyword == "issuer" && len(env.Issuers) > 0:
		rules["claims.aud"] = rule{strings.Join(env.Issuers, " or "), from + "audience = issuer" + where}
	case len(a.Audience.Values) > 0:
		rules["claims.aud"] = rule{strings.Join(a.Audience.Values, " or "), from + "audience"}
	}
	if a.MaxAge != nil {
		rules["claims.iat"] = rule{"at most " + durationWords(time.Duration(*a.MaxAge)) + " before the request", from + "max_age"}
	}
	if a.MaxLifetime != nil {
		rules["claims.exp"] = rule{"after the request, at most " + durationWords(time.Duration(*a.MaxLifetime)) + " after iat", from + "max_lifetime"}
	}
	if a.SingleUseJTI {
		rules["claims.jti"] = rule{"never used before", from + "single_use_jti"}
	}
}

func accessTokenRules(rules map[string]rule, p *classify.Profile, env classify.Environment) {
	if a := p.AccessToken; a != nil {
		from := p.ID + ": access_token."
		for _, name := range a.RequiredClaims {
			rules["claims."+name] = rule{"present", from + "required_claims"}
		}
		if len(a.Algorithms) > 0 {
			rules["header.alg"] = rule{strings.Join(a.Algorithms, " or "), from + "algorithms"}
		}
		if a.Lifetime != nil {
			rules["claims.exp"] = rule{"after the request; tokens live " + durationWords(time.Duration(*a.Lifetime)), from + "lifetime"}
		}
	}
	if len(env.Issuers) > 0 {
		rules["claims.iss"] = rule{strings.Join(env.Issuers, " or "), p.ID + ": issuers, " + env.Name}
	}
	if len(env.APIAudiences) > 0 {
		rules["claims.aud"] = rule{strings.Join(env.APIAudiences, " or "), p.ID + ": api_audiences, " + env.Name}
	}
}

// recordOf decodes a stored record; nil when there is none to decode.
func recordOf(stored json.RawMessage) *classify.Record {
	var rec classify.Record
	if len(stored) == 0 || json.Unmarshal(stored, &rec) != nil {
		return nil
	}
	return &rec
}
