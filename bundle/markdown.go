package bundle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"authwatch/classify"
)

// Markdown writes the bundle for people: what a support desk asks for, in one file.
func (b Bundle) Markdown() string {
	var d document
	row, _ := classify.Lookup(b.Incident.Cause)
	d.line("# %s: %s", plain(row.Title), plain(orDash(b.Incident.ClientID)))
	d.line("")
	d.line("%s", need(b.Incident.Cause))
	d.line("")
	d.table([]string{"", ""}, b.facts())
	if len(b.Cases) > 0 {
		d.verdict(b.Cases[0].Verdict)
		d.messages(b.Cases[0].Record)
		d.tokens(b.Cases[0].Record)
	}
	d.different(b.Different)
	d.timeline(b)
	d.heading("What was removed")
	for _, r := range b.Removed {
		d.line("- %s at `%s` in %d of %d records", plain(r.What), code(r.Path), r.Places, len(b.Cases))
	}
	if len(b.Removed) == 0 {
		d.line("Nothing had to be: the records held no secret.")
	}
	d.line("")
	d.line("Tokens were decoded and their signatures dropped before anything was stored. No private key was ever seen.")
	if b.Pseudonyms {
		d.line("Clients, keys, hosts, addresses and ids have made-up names, the same ones everywhere in this document.")
	}
	d.line("")
	d.line("Made by authwatch %s at %s. The JSON form of this bundle gives the same verdict in another authwatch: `authwatch classify bundle.json`.", plain(b.MadeBy), instant(b.MadeAt))
	return d.String()
}

func (b Bundle) facts() [][]string {
	i := b.Incident
	rows := [][]string{{"Provider", orDash(i.Provider)}, {"Environment", orDash(i.Environment)}, {"Client ID", orDash(i.ClientID)},
		{"Cause", string(i.Cause) + " (" + string(i.Confidence) + ")"}, {"Failures", fmt.Sprint(i.Count)}, {"First", instant(i.FirstSeen)}, {"Last", instant(i.LastSeen)}}
	if !i.LastSuccessBefore.IsZero() {
		rows = append(rows, []string{"Last success before", instant(i.LastSuccessBefore)})
	}
	if !i.FirstSuccessAfter.IsZero() {
		rows = append(rows, []string{"First success after", instant(i.FirstSuccessAfter)})
	}
	if text := b.clock(); text != "" {
		rows = append(rows, []string{"Client's clock", text})
	}
	return rows
}

// clock says how the client's clock was against the server's, by the freshest assertions of the latest hour that is known.
func (b Bundle) clock() string {
	var latest Fact
	for _, f := range b.History {
		if f.Kind == classify.FactClock && f.Count > 0 && f.LastSeen.After(latest.LastSeen) {
			latest = f
		}
	}
	assertions := "assertions"
	if latest.Count == 1 {
		assertions = "assertion"
	}
	by := fmt.Sprintf(", by %d %s until %s", latest.Count, assertions, instant(latest.LastSeen))
	switch offset := latest.MaxOffset.Round(time.Second); {
	case latest.Count == 0:
		return ""
	case offset > 2*time.Second:
		return "about " + offset.String() + " ahead of the server's" + by
	case offset < -2*time.Second:
		return "at most " + (-offset).String() + " behind the server's" + by
	default:
		return "in step with the server's, to 2 s" + by
	}
}

// need is what the reader is asked for.
func need(c classify.Code) string {
	switch c {
	case classify.KeyMismatch, classify.UnknownKey, classify.MissingKID, classify.InvalidSignature, classify.KeyReusedAcrossEnvironments:
		return "**What we need from you:** which public keys, by kid, are registered for this client in this environment, and since when."
	case classify.ScopeGap, classify.AudienceNotGranted, classify.InsufficientPermissions, classify.AccountAccessDenied:
		return "**What we need from you:** which scopes, audiences and accounts this client is granted, and the ones below if they can be granted."
	case classify.UnknownClient, classify.WrongEnvironment:
		return "**What we need from you:** in which environments this client id exists."
	case classify.ClockSkew, classify.NotYetValid, classify.AssertionExpired, classify.AssertionTooOld:
		return "**What we need from you:** your clock at the time below, and the tolerance that you allow for iat, nbf and exp."
	case classify.ProviderUnavailable, classify.RateLimited, classify.BlockedByGateway:
		return "**What we need from you:** what your service saw at the times below."
	default:
		return "**What we need from you:** which check of yours refused the request below, and the value that it expected."
	}
}

// A document is Markdown being written. Log text goes through plain, code or fence only: it must stay text.
type document struct{ strings.Builder }

func (d *document) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *document) heading(text string) { d.line("\n## %s\n", text) }

func (d *document) table(head []string, rows [][]string) {
	d.line("| %s |", strings.Join(head, " | "))
	d.line("|%s", strings.Repeat("---|", len(head)))
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = plain(cell)
		}
		d.line("| %s |", strings.Join(cells, " | "))
	}
}

func (d *document) verdict(v classify.Verdict) {
	d.heading("What happened")
	d.line("%s", plain(v.Summary))
	d.heading("Why we think so")
	for _, e := range v.Evidence {
		d.line("- %s: %s%s", plain(string(e.Witness)), plain(e.Detail), values(e))
	}
	var rows [][]string
	for _, c := range v.Checks {
		rows = append(rows, []string{c.Check, string(c.Result), c.Detail})
	}
	if len(rows) > 0 {
		d.line("")
		d.table([]string{"check", "result", "detail"}, rows)
	}
	d.heading("Fix")
	for _, e := range v.Fix.Edits {
		d.line("- %s `%s` → `%s`", plain(e.Op), code(e.Path), code(jsonText(e.Value)))
	}
	if v.Fix.Verified {
		d.line("- Verified: with this change every check that could be run passes.")
	}
	for _, step := range v.Fix.Steps {
		d.line("- %s", plain(step))
	}
}

func values(e classify.Evidence) string {
	out := ""
	if e.Observed != nil {
		out += " Observed `" + code(jsonText(e.Observed)) + "`."
	}
	if e.Expected != nil {
		out += " Expected `" + code(jsonText(e.Expected)) + "`."
	}
	return out
}

func (d *document) messages(r classify.Record) {
	d.heading("Error messages")
	if r.Request != nil {
		d.line("`%s %s` at %s", code(r.Request.Method), code(r.Request.URL), instant(r.Time))
	}
	for _, id := range [][2]string{{"Request id", r.RequestID}, {"Trace id", r.TraceID}} {
		if id[1] != "" {
			d.line("%s: `%s`", id[0], code(id[1]))
		}
	}
	if r.Response != nil {
		var b strings.Builder
		fmt.Fprintf(&b, "%d\n", r.Response.Status)
		for _, field := range r.Response.Headers {
			fmt.Fprintf(&b, "%s: %s\n", field.Name, field.Value)
		}
		b.WriteString(string(r.Response.Body))
		d.fence("", b.String())
	}
	if r.Error != "" {
		d.fence("", r.Error)
	}
}

func (d *document) tokens(r classify.Record) {
	for _, t := range []struct {
		name  string
		token *classify.JWT
	}{{"Decoded client assertion", r.ClientAssertion}, {"Decoded access token", r.AccessToken}} {
		if t.token == nil {
			continue
		}
		d.heading(t.name)
		text, err := json.MarshalIndent(t.token, "", "  ")
		if err != nil {
			continue // a value that cannot be written is no claim
		}
		d.fence("json", string(text))
	}
}

func (d *document) different(sentences []string) {
	if len(sentences) == 0 {
		return
	}
	d.heading("What is different")
	for _, s := range sentences {
		d.line("- %s", plain(s))
	}
}

func (d *document) timeline(b Bundle) {
	type step struct {
		at   time.Time
		what string
	}
	i := b.Incident
	steps := []step{{i.FirstSeen, "first failure"}, {i.LastSeen, "last failure"}}
	if !i.LastSuccessBefore.IsZero() {
		steps = append(steps, step{i.LastSuccessBefore, "last success before"})
	}
	if !i.FirstSuccessAfter.IsZero() {
		steps = append(steps, step{i.FirstSuccessAfter, "first success after"})
	}
	for _, c := range b.Changes {
		steps = append(steps, step{c.Time, c.Kind + ": " + c.Title})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	d.heading("Time line (UTC)")
	for _, s := range steps {
		d.line("- %s %s", instant(s.at), plain(s.what))
	}
}

// fence writes text that the renderer must leave alone, within more backticks than any run of them in it.
func (d *document) fence(language, text string) {
	longest, run := 2, 0
	for _, r := range text {
		if r == '`' {
			run++
			longest = max(longest, run)
			continue
		}
		run = 0
	}
	marks := strings.Repeat("`", longest+1)
	d.line("\n%s%s\n%s\n%s\n", marks, language, visible(text, true), marks)
}

// plain makes text of a log stand in a line or a cell as what it is: nothing in it is markup, a link, or another line.
func plain(text string) string {
	var b strings.Builder
	for _, r := range visible(text, false) {
		if strings.ContainsRune("\\`*_{}[]<>#+!|~@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is text between backticks: they cannot be escaped there, so they become another sign.
func code(text string) string {
	return strings.NewReplacer("`", "ˋ", "|", "¦").Replace(visible(text, false))
}

// visible replaces what a reader cannot see; breaks stay where lines are kept.
func visible(text string, lines bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			if lines {
				return r
			}
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
}

func jsonText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
