package api

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// Settings are what the pages under /settings show and try. The functions are required.
type Settings struct {
	Retention    store.Retention
	ProfileFiles map[string]string // name of the file that a profile was read from, by the profile's id; the others are built in
	// ParseProfile reads a profile from YAML. Each line of the error says what is wrong in one place, as "profile:LINE: what".
	ParseProfile  func(text []byte) (*classify.Profile, error)
	FormatProfile func(p *classify.Profile) ([]byte, error) // as YAML
}

// settingsPageRoutes are the pages of settings. What tells of people and keys is the admins'.
func (s *Server) settingsPageRoutes() []route {
	return []route{
		{http.MethodGet, "/settings", pageViewer, s.profilesPage},
		{http.MethodGet, "/settings/profiles", pageViewer, func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/settings#try") }}, // the address that a try leaves in the bar
		{http.MethodPost, "/settings/profiles", pageViewer, s.tryProfile},
		{http.MethodGet, "/settings/profiles/:id", pageViewer, s.profilePage},
		{http.MethodGet, "/settings/storage", pageViewer, s.storagePage},
		{http.MethodGet, "/settings/redaction", pageViewer, s.redactionPage},
		{http.MethodPost, "/settings/redaction", pageViewer, s.tryRedaction},
		{http.MethodGet, "/settings/keys", pageAdmin, s.keysPage},
		{http.MethodPost, "/settings/keys", pageAdmin, s.createKey},
		{http.MethodGet, "/settings/keys/:id/revoke", pageAdmin, s.revokePage},
		{http.MethodPost, "/settings/keys/:id/revoke", pageAdmin, s.revokeKey},
		{http.MethodGet, "/settings/users", pageAdmin, s.usersPage},
		{http.MethodPost, "/settings/users", pageAdmin, s.addUser},
		{http.MethodPost, "/settings/users/:id/link", pageAdmin, s.linkUser},
		{http.MethodGet, "/settings/audit", pageAdmin, s.auditPage},
	}
}

// A settingsFrame is around every page of settings.
type settingsFrame struct {
	frame
	Tabs    []choice
	Problem string // why a form was not taken
}

func (s *Server) settingsFrame(c echo.Context, current string) settingsFrame {
	f := settingsFrame{frame: s.frameOf(c, "/settings"), Tabs: []choice{
		{Label: "Profiles", URL: "/settings"}, {Label: "Storage", URL: "/settings/storage"}, {Label: "Redaction", URL: "/settings/redaction"},
	}}
	if s.user(c).Role == store.Admin {
		f.Tabs = append(f.Tabs, choice{Label: "API keys", URL: "/settings/keys"}, choice{Label: "Users", URL: "/settings/users"}, choice{Label: "Audit log", URL: "/settings/audit"})
	}
	for n := range f.Tabs {
		f.Tabs[n].Current = f.Tabs[n].URL == current
	}
	return f
}

// A profilesPage lists the profiles in force and tries one that is pasted.
type profilesPage struct {
	settingsFrame
	Rows     []profileRow
	Text     string   // what was pasted, redacted
	Redacted bool     // something in it was taken for a secret
	Faults   []string // of what was pasted
	Found    string   // what a valid one is
	Diff     []diffLine
}

func (profilesPage) template() string { return "settings_profiles.html" }

type profileRow struct {
	ID, URL, Title string
	Environments   string
	From           string
}

// A profilePage shows a profile in force.
type profilePage struct {
	settingsFrame
	Profile profileRow
	YAML    string
}

func (profilePage) template() string { return "settings_profile.html" }

func (s *Server) profileRow(p *classify.Profile) profileRow {
	row := profileRow{ID: line(p.ID), URL: "/settings/profiles/" + url.PathEscape(p.ID), Title: line(p.Title), From: "built in"}
	if file, ok := s.Settings.ProfileFiles[p.ID]; ok {
		row.From = line(file)
	}
	var names []string
	for _, e := range p.Environments {
		names = append(names, line(e.Name))
	}
	row.Environments = strings.Join(names, ", ")
	return row
}

func (s *Server) profilesPage(c echo.Context) error {
	return s.showProfiles(c, http.StatusOK, profilesPage{})
}

func (s *Server) showProfiles(c echo.Context, status int, page profilesPage) error {
	page.settingsFrame = s.settingsFrame(c, "/settings")
	for _, p := range s.Profiles {
		page.Rows = append(page.Rows, s.profileRow(p))
	}
	return s.render(c, status, page)
}

func (s *Server) profilePage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	p := s.profile(id)
	if p == nil {
		return store.ErrNotFound
	}
	text, err := s.profileText(p)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, profilePage{settingsFrame: s.settingsFrame(c, "/settings"), Profile: s.profileRow(p), YAML: text})
}

// profileText is a profile as YAML, without the folder of its key set, which is of this host.
func (s *Server) profileText(p *classify.Profile) (string, error) {
	shown := *p
	if shown.JWKSFile != "" {
		shown.JWKSFile = path.Base(shown.JWKSFile)
	}
	text, err := s.Settings.FormatProfile(&shown)
	return string(text), err
}

// profileLimit is far above what is written by hand.
const profileLimit = 64 << 10

// tryProfile says whether a pasted profile is valid and how it differs from the one in force. Nothing is kept. What looks like
// a secret is taken out first: a profile holds none, and the page shows what was pasted.
func (s *Server) tryProfile(c echo.Context) error {
	given := strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n")
	if strings.TrimSpace(given) == "" || len(given) > profileLimit || !isText(given) {
		return s.showProfiles(c, http.StatusUnprocessableEntity, profilesPage{Faults: []string{"Paste a profile in YAML, of at most 64 KiB."}})
	}
	page := profilesPage{Text: s.Redact(given)}
	page.Redacted = page.Text != given
	p, err := s.Settings.ParseProfile([]byte(page.Text))
	if err != nil {
		page.Faults = profileFaults(err)
		return s.showProfiles(c, http.StatusUnprocessableEntity, page)
	}
	if err := s.compareProfile(&page, p); err != nil {
		return err
	}
	return s.showProfiles(c, http.StatusOK, page)
}

// maxFaults bounds the list of what is wrong.
const maxFaults = 50

// profileFaults turns "profile:3: what" into "Line 3: what".
func profileFaults(err error) []string {
	var faults []string
	for _, text := range strings.Split(err.Error(), "\n") {
		if len(faults) == maxFaults {
			return append(faults, "There is more; correct these first.")
		}
		rest := strings.TrimPrefix(text, "profile:")
		if number, what, found := strings.Cut(rest, ": "); found {
			if _, err := strconv.Atoi(number); err == nil {
				rest = "Line " + number + ": " + what
			}
		}
		faults = append(faults, capitalize(line(strings.TrimSpace(rest))))
	}
	return faults
}

// compareProfile puts a valid profile beside the one of its id that is in force.
func (s *Server) compareProfile(page *profilesPage, p *classify.Profile) error {
	inForce := s.profile(p.ID)
	if inForce == nil {
		page.Found = "This is a valid profile. No profile with the id " + line(p.ID) + " is in force: it would be a new one."
		return nil
	}
	was, err := s.profileText(inForce)
	if err != nil {
		return err
	}
	now, err := s.profileText(p)
	if err != nil {
		return err
	}
	page.Diff = diffOf(was, now)
	page.Found = "This is a valid profile, and it says the same as the one with the id " + line(p.ID) + " that is in force."
	if len(page.Diff) > 0 {
		page.Found = "This is a valid profile. It differs from the one with the id " + line(p.ID) + " that is in force."
	}
	return nil
}

// A storagePage says what is kept, for how long, and what that takes.
type storagePage struct {
	settingsFrame
	Facts    []pair
	Forecast []forecastRow
	Words    string // what the forecast rests on
	Bound    string // what the bound on the size means
}

func (storagePage) template() string { return "settings_storage.html" }

type forecastRow struct {
	Kept, Bytes string
	Set         bool
}

func (s *Server) storagePage(c echo.Context) error {
	held, err := s.Store.GetStorage(c.Request().Context())
	if err != nil {
		return err
	}
	kept := s.Settings.Retention
	page := storagePage{settingsFrame: s.settingsFrame(c, "/settings/storage"), Facts: []pair{
		{"Failures, and the minutes of trends", keptWords(kept.Records)}, {"Incidents, clients and trends", keptWords(kept.Summaries)},
		{"Bound of the size", "none"}, {"In use", byteWords(held.Used)}, {"Free in the file", byteWords(held.Free)}, {"Failures kept", count(held.Failures)},
	}}
	if kept.Bytes > 0 {
		page.Facts[2].Value = byteWords(kept.Bytes)
	}
	if held.Failures == 0 {
		page.Words = "There is no failure yet from which a forecast could be made."
		return s.render(c, http.StatusOK, page)
	}
	page.Facts = append(page.Facts, pair{"Oldest failure", at(held.OldestAt, s.nowFor(c), "").Text})
	page.Words = "At " + rate(held.PerDay) + " failures a day, as many as came lately, and " + byteWords(held.Used/held.Failures) + " for each with all that belongs to it."
	ages := []time.Duration{7 * day, 30 * day, 90 * day, 365 * day}
	if kept.Records > 0 {
		ages = insertAge(ages, kept.Records)
	}
	for _, age := range ages {
		page.Forecast = append(page.Forecast, forecastRow{Kept: keptWords(age), Bytes: byteWords(held.Forecast(age)), Set: age == kept.Records})
	}
	if kept.Bytes > 0 && kept.Records > 0 && held.Forecast(kept.Records) > kept.Bytes {
		page.Bound = "The bound of " + byteWords(kept.Bytes) + " will be reached before failures are " + keptWords(kept.Records) + " old: the oldest then go before their time."
	}
	return s.render(c, http.StatusOK, page)
}

// insertAge adds the age that is set to those that the forecast names, in order.
func insertAge(ages []time.Duration, set time.Duration) []time.Duration {
	for n, age := range ages {
		if age == set {
			return ages
		}
		if age > set {
			return append(ages[:n:n], append([]time.Duration{set}, ages[n:]...)...)
		}
	}
	return append(ages, set)
}

func keptWords(age time.Duration) string {
	if age == 0 {
		return "for ever"
	}
	return durationWords(age)
}

// byteWords writes a number of bytes with its largest unit: "1.4 GB".
func byteWords(n int64) string {
	const thousand = 1000
	if n < thousand {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, units := float64(n)/thousand, []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	for value >= thousand && len(units) > 1 {
		value, units = value/thousand, units[1:]
	}
	digits := 0
	if value < 10 {
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + units[0]
}

// A redactionPage shows what would be stored of a line. Nothing of it is kept or logged, and the line itself is not shown again.
type redactionPage struct {
	settingsFrame
	Records []string // as they would be stored
	Faults  []string // of what would not be taken
	Read    string   // how a line that is no record is read
	More    string
}

func (redactionPage) template() string { return "settings_redaction.html" }

func (s *Server) redactionPage(c echo.Context) error {
	return s.render(c, http.StatusOK, redactionPage{settingsFrame: s.settingsFrame(c, "/settings/redaction")})
}

// redactedShown bounds the records of one test.
const redactedShown = 10

func (s *Server) tryRedaction(c echo.Context) error {
	page := redactionPage{settingsFrame: s.settingsFrame(c, "/settings/redaction")}
	text := strings.TrimSpace(c.FormValue("text"))
	if text == "" || len(text) > pasteLimit {
		page.Problem = "Paste a line of a log or a record, of at most 256 KiB."
		return s.render(c, http.StatusUnprocessableEntity, page)
	}
	var records []classify.Record
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		var problems []Problem
		records, problems = s.Decode([]byte(text))
		for _, p := range problems[:min(len(problems), maxFaults)] {
			page.Faults = append(page.Faults, problemWords(p))
		}
	} else if rec, err := s.DecodePasted([]byte(text)); err != nil {
		page.Faults = []string{"This cannot be read: " + shown(err.Error(), valueLength) + "."}
	} else {
		records, page.Read = []classify.Record{rec}, "This is no record in JSON, so ingestion would not take it as it is. As text that is part of a record it would be stored like this:"
	}
	for _, rec := range records[:min(len(records), redactedShown)] {
		page.Records = append(page.Records, recordViewOf(rec).JSON)
	}
	if left := len(records) - redactedShown; left > 0 {
		page.More = count(int64(left)) + " more are not shown."
	}
	return s.render(c, http.StatusOK, page)
}

// problemWords says what is wrong with one record; it never quotes the record.
func problemWords(p Problem) string {
	words := "Record " + count(int64(p.Index+1))
	if p.Pointer != "" {
		words += ", at " + line(p.Pointer)
	}
	return words + ": " + line(p.Detail) + " (" + line(p.Code) + ")."
}
