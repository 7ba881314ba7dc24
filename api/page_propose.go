package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A proposePage makes a rule for one failure without a cause: what to add to its provider's profile, a fixture for one's own
// tests, and what the rule does to the failures that are stored. It changes nothing; the whole form is in the address.
type proposePage struct {
	frame
	Failure             failureRow
	Cluster             clusterRow
	Action              string
	Phases              []option
	Statuses            []option
	Errors              []option
	Codes               []option
	Causes              []option
	Impossible, Problem string // why there is no rule; what is wrong with the one that was asked for
	Rule                *ruleView
}

func (proposePage) template() string { return "unclassified_rule.html" }

// A ruleView is a proposed rule and what was tried with it.
type ruleView struct {
	Snippet string // YAML
	Where   string // what to do with it
	Fixture string // one line of JSON
	File    string // name for the profile
	Start   string // command that makes the file; "" when the snippet is all of it
	Works   bool
	Result  string
	Group   string // what it does to the failures of the same group
	Others  string // and to the others
	Cause   causeRef
}

func (s *Server) proposePage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	ctx, now, q := c.Request().Context(), s.nowFor(c), c.QueryParams()
	f, err := s.Store.GetFailure(ctx, id)
	if err != nil {
		return err
	}
	rec := recordOf(f.Record)
	if f.Verdict.Cause != classify.Unclassified || rec == nil {
		return store.ErrNotFound
	}
	page := proposePage{frame: s.frameOf(c, "/unclassified"), Failure: failureRowOf(f, now), Action: "/unclassified/" + url.PathEscape(f.ID),
		Cluster: clusterRowOf(s.clustersOf([]store.Failure{f})[0], window{Now: now, From: f.Verdict.Time, To: f.Verdict.Time.Add(time.Second)})}
	exchange := s.classifier.Locate(rec)
	page.offer(f, exchange, q)
	if f.Status == 0 {
		page.Impossible = "There was no response. A profile says what a provider's answers mean, so no rule can be made of this."
	}
	if page.Impossible == "" && q.Get("cause") != "" {
		if err := s.propose(ctx, &page, f, exchange); err != nil {
			return err
		}
	}
	return s.render(c, http.StatusOK, page)
}

// offer fills the form in with what the answer holds; only that can be chosen.
func (p *proposePage) offer(f store.Failure, e classify.Exchange, q url.Values) {
	asked := q.Get("cause") != ""
	choose := func(name, any string, values []string, usual string) []option {
		chosen := usual
		if asked {
			chosen = q.Get(name)
		}
		out := []option{{"", any, chosen == ""}}
		for _, v := range values {
			out = append(out, option{v, line(v), v == chosen})
		}
		return out
	}
	p.Phases = choose("phase", "any step", []string{string(f.Verdict.Phase)}, string(f.Verdict.Phase))
	p.Phases[1].Label = phaseWords(f.Verdict.Phase)
	status := strconv.Itoa(f.Status)
	p.Statuses = choose("status", "any status", []string{status}, status)
	code, _ := classify.Said(e)
	codes, named := codesOf(e.Record)
	if code != "" {
		p.Errors = choose("error", "any error", []string{code}, code)
	}
	usual := ""
	if code == "" && named > 0 {
		usual = codes[0]
	}
	if codes = slices.DeleteFunc(codes, func(v string) bool { return v == code }); len(codes) > 0 {
		p.Codes = choose("code", "any code", codes, usual)
	}
	var first []string
	for _, a := range f.Verdict.Alternatives {
		first = append(first, string(a.Cause))
	}
	p.Causes = causeOptions(first, q.Get("cause"))
}

// causeOptions lists the causes, those that came nearest first.
func causeOptions(first []string, chosen string) []option {
	out := []option{{"", "choose", chosen == ""}}
	for _, near := range []bool{true, false} {
		for _, row := range classify.Catalogue() {
			code := string(row.Code)
			if slices.Contains(first, code) == near && row.Code != classify.Unclassified {
				label := row.Title
				if near {
					label += " (candidate)"
				}
				out = append(out, option{code, label, code == chosen})
			}
		}
	}
	return out
}

const (
	codeLength  = 64
	codesListed = 20
)

// codesOf are the values of an answer's body that are the same each time: no text, no number of one occasion. Those that stand
// under a name for codes come first; named is how many they are.
func codesOf(rec *classify.Record) (codes []string, named int) {
	if rec.Response == nil {
		return nil, 0
	}
	var others []string
	classify.BodyValues(rec.Response.Body, func(path, value string) {
		isCode := value != "" && len(value) <= codeLength && !strings.ContainsAny(value, " \t\r\n") && (classify.Wording(value) == value || len(value) <= 6)
		switch {
		case !isCode || value == strconv.Itoa(rec.Response.Status) || slices.Contains(codes, value) || slices.Contains(others, value):
		case namesCode(path):
			codes = append(codes, value)
		default:
			others = append(others, value)
		}
	})
	named = min(len(codes), codesListed)
	codes = append(codes, others...)
	return codes[:min(len(codes), codesListed)], named
}

// namesCode is true for a member that servers put codes in.
func namesCode(path string) bool {
	name := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
	return strings.Contains(name, "code") || strings.Contains(name, "error") || strings.Contains(name, "reason") || name == "type"
}

func selected(list []option) string {
	n := slices.IndexFunc(list, func(o option) bool { return o.Selected })
	if n < 0 {
		return ""
	}
	return list[n].Value
}

// propose makes the rule that was asked for and tries it.
func (s *Server) propose(ctx context.Context, page *proposePage, f store.Failure, e classify.Exchange) error {
	m := classify.Meaning{Phase: classify.Phase(selected(page.Phases)), Error: selected(page.Errors), Code: selected(page.Codes), Cause: classify.Code(selected(page.Causes))}
	m.Status, _ = strconv.Atoi(selected(page.Statuses))
	if m.Cause == "" {
		page.Problem = "Choose one of the causes."
		return nil
	}
	inForce := s.profile(f.Verdict.Provider)
	draft := &classify.Profile{ID: f.Verdict.Provider, Meanings: []classify.Meaning{m}}
	if inForce == nil {
		draft.Environments = []classify.Environment{whereMet(e)}
	}
	snippet, err := s.Settings.FormatProfile(draft)
	if err != nil {
		return err
	}
	// What is tried is what is shown, read again.
	parsed, err := s.Settings.ParseProfile(snippet)
	if err != nil {
		page.Problem = "Of this no profile can be made. " + profileFaults(err)[0]
		return nil
	}
	fixture, err := fixtureOf(e.Record)
	if err != nil {
		return err
	}
	page.Rule = &ruleView{Snippet: string(snippet), Fixture: fixture, File: draft.ID + ".yaml", Cause: causeOf(m.Cause)}
	page.Rule.say(inForce)
	return s.try(ctx, page, f, e, withMeaning(inForce, parsed))
}

func (r *ruleView) say(inForce *classify.Profile) {
	if inForce == nil {
		r.Where = "No profile in force knows this provider. This one is enough for the rule; add what the provider documents."
		return
	}
	r.Where = "Put the meaning first in the list meanings of the profile's own file."
	r.Start = "authwatch profiles show " + inForce.ID + " > " + r.File
}

// whereMet describes where an unknown provider was met, as far as a profile needs it.
func whereMet(e classify.Exchange) classify.Environment {
	env := classify.Environment{Name: e.Environment}
	if env.Name == "" {
		env.Name = "default"
	}
	if e.Record.Request == nil {
		return env
	}
	u, err := url.Parse(e.Record.Request.URL)
	if err != nil || u.Host == "" {
		return env
	}
	if e.Phase == classify.TokenRequest {
		env.TokenEndpoints = []string{(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()}
		return env
	}
	env.Hosts = []string{u.Host}
	return env
}

// withMeaning is the profile in force with the meanings of a draft before its own; the draft alone when there is none.
func withMeaning(inForce, draft *classify.Profile) *classify.Profile {
	if inForce == nil {
		return draft
	}
	changed := *inForce
	changed.Meanings = slices.Concat(draft.Meanings, inForce.Meanings)
	return &changed
}

// tried bounds the stored failures that a rule is tried on.
const tried = 200

// try judges the failure, and the latest others of its provider, as they would be with the changed profile. There is no
// history in it: what a check or an earlier event knows better shows when the profile is in force.
func (s *Server) try(ctx context.Context, page *proposePage, f store.Failure, e classify.Exchange, changed *classify.Profile) error {
	profiles := classify.Profiles{changed}
	for _, p := range s.Profiles {
		if p.ID != changed.ID {
			profiles = append(profiles, p)
		}
	}
	classifier, cause := classify.New(profiles, s.Knowledge), changed.Meanings[0].Cause
	verdict := classify.Classify(classifier.Locate(e.Record), classify.History{})
	rule := page.Rule
	rule.Works = verdict.Cause == cause
	rule.Result = "With it this record gets the cause " + inSentence(rule.Cause.Title) + "."
	if !rule.Works {
		rule.Result = "With it this record still gets the cause " + inSentence(causeOf(verdict.Cause).Title) + ": " + shown(verdict.Summary, valueLength) +
			" A meaning speaks only when neither a check nor the server's own words decide."
	}
	list, _, err := s.unclassified(ctx, store.FailureFilter{Providers: []string{f.Verdict.Provider}}, tried)
	if err != nil {
		return err
	}
	key, same, sameGet, otherGet := s.keyOfCluster(f), 0, 0, 0
	for _, other := range list {
		rec := recordOf(other.Record)
		gets := rec != nil && classify.Classify(classifier.Locate(rec), classify.History{}).Cause == cause
		inGroup := s.keyOfCluster(other) == key
		switch {
		case inGroup && gets:
			same, sameGet = same+1, sameGet+1
		case inGroup:
			same++
		case gets:
			otherGet++
		}
	}
	rule.Group = fmt.Sprintf("Of %s in this group among the provider's latest, it names the cause of %s.", counted(int64(same), "failure", "failures"), count(int64(sameGet)))
	if otherGet > 0 {
		rule.Others = "It also takes in " + counted(int64(otherGet), "failure", "failures") + " of other groups: see that they mean the same, or make it more particular."
	}
	return nil
}

// fixtureOf is a record as one line of JSON. What a reader would not see is written as an escape, which reads the same.
func fixtureOf(rec *classify.Record) (string, error) {
	text, err := compactJSON(rec)
	if err != nil {
		return "", fmt.Errorf("write fixture: %w", err)
	}
	var b strings.Builder
	for _, r := range text {
		if !isDeceptive(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String(), nil
}
