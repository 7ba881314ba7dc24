package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/ingest"
)

// A checkPlace is where an assertion would be sent.
type checkPlace struct {
	profiles    classify.Profiles
	profile     *classify.Profile
	environment classify.Environment
	redactor    *ingest.Redactor
}

// A checkReport is the result of check. Its JSON form is a contract.
type checkReport struct {
	WouldPass   bool              `json:"would_pass"` // no check that can be run fails
	Provider    string            `json:"provider"`
	Environment string            `json:"environment,omitempty"`
	Time        time.Time         `json:"time"` // at which it was judged
	Checks      []classify.Check  `json:"checks"`
	Warnings    []checkWarning    `json:"warnings"`          // they never make it fail
	Verdict     *classify.Verdict `json:"verdict,omitempty"` // of the first failing cause: what a refusal would be explained with
	Source      string            `json:"-"`                 // the file to show findings at; "" if none is known
}

// A checkWarning is what may fail at this server, what will fail later, or what cannot be checked.
type checkWarning struct {
	Code   string `json:"code"` // audience_next, no_environment, fresh_jti, fresh_iat, or the cause that may be met
	Path   string `json:"path,omitempty"`
	Detail string `json:"detail"`
}

// examine judges the samples. Of two, the second must pass as well, with the jti of the first already used.
func (p *checkPlace) examine(samples []assertionSample) (*checkReport, error) {
	history := classify.History{}
	var exchanges []classify.Exchange
	var report *checkReport
	for i, s := range samples {
		e, err := p.exchange(s, fmt.Sprintf("run %d", i+1))
		if err != nil {
			return nil, err
		}
		exchanges = append(exchanges, e)
		if report = p.report(e, history); !report.WouldPass {
			break
		}
		history.Observe(usedJTI(e))
	}
	if len(samples) > 1 && len(exchanges) > 1 {
		report.compare(p.singleUse(), exchanges[0].Record.ClientAssertion, exchanges[1].Record.ClientAssertion)
	}
	last := exchanges[len(exchanges)-1]
	report.Warnings = append(report.Warnings, nextAudience(last)...)
	if len(p.profile.Environments) == 0 {
		report.Warnings = append(report.Warnings, checkWarning{Code: "no_environment",
			Detail: "profile " + p.profile.ID + " names no environments, so not every claim can be checked: start one of your own from authwatch profiles show " + p.profile.ID})
	}
	slices.SortStableFunc(report.Checks, func(a, b classify.Check) int { return cmp.Compare(resultRank(a.Result), resultRank(b.Result)) })
	return report, nil
}

// resultRank shows what fails first, then what could not be checked.
func resultRank(r classify.CheckResult) int {
	return slices.Index([]classify.CheckResult{classify.Fail, classify.NotCheckable, classify.Pass}, r)
}

// exchange is the token request that would carry the assertion, without an answer, read as any other record is: decoded, verified,
// redacted.
func (p *checkPlace) exchange(s assertionSample, id string) (classify.Exchange, error) {
	body := map[string]any{"grant_type": "client_credentials", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": "[jwt]"}
	record := map[string]any{"time": s.at.UTC().Format(time.RFC3339Nano), "id": id, "provider": p.profile.ID, "environment": p.environment.Name}
	if strings.HasPrefix(s.text, "{") {
		token, err := decodedAssertion(s.text)
		if err != nil {
			return classify.Exchange{}, err
		}
		record["client_assertion"] = token
	} else {
		body["client_assertion"] = s.text
	}
	request := map[string]any{"method": "POST", "headers": map[string]any{"content-type": p.contentType()}, "body": body}
	if len(p.environment.TokenEndpoints) > 0 {
		request["url"] = p.environment.TokenEndpoints[0]
	}
	record["request"] = request
	text, err := json.Marshal(record)
	if err != nil {
		return classify.Exchange{}, fmt.Errorf("build the token request: %w", err)
	}
	records, bad := ingest.Decode(text, p.redactor)
	if len(bad) > 0 {
		return classify.Exchange{}, usageError("the assertion cannot be read: %s", bad[0].Detail)
	}
	e := p.profiles.Locate(&records[0].Record)
	if e.Profile.ID != p.profile.ID || e.Environment != p.environment.Name { // redaction changed a name: other rules would be checked
		return classify.Exchange{}, usageError("the names of the provider and the environment must not look like secrets")
	}
	if checks, _ := classify.Examine(e, nil); e.Record.ClientAssertion == nil && !slices.ContainsFunc(checks, failed) {
		return classify.Exchange{}, usageError("this is no client assertion: a raw JWT, {\"header\",\"claims\"} or the claims are expected")
	}
	return e, nil
}

func (p *checkPlace) contentType() string {
	if p.profile.Assertion != nil && p.profile.Assertion.ContentType != "" {
		return p.profile.Assertion.ContentType
	}
	return "application/x-www-form-urlencoded"
}

func (p *checkPlace) singleUse() bool {
	return p.profile.Assertion != nil && p.profile.Assertion.SingleUseJTI
}

// decodedAssertion reads {"header","claims"} ("payload" is what many decoders call claims), or the claims alone.
func decodedAssertion(text string) (any, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil {
		return nil, usageError("the assertion begins like JSON and is none")
	}
	for _, name := range []string{"header", "claims", "payload"} {
		if value, ok := members[name]; ok && strings.HasPrefix(strings.TrimSpace(string(value)), "{") {
			return members, nil
		}
	}
	return map[string]any{"claims": members}, nil
}

func failed(c classify.Check) bool { return c.Result == classify.Fail }

func (p *checkPlace) report(e classify.Exchange, history classify.History) *checkReport {
	r := &checkReport{Provider: p.profile.ID, Environment: p.environment.Name, Time: e.Record.Time, Warnings: []checkWarning{}}
	checks, doubts := classify.Examine(e, history)
	for _, d := range doubts {
		r.Warnings = append(r.Warnings, checkWarning{Code: string(d.Cause), Path: d.Path, Detail: d.Detail})
	}
	r.Checks = slices.DeleteFunc(checks, aboutOurRequest)
	r.WouldPass = !slices.ContainsFunc(r.Checks, failed)
	if !r.WouldPass {
		v := classify.Classify(e, history)
		v.ID = "" // the runs' names are only there to tell them apart
		v.Checks = slices.DeleteFunc(v.Checks, func(c *classify.Check) bool { return aboutOurRequest(*c) })
		r.Verdict = &v
	}
	return r
}

// aboutOurRequest is true for what the request around the assertion passes: nobody sent it, so it says nothing about the client.
func aboutOurRequest(c classify.Check) bool {
	return c.Result != classify.Fail && strings.HasPrefix(c.Path, "request.")
}

// usedJTI is what history would know of the jti after the server took the assertion. Nothing else is kept of a request that was
// never sent: a kid or an audience is not right because it came twice.
func usedJTI(e classify.Exchange) []classify.Fact {
	accepted := *e.Record
	accepted.Response = &classify.Response{Status: 200}
	e.Record, e.Outcome = &accepted, classify.Accepted
	return slices.DeleteFunc(e.Facts(), func(f classify.Fact) bool { return f.Key.Kind != classify.FactJTI })
}

// compare looks for an assertion that is kept instead of made anew. It fails where each may be used once; elsewhere it is a warning.
func (r *checkReport) compare(singleUse bool, first, second *classify.JWT) {
	if first == nil || second == nil {
		return
	}
	for _, claim := range []struct{ check, name, same string }{
		{"fresh_jti", "jti", "both runs printed the same jti: the second use of an assertion is refused as a replay"},
		{"fresh_iat", "iat", "both runs printed the same iat: the assertion is kept, and is refused once it is too old"},
	} {
		path := "client_assertion.claims." + claim.name
		a, b := first.Claims.Get(claim.name), second.Claims.Get(claim.name)
		check := classify.Check{Check: claim.check, Result: classify.Pass, Path: path, Detail: claim.name + " moved between the two runs"}
		switch same := fmt.Sprint(a) == fmt.Sprint(b); {
		case a == nil || b == nil:
			check.Result, check.Detail = classify.NotCheckable, "there is no "+claim.name
		case same && singleUse:
			check.Result, check.Detail, r.WouldPass = classify.Fail, claim.same, false
		case same:
			check.Result, check.Detail = classify.NotCheckable, "both runs printed the same "+claim.name+"; the profile does not say that an assertion may be used only once"
			r.Warnings = append(r.Warnings, checkWarning{Code: claim.check, Path: path, Detail: claim.same})
		}
		r.Checks = append(r.Checks, check)
	}
}

// nextAudience asks whether aud will still pass when the provider does what it announced, RFC 10070: the issuer alone.
func nextAudience(e classify.Exchange) []checkWarning {
	next := e.Profile.AudienceNext
	if next == "" || e.Record.ClientAssertion == nil {
		return nil
	}
	later, rules := *e.Profile, classify.AssertionRules{}
	if e.Profile.Assertion != nil {
		rules = *e.Profile.Assertion
	}
	rules.Audience = classify.Audience{Keyword: next}
	later.Assertion, e.Profile = &rules, &later
	const path = "client_assertion.claims.aud"
	checks, _ := classify.Examine(e, nil)
	for _, c := range checks {
		if c.Check == "audience" && c.Result == classify.Fail {
			return []checkWarning{{Code: "audience_next", Path: path, Detail: "the provider announced that it will take only the " + strings.ReplaceAll(next, "_", " ") + " as aud: " + c.Detail}}
		}
	}
	if list, ok := e.Record.ClientAssertion.Claims.Get("aud").([]any); ok && len(list) > 1 && next == classify.AudienceIssuer {
		return []checkWarning{{Code: "audience_next", Path: path, Detail: "the provider announced that it will take only the issuer as aud, and nothing beside it (RFC 10070)"}}
	}
	return nil
}
