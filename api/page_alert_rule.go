package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A rulePage is the form of one rule, with what it would have found.
type rulePage struct {
	frame
	Title   string
	Action  string // where the form goes
	Seen    string // version of the rule that is shown; "" for a new one
	Saved   bool   // it exists: it can be deleted
	Problem string
	Form    ruleForm
	Preview *previewView
}

func (rulePage) template() string { return "alert_rule.html" }

// A ruleForm is the form as it is filled in.
type ruleForm struct {
	Name                             string
	Enabled                          bool
	Kinds                            []option
	AtLeast, Percent, Minutes        string
	Causes                           []causeTicks
	Ticked                           string // how many causes are
	Faults, Receivers                []option
	Clients, Providers, Environments string // one a line
}

// A causeTicks is the causes of one group to tick.
type causeTicks struct {
	Name   string
	Causes []option
}

// A previewView says what a rule would have found.
type previewView struct {
	Words string
	Times []previewRow
}

type previewRow struct {
	When  moment
	About string
	URL   string
}

func (s *Server) newRulePage(c echo.Context) error {
	return s.showRule(c, http.StatusOK, rulePage{}, newRuleJSON{Condition: conditionJSON{Kind: store.AlertNew}})
}

func (s *Server) rulePage(c echo.Context) error {
	r, err := s.ruleOf(c)
	if err != nil {
		return err
	}
	shown := toRuleJSON(r)
	page := rulePage{Saved: true, Action: ruleURL(r.ID), Seen: strconv.FormatInt(r.Version, 10)}
	if page.Preview, err = s.preview(c.Request().Context(), r); err != nil {
		return err
	}
	return s.showRule(c, http.StatusOK, page, newRuleJSON{Name: r.Name, Enabled: &r.Enabled, Match: shown.Match, Condition: shown.Condition, Receivers: r.Receivers})
}

func (s *Server) showRule(c echo.Context, status int, page rulePage, given newRuleJSON) error {
	page.frame = s.frameOf(c, "/alerts")
	page.Title = "New rule"
	if page.Saved {
		page.Title = "Rule " + line(given.Name)
	}
	if page.Action == "" {
		page.Action = "/alerts/rules"
	}
	page.Form = s.ruleFormOf(given)
	return s.render(c, status, page)
}

func (s *Server) ruleFormOf(given newRuleJSON) ruleForm {
	f := ruleForm{Name: given.Name, Enabled: given.Enabled == nil || *given.Enabled, Clients: strings.Join(given.Match.Clients, "\n"),
		Providers: strings.Join(given.Match.Providers, "\n"), Environments: strings.Join(given.Match.Environments, "\n")}
	if given.Condition.AtLeast != 0 {
		f.AtLeast = strconv.FormatInt(given.Condition.AtLeast, 10)
	}
	if given.Condition.Percent != 0 {
		f.Percent = strconv.FormatFloat(given.Condition.Percent, 'f', -1, 64)
	}
	f.Minutes = minutesOf(given.Condition.Window)
	labels := map[store.AlertKind]string{
		store.AlertNew: "An incident that never was before", store.AlertRegression: "An incident that was resolved and is back",
		store.AlertCount: "Many failures of one incident", store.AlertTotal: "Many failures in one environment",
		store.AlertShare: "A large share of an environment's requests", store.AlertOutbreak: "Many clients begin to fail at once",
	}
	for _, kind := range store.AlertKinds() {
		f.Kinds = append(f.Kinds, option{string(kind), labels[kind], kind == given.Condition.Kind})
	}
	for _, row := range classify.Catalogue() {
		name := capitalize(row.Group)
		if name == "" {
			name = "No known cause"
		}
		if len(f.Causes) == 0 || f.Causes[len(f.Causes)-1].Name != name {
			f.Causes = append(f.Causes, causeTicks{Name: name})
		}
		group := &f.Causes[len(f.Causes)-1]
		group.Causes = append(group.Causes, option{string(row.Code), row.Title, slices.Contains(given.Match.Causes, row.Code)})
	}
	f.Ticked = "any"
	if n := len(given.Match.Causes); n > 0 {
		f.Ticked = counted(int64(n), "cause", "causes")
	}
	for _, fault := range classify.Faults() {
		f.Faults = append(f.Faults, option{string(fault), faultBadge(fault).Text, slices.Contains(given.Match.Faults, fault)})
	}
	for _, r := range s.Alerts.Receivers {
		f.Receivers = append(f.Receivers, option{r.Name, r.Name + " (" + r.Kind + ")", slices.Contains(given.Receivers, r.Name)})
	}
	for _, name := range given.Receivers { // one that the operator's file names no more stays visible, and can be unticked
		if !slices.ContainsFunc(f.Receivers, func(o option) bool { return o.Value == name }) {
			f.Receivers = append(f.Receivers, option{name, line(name) + " (not in the file of receivers)", true})
		}
	}
	return f
}

// minutesOf writes a window that is whole minutes as the form does; what is not valid stays as it was written.
func minutesOf(window string) string {
	for _, unit := range []struct {
		suffix  string
		minutes int
	}{{"h", 60}, {"m", 1}} {
		if n, err := strconv.Atoi(strings.TrimSuffix(window, unit.suffix)); err == nil && strings.HasSuffix(window, unit.suffix) {
			return strconv.Itoa(n * unit.minutes)
		}
	}
	return window
}

// ruleOfForm reads the form of a rule. Fields that do not belong to the kind are left out: the form shows them all.
func ruleOfForm(form url.Values) newRuleJSON {
	enabled := form.Get("enabled") == "yes"
	given := newRuleJSON{Name: form.Get("name"), Enabled: &enabled, Receivers: form["receiver"], Condition: conditionJSON{Kind: store.AlertKind(form.Get("kind"))},
		Match: matchJSON{Clients: linesOf(form.Get("clients")), Providers: linesOf(form.Get("providers")), Environments: linesOf(form.Get("environments"))}}
	for _, cause := range form["cause"] {
		given.Match.Causes = append(given.Match.Causes, classify.Code(cause))
	}
	for _, fault := range form["fault"] {
		given.Match.Faults = append(given.Match.Faults, classify.Fault(fault))
	}
	kind := given.Condition.Kind
	if kind == store.AlertNew || kind == store.AlertRegression {
		return given
	}
	given.Condition.AtLeast, _ = strconv.ParseInt(strings.TrimSpace(form.Get("at_least")), 10, 64) // 0 is refused, with words
	if minutes := strings.TrimSpace(form.Get("minutes")); minutes != "" {
		given.Condition.Window = minutes + "m"
	}
	if kind == store.AlertShare {
		given.Condition.Percent, _ = strconv.ParseFloat(strings.TrimSpace(form.Get("percent")), 64)
	}
	return given
}

func linesOf(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// saveRule takes the form: its buttons ask for a preview, or save.
func (s *Server) saveRule(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return fail(http.StatusBadRequest, "The form cannot be read.")
	}
	given := ruleOfForm(form)
	page := rulePage{Seen: form.Get("version")}
	r, faults := s.rule(given)
	if c.Param("id") != "" {
		was, err := s.ruleOf(c)
		if err != nil {
			return err
		}
		r.ID, page.Saved, page.Action = was.ID, true, ruleURL(was.ID)
		if r.Version, err = strconv.ParseInt(page.Seen, 10, 64); err != nil || r.Version < 1 {
			return fail(http.StatusBadRequest, "The version of the rule is not a number; open the rule again.")
		}
	}
	if len(faults) > 0 {
		page.Problem = fieldWords(faults[0])
		return s.showRule(c, http.StatusBadRequest, page, given)
	}
	ctx := c.Request().Context()
	if form.Get("do") == "preview" {
		if page.Preview, err = s.preview(ctx, r); err != nil {
			return err
		}
		return s.showRule(c, http.StatusOK, page, given)
	}
	r.UpdatedBy = s.user(c).Name
	if r.ID == "" {
		_, err = s.Store.CreateAlertRule(ctx, r)
	} else {
		_, err = s.Store.UpdateAlertRule(ctx, r)
	}
	if errors.Is(err, store.ErrConflict) && r.ID != "" {
		page.Problem = "The rule was changed meanwhile. Open it again to see how it is now."
		return s.showRule(c, http.StatusConflict, page, given)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/alerts#rules")
}

func (s *Server) deleteRuleForm(c echo.Context) error {
	r, err := s.ruleOf(c)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteAlertRule(c.Request().Context(), r.ID, 0); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/alerts#rules")
}

// previewShown is how many of the times the page lists.
const previewShown = 10

func (s *Server) preview(ctx context.Context, r store.AlertRule) (*previewView, error) {
	p, err := s.Alerts.Preview(ctx, r)
	if err != nil {
		return nil, err
	}
	v := &previewView{Words: "It would not have fired in the last week."}
	if p.Count > 0 {
		times := counted(int64(p.Count), "time", "times")
		if p.AtLeast {
			times = "at least " + times
		}
		v.Words = "It would have fired " + times + " in the last week."
	}
	slices.Reverse(p.Times)
	for _, t := range p.Times[:min(len(p.Times), previewShown)] {
		row := previewRow{When: at(t.Time, s.Now().UTC(), ""), About: shown(t.About, valueLength)}
		if t.Incident != "" {
			row.URL = incidentURL(t.Incident)
		}
		v.Times = append(v.Times, row)
	}
	return v, nil
}
