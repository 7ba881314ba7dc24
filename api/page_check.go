package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"authwatch/bundle"
	"authwatch/classify"

	"github.com/labstack/echo/v4"
)

// A checkPage judges what a person pastes. Nothing of it is stored or logged, and the text itself is never echoed: a
// raw token in it would stand in the page. What comes back is the redacted record.
type checkPage struct {
	frame
	Places   []option
	Statuses []option
	Text     string // the redacted record, to be changed and checked again
	Problem  string
	Verdict  *verdictView
	Fine     string // why there is no failure to explain
	Record   recordView
	Place    string
}

func (checkPage) template() string { return "check.html" }

// pasteLimit is far above any record; the body limit of all requests is above it.
const pasteLimit = 256 << 10

func (s *Server) checkPage(c echo.Context) error {
	return s.render(c, http.StatusOK, checkPage{frame: s.frameOf(c, "/check"), Places: s.checkPlaces(""), Statuses: checkStatuses("")})
}

// checkPlaces offers each environment of each profile, as provider/environment.
func (s *Server) checkPlaces(chosen string) []option {
	var out []option
	for _, p := range s.Profiles {
		for _, e := range p.Environments {
			value := p.ID + "/" + e.Name
			out = append(out, option{value, p.ID + " / " + e.Name, value == chosen})
		}
		if len(p.Environments) == 0 {
			out = append(out, option{p.ID + "/", p.ID, p.ID+"/" == chosen})
		}
	}
	return out
}

func (s *Server) checkPasted(c echo.Context) error {
	text, place, status := strings.TrimSpace(c.FormValue("text")), c.FormValue("place"), c.FormValue("status")
	page := checkPage{frame: s.frameOf(c, "/check"), Places: s.checkPlaces(place), Statuses: checkStatuses(status)}
	if text == "" || len(text) > pasteLimit {
		page.Problem = "Paste a record, decoded claims or a token, of at most 256 KiB."
		return s.render(c, http.StatusUnprocessableEntity, page)
	}
	if bundle.IsBundle([]byte(text)) {
		return s.checkBundle(c, page, []byte(text))
	}
	rec, err := s.DecodePasted([]byte(text))
	if err != nil { // it says what is expected and never quotes what was pasted
		page.Problem = "This is neither a record, nor claims, nor a token: " + shown(err.Error(), valueLength) + "."
		return s.render(c, http.StatusUnprocessableEntity, page)
	}
	if provider, environment, ok := strings.Cut(place, "/"); ok && s.profile(provider) != nil {
		rec.Provider, rec.Environment = provider, environment
	}
	answerWith(&rec, status)
	page.judge(s.classifier, rec)
	return s.render(c, http.StatusOK, page)
}

// checkBundle shows the verdict of a support bundle's first case.
func (s *Server) checkBundle(c echo.Context, page checkPage, text []byte) error {
	b, err := bundle.Read(text, s.decodeOne)
	var verdicts []classify.Verdict
	if err == nil {
		verdicts = b.Verdicts(s.Knowledge)
	}
	if len(verdicts) == 0 {
		page.Problem = "This is no readable support bundle with a failure in it."
		return s.render(c, http.StatusUnprocessableEntity, page)
	}
	rec := b.Cases[0].Record
	view := verdictOf(verdicts[0], &rec, b.Profile)
	page.Verdict, page.Record, page.Place = &view, recordViewOf(rec), placeOf(verdicts[0].Provider, verdicts[0].Environment)
	return s.render(c, http.StatusOK, page)
}

// checkStatuses offers the status for a body that was pasted without one.
func checkStatuses(chosen string) []option {
	var out []option
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden} {
		value := strconv.Itoa(status)
		out = append(out, option{value, value + " " + http.StatusText(status), value == chosen})
	}
	return out
}

// answerWith adds the status that a person says the server answered with. What the record says itself stays.
func answerWith(rec *classify.Record, chosen string) {
	status, err := strconv.Atoi(chosen)
	if err != nil || status < 400 || status > 499 {
		return
	}
	if rec.Response == nil {
		rec.Response = &classify.Response{}
	}
	if rec.Response.Status == 0 {
		rec.Response.Status = status
	}
}

// judge places and classifies a record by itself: without history, and without leaving a trace.
func (p *checkPage) judge(classifier *classify.Classifier, rec classify.Record) {
	exchange := classifier.Locate(&rec)
	verdict := classify.Classify(exchange, classify.History{})
	view := verdictOf(verdict, &rec, exchange.Profile)
	p.Record = recordViewOf(rec)
	if !p.Record.Altered {
		p.Text = p.Record.JSON
	}
	p.Place = placeOf(exchange.Provider, exchange.Environment)
	if exchange.Outcome != classify.Failed && !hasResult(verdict, classify.Fail) {
		p.Fine = fineWords(exchange, verdict)
	}
	p.Verdict = &view
}

func hasResult(v classify.Verdict, r classify.CheckResult) bool {
	return slices.ContainsFunc(v.Checks, func(c *classify.Check) bool { return c.Result == r })
}

func fineWords(e classify.Exchange, v classify.Verdict) string {
	answered := e.Record.Response != nil && e.Record.Response.Status > 0
	switch {
	case e.Outcome == classify.Accepted:
		return "The server accepted this exchange, and no check that could be run finds a fault."
	case !answered && hasResult(v, classify.Pass):
		return "No check that could be run finds a fault. If a server refused it all the same, choose the status that it answered with."
	case !answered:
		return "Nothing in it could be checked, and it holds no status. Choose the one that the server answered with and check again."
	default:
		return "This is not an authentication or authorization failure."
	}
}
