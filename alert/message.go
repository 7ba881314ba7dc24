package alert

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"authwatch/classify"
	"authwatch/store"
)

// A Message is an alert as programs read it: names are stable, members may be added. Times are event times.
type Message struct {
	Version      int                 `json:"version"` // of this form: 1
	ID           string              `json:"id"`      // of the alert: the same from its beginning to its end
	Status       store.DeliveryKind  `json:"status"`  // firing, resolved or test
	Title        string              `json:"title"`
	Text         string              `json:"text"` // everything that matters, in one line
	URL          string              `json:"url"`
	Rule         RuleName            `json:"rule"`
	Provider     string              `json:"provider,omitempty"`
	Environment  string              `json:"environment,omitempty"`
	Cause        classify.Code       `json:"cause,omitempty"`
	CauseTitle   string              `json:"cause_title,omitempty"`
	ClientID     string              `json:"client_id,omitempty"` // of an alert about one client
	Fault        classify.Fault      `json:"fault,omitempty"`
	Confidence   classify.Confidence `json:"confidence,omitempty"`
	Summary      string              `json:"summary,omitempty"`
	Incidents    []string            `json:"incidents,omitempty"` // ids, at most 20
	Failures     int64               `json:"failures"`            // in the window before the alert
	Window       int64               `json:"window_seconds"`
	Requests     int64               `json:"requests,omitempty"`       // in the environment, in the window
	Earlier      int64               `json:"failures_week_before"`     // in the same window
	Failing      int64               `json:"clients_failing"`          // in the environment
	Healthy      int64               `json:"clients_not_failing"`      // in the environment
	Elsewhere    []string            `json:"environments_not_failing"` // of the provider
	StartedAt    time.Time           `json:"started_at,omitzero"`
	LastSuccess  time.Time           `json:"last_success_before,omitzero"`
	Change       *Change             `json:"change,omitempty"`
	Fix          *Fix                `json:"fix,omitempty"`
	Silence      string              `json:"silence_ended,omitempty"` // what kept this back until now
	EndedAt      time.Time           `json:"ended_at,omitzero"`
	EndedBy      store.AlertEnd      `json:"ended_by,omitempty"`
	FirstSuccess time.Time           `json:"first_success_after,omitzero"`
}

// A RuleName names the rule that found it.
type RuleName struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Kind store.AlertKind `json:"kind"`
}

// A Change is what somebody told of that happened right before.
type Change struct {
	Title  string    `json:"title"`
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	Before float64   `json:"seconds_before"` // the first failure
}

// A Fix is what to do.
type Fix struct {
	Text     string          `json:"text"`
	Verified bool            `json:"verified"` // with the edits every check that could be run passes
	Edits    []classify.Edit `json:"edits,omitempty"`
}

// write fills in title and text. now is when it is told.
func (m *Message) write(now time.Time) {
	m.Title = clip(m.place()+" "+m.what(), 200)
	var parts []string
	parts = append(parts, m.Title+", "+m.howBad())
	if !m.StartedAt.IsZero() {
		parts[0] += ", " + m.since(now)
	}
	if m.Rule.Kind == store.AlertRegression {
		parts[0] += ", back after it was resolved"
	}
	if m.Fault != "" && m.Fault != classify.FaultUnknown {
		parts = append(parts, "Whose: "+string(m.Fault))
	}
	if m.Fix != nil && m.Fix.Text != "" {
		fix := "Fix: " + strings.TrimSuffix(clip(m.Fix.Text, 400), ".")
		if m.Fix.Verified {
			fix += " (checked: would have passed)"
		}
		parts = append(parts, fix)
	}
	if others := m.notAffected(); others != "" {
		parts = append(parts, "Not affected: "+others)
	}
	if m.Silence != "" {
		parts = append(parts, m.Silence)
	}
	m.Text = oneLine(strings.Join(parts, ". ")) + ". " + m.URL
	m.Title = oneLine(m.Title)
}

// place is the head that tells production from the rest.
func (m *Message) place() string {
	switch {
	case m.Environment != "":
		return "[" + clip(m.Environment, 40) + "]"
	case m.Provider != "":
		return "[" + clip(m.Provider, 40) + "]"
	}
	return "[unknown environment]"
}

func (m *Message) what() string {
	who := clip(m.ClientID, 80)
	switch m.Rule.Kind {
	case store.AlertOutbreak:
		who = counted(m.Failing, "client", "clients") + " began to fail at once"
	case store.AlertTotal, store.AlertShare:
		if m.CauseTitle == "" {
			return "auth failures"
		}
		return "auth failures, most of them " + inSentence(m.CauseTitle)
	}
	if who == "" {
		who = "unknown client"
	}
	return who + ": " + inSentence(m.CauseTitle)
}

// howBad answers whether it is real: the count, its share, and what was normal a week before.
func (m *Message) howBad() string {
	text := counted(m.Failures, "failure", "failures") + " in " + span(time.Duration(m.Window)*time.Second)
	var more []string
	if m.Requests > 0 {
		more = append(more, percent(m.Failures, m.Requests)+" of requests")
	}
	switch {
	case m.Earlier == 0:
		more = append(more, "none a week before")
	case m.Failures >= 2*m.Earlier:
		more = append(more, strconv.FormatInt((m.Failures+m.Earlier/2)/m.Earlier, 10)+"x a week before")
	default:
		more = append(more, strconv.FormatInt(m.Earlier, 10)+" a week before")
	}
	return text + " (" + strings.Join(more, ", ") + ")"
}

func (m *Message) since(now time.Time) string {
	form := "15:04:05 MST"
	if now.UTC().YearDay() != m.StartedAt.UTC().YearDay() {
		form = "2 Jan 15:04:05 MST"
	}
	text := "started " + m.StartedAt.UTC().Format(form)
	if c := m.Change; c != nil {
		text += ", " + span(time.Duration(c.Before*float64(time.Second))) + " after " + clip(c.Kind+" "+c.Title, 100)
	}
	return text
}

func (m *Message) notAffected() string {
	var list []string
	if m.Healthy > 0 {
		list = append(list, counted(m.Healthy, "other client", "other clients"))
	}
	for _, name := range m.Elsewhere {
		list = append(list, clip(name, 40))
	}
	return strings.Join(list, ", ")
}

// ended is the message of the end of an alert.
func (m Message) ended() Message {
	m.Status = store.DeliverResolved
	words := "over"
	switch {
	case m.EndedBy == store.AlertRuleGone:
		words = "nobody is to be told any more: the rule was changed"
	case !m.FirstSuccess.IsZero():
		words = "over, first success " + m.FirstSuccess.UTC().Format("15:04:05 MST")
	}
	m.Text = oneLine(m.Title+": "+words) + ". " + m.URL
	return m
}

// testMessage is what the test of a receiver sends: everything that a real one has, and a text that nobody takes for one.
func testMessage(id, url string, now time.Time) Message {
	return Message{
		Version: 1, ID: id, Status: store.DeliverTest, URL: url + "/alerts", Title: "Test of authwatch",
		Text: "Test of authwatch: this receiver works, nothing has failed. " + url + "/alerts",
		Rule: RuleName{Name: "test"}, Elsewhere: []string{}, StartedAt: now,
	}
}

func decodeMessage(a store.Alert) (Message, error) {
	var m Message
	if err := json.Unmarshal(a.Message, &m); err != nil {
		return m, fmt.Errorf("read alert %s: %w", a.ID, err)
	}
	m.ID = a.ID
	return m, nil
}

// oneLine replaces what moves a cursor, reorders a line or hides: names come from logs, which strangers write.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) && r != '\u3164' && r != '\u115F' && r != '\u1160' {
			return r
		}
		return '\uFFFD'
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// clip bounds a text from a log.
func clip(text string, runes int) string {
	n := 0
	for i := range text {
		if n == runes {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// inSentence writes a title as it stands in a sentence; abbreviations stay.
func inSentence(title string) string {
	runes := []rune(title)
	if len(runes) > 1 && unicode.IsLower(runes[1]) {
		runes[0] = unicode.ToLower(runes[0])
	}
	return string(runes)
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

func percent(part, whole int64) string {
	share := 100 * float64(part) / float64(whole)
	if share >= 10 {
		return strconv.FormatFloat(share, 'f', 0, 64) + " %"
	}
	return strconv.FormatFloat(share, 'f', 1, 64) + " %"
}

// span writes a duration with its largest unit that says enough.
func span(d time.Duration) string {
	d = d.Abs()
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if d >= unit.length && (d >= 3*unit.length || d%unit.length == 0) {
			return strconv.FormatInt(int64(d/unit.length), 10) + " " + unit.name
		}
	}
	if d >= time.Hour {
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}
