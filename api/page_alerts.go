package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An alertsPage shows what fires, the rules, the silences, the receivers and what was told.
type alertsPage struct {
	frame
	Lede       string
	Alerts     []alertRow
	Rules      []ruleRow
	Silences   []silenceRow
	Receivers  []receiverRow
	Deliveries []deliveryRow
	Next       string
	First      string
	Tested     string // what became of a test
	TestFailed bool
	Problem    string // why the form of the silence was not taken
	Form       silenceForm
}

func (alertsPage) template() string { return "alerts.html" }

// An alertRow is something that a rule found.
type alertRow struct {
	Since moment
	Title string
	URL   string
	Rule  string
	State badge
	Ended moment
}

// A ruleRow is one rule of the list.
type ruleRow struct {
	Name      string
	URL       string
	When      string
	About     string
	Receivers string
	State     badge
}

// A silenceRow is a silence that has not ended.
type silenceRow struct {
	ID     string
	About  string
	Until  moment
	Author string
	Reason string
}

// A receiverRow is a place that can be told.
type receiverRow struct {
	Name, Kind, Target, TestURL string
}

// A deliveryRow is one line of the log.
type deliveryRow struct {
	When     moment
	Receiver string
	Rule     string
	Kind     string
	State    badge
	Attempts string
	Error    string
}

// A silenceForm is the form as it was filled in.
type silenceForm struct {
	Causes, Faults                []option
	Client, Provider, Environment string
	Hours                         []option
	Reason                        string
}

func (s *Server) alertsPage(c echo.Context) error {
	return s.showAlerts(c, http.StatusOK, alertsPage{Form: silenceFormOf(url.Values{})})
}

// recentAlerts is how many alerts the page lists.
const recentAlerts = 20

func (s *Server) showAlerts(c echo.Context, status int, page alertsPage) error {
	ctx, now := c.Request().Context(), s.nowFor(c)
	page.frame = s.frameOf(c, "/alerts")
	rules, err := s.Store.ListAlertRules(ctx)
	if err != nil {
		return err
	}
	silences, err := s.Store.ListAlertSilences(ctx, now)
	if err != nil {
		return err
	}
	firing, err := s.alertRows(ctx, &page, rules, now)
	if err != nil {
		return err
	}
	for _, r := range rules {
		page.Rules = append(page.Rules, ruleRow{Name: line(r.Name), URL: ruleURL(r.ID), When: conditionWords(r.Condition), About: matchWords(r.Match),
			Receivers: receiverWords(r.Receivers), State: enabledBadge(r.Enabled)})
	}
	for _, v := range silences {
		page.Silences = append(page.Silences, silenceRow{ID: v.ID, About: matchWords(v.Match), Until: at(v.EndsAt, now, ""), Author: line(v.Author), Reason: line(v.Reason)})
	}
	for _, r := range s.Alerts.Receivers {
		page.Receivers = append(page.Receivers, receiverRow{r.Name, r.Kind, line(r.Target), "/alerts/receivers/" + url.PathEscape(r.Name) + "/test"})
	}
	page.Lede = counted(int64(firing), "alert goes on", "alerts go on") + "; " + counted(int64(len(rules)), "rule", "rules") + ", " + counted(int64(len(silences)), "silence", "silences") + "."
	q := url.Values{"cursor": c.QueryParams()["cursor"]}
	log, next, err := s.Store.ListAlertDeliveries(ctx, store.Page{Limit: 20, Cursor: q.Get("cursor")})
	if err != nil {
		return err
	}
	for _, d := range log {
		page.Deliveries = append(page.Deliveries, deliveryRow{When: at(d.CreatedAt, now, ""), Receiver: line(d.Receiver), Rule: line(d.RuleName), Kind: string(d.Kind),
			State: deliveryBadge(d.Status), Attempts: count(d.Attempts), Error: errorWords(d)})
	}
	page.Next, page.First = pageLinks("/alerts", q, next)
	return s.render(c, status, page)
}

// alertRows lists what goes on before what is over.
func (s *Server) alertRows(ctx context.Context, page *alertsPage, rules []store.AlertRule, now time.Time) (firing int, err error) {
	names := map[string]string{}
	for _, r := range rules {
		names[r.ID] = line(r.Name)
	}
	goesOn, _, err := s.Store.ListAlerts(ctx, store.AlertFilter{Firing: true, Page: store.Page{Limit: 200}})
	if err != nil {
		return 0, err
	}
	recent, _, err := s.Store.ListAlerts(ctx, store.AlertFilter{Page: store.Page{Limit: recentAlerts}})
	if err != nil {
		return 0, err
	}
	recent = slices.DeleteFunc(recent, func(a store.Alert) bool { return a.EndedAt.IsZero() })
	for _, a := range append(goesOn, recent...) {
		page.Alerts = append(page.Alerts, alertRowOf(a, cmp.Or(names[a.RuleID], "deleted rule"), now))
	}
	return len(goesOn), nil
}

func alertRowOf(a store.Alert, rule string, now time.Time) alertRow {
	var m struct {
		Title     string
		Incidents []string
	}
	_ = json.Unmarshal(a.Message, &m) // an old form shows less
	row := alertRow{Since: at(a.FiredAt, now, ""), Title: shown(cmp.Or(m.Title, a.Subject), valueLength), Rule: rule, Ended: at(a.EndedAt, now, ""),
		State: badge{Class: "urgency-new", Text: "goes on"}}
	if len(m.Incidents) > 0 {
		row.URL = incidentURL(m.Incidents[0])
	}
	switch {
	case a.EndedAt.IsZero():
	case a.EndedBy == store.AlertRuleGone:
		row.State = badge{Class: "state-resolved", Text: "rule changed"}
	default:
		row.State = badge{Class: "state-resolved", Text: "over"}
	}
	return row
}

func ruleURL(id string) string { return "/alerts/rules/" + url.PathEscape(id) }

// conditionWords says when a rule fires.
func conditionWords(c store.AlertCondition) string {
	window := roughlyOrWhole(c.Window)
	switch c.Kind {
	case store.AlertNew:
		return "an incident that never was before"
	case store.AlertRegression:
		return "an incident that was resolved and is back"
	case store.AlertCount:
		return "at least " + counted(c.AtLeast, "failure", "failures") + " of one incident in " + window
	case store.AlertTotal:
		return "at least " + counted(c.AtLeast, "failure", "failures") + " in one environment in " + window
	case store.AlertShare:
		return "at least " + strconv.FormatFloat(c.Percent, 'f', -1, 64) + " % of an environment's requests in " + window + ", and " + counted(c.AtLeast, "failure", "failures")
	default:
		return "at least " + counted(c.AtLeast, "client begins", "clients begin") + " to fail with one cause within " + window
	}
}

func roughlyOrWhole(d time.Duration) string {
	if d%time.Hour == 0 {
		return strconv.FormatInt(int64(d/time.Hour), 10) + " h"
	}
	return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
}

// matchWords says what a rule or a silence is about.
func matchWords(m store.AlertMatch) string {
	var parts []string
	add := func(what string, values []string) {
		for n, v := range values {
			values[n] = line(v)
		}
		if len(values) > 0 {
			parts = append(parts, what+" "+strings.Join(values, " or "))
		}
	}
	add("cause", texts(m.Causes))
	add("client", slices.Clone(m.Clients))
	add("provider", slices.Clone(m.Providers))
	add("environment", slices.Clone(m.Environments))
	add("fault of", texts(m.Faults))
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

func receiverWords(names []string) string {
	if len(names) == 0 {
		return "nobody; it shows here"
	}
	shown := make([]string, len(names))
	for n, name := range names {
		shown[n] = line(name)
	}
	return join(shown)
}

func enabledBadge(enabled bool) badge {
	if enabled {
		return badge{Class: "check-pass", Text: "on"}
	}
	return badge{Text: "off", Title: "It fires on nothing."}
}

func deliveryBadge(s store.DeliveryStatus) badge {
	switch s {
	case store.DeliverySent:
		return badge{Class: "check-pass", Text: "sent"}
	case store.DeliveryFailed:
		return badge{Class: "check-fail", Text: "failed"}
	case store.DeliveryDropped:
		return badge{Class: "state-resolved", Text: "not sent", Title: "It was over before it was told."}
	default:
		return badge{Class: "state-open", Text: "waiting"}
	}
}

func errorWords(d store.AlertDelivery) string {
	if d.LastError == "" {
		return ""
	}
	return strings.ReplaceAll(d.LastError, "_", " ")
}

// testReceiverForm takes the button of a receiver.
func (s *Server) testReceiverForm(c echo.Context) error {
	tested, err := s.tested(c)
	if err != nil {
		return err
	}
	page := alertsPage{Form: silenceFormOf(url.Values{}), Tested: "The test was sent to " + tested.Receiver + "."}
	if !tested.Sent {
		page.Tested, page.TestFailed = "The test did not reach "+tested.Receiver+": "+strings.ReplaceAll(tested.Error, "_", " ")+".", true
	}
	return s.showAlerts(c, http.StatusOK, page)
}

// silenceFormOf fills the form in again.
func silenceFormOf(form url.Values) silenceForm {
	f := silenceForm{Client: form.Get("client"), Provider: form.Get("provider"), Environment: form.Get("environment"), Reason: form.Get("reason"),
		Causes: []option{{"", "Any", false}}, Faults: []option{{"", "Anybody", false}}}
	for _, row := range classify.Catalogue() {
		f.Causes = append(f.Causes, option{string(row.Code), row.Title, form.Get("cause") == string(row.Code)})
	}
	for _, fault := range classify.Faults() {
		f.Faults = append(f.Faults, option{string(fault), faultBadge(fault).Text, form.Get("fault") == string(fault)})
	}
	for _, hours := range []string{"1", "4", "8", "24", "72", "168"} {
		f.Hours = append(f.Hours, option{hours, hours + " h", form.Get("hours") == hours})
	}
	return f
}

// addSilenceForm takes the form. What is not valid comes back as it was filled in.
func (s *Server) addSilenceForm(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return fail(http.StatusBadRequest, "The form cannot be read.")
	}
	hours, _ := strconv.Atoi(form.Get("hours"))
	given := newSilenceJSON{Reason: form.Get("reason"), EndsAt: s.nowFor(c).Add(time.Duration(min(max(hours, 0), 168)) * time.Hour), Match: matchJSON{
		Clients: anyOf(form.Get("client")), Providers: anyOf(form.Get("provider")), Environments: anyOf(form.Get("environment")),
	}}
	if cause := form.Get("cause"); cause != "" {
		given.Match.Causes = []classify.Code{classify.Code(cause)}
	}
	if fault := form.Get("fault"); fault != "" {
		given.Match.Faults = []classify.Fault{classify.Fault(fault)}
	}
	v, faults := s.silence(given)
	if len(faults) > 0 {
		return s.showAlerts(c, http.StatusBadRequest, alertsPage{Form: silenceFormOf(form), Problem: fieldWords(faults[0])})
	}
	v.Author = s.user(c).Name
	if _, err := s.Store.AddAlertSilence(c.Request().Context(), v); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/alerts#silences")
}

// fieldWords names the field of a fault as the form does.
func fieldWords(f fault) string {
	name := f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:]
	return fmt.Sprintf("%s: %s.", capitalize(strings.ReplaceAll(name, "_", " ")), f.Detail)
}

func (s *Server) endSilenceForm(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	if _, err := s.Store.EndAlertSilence(c.Request().Context(), id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/alerts#silences")
}
