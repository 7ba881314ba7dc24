package api

import (
	"net/http"
	"strings"

	"authwatch/classify"

	"github.com/labstack/echo/v4"
)

// A checkPage judges what a person pastes. Nothing of it is stored or logged, and the text itself is never echoed: a
// raw token in it would stand in the page. What comes back is the redacted record.
type checkPage struct {
	frame
	Places  []option
	Problem string
	Verdict *verdictView
	Fine    string // why there is no failure to explain
	Record  recordView
	Place   string
}

func (checkPage) template() string { return "check.html" }

// pasteLimit is far above any record; the body limit of all requests is above it.
const pasteLimit = 256 << 10

func (s *Server) checkPage(c echo.Context) error {
	return s.render(c, http.StatusOK, checkPage{frame: s.frameOf(c, "/check"), Places: s.checkPlaces("")})
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
	text, place := strings.TrimSpace(c.FormValue("text")), c.FormValue("place")
	page := checkPage{frame: s.frameOf(c, "/check"), Places: s.checkPlaces(place)}
	if text == "" || len(text) > pasteLimit {
		page.Problem = "Paste a record, decoded claims or a token, of at most 256 KiB."
		return s.render(c, http.StatusUnprocessableEntity, page)
	}
	rec, err := s.DecodePasted([]byte(text))
	if err != nil { // it says what is expected and never quotes what was pasted
		page.Problem = "This is neither a record, nor claims, nor a token: " + shown(err.Error(), valueLength) + "."
		return s.render(c, http.StatusUnprocessableEntity, page)
	}
	if provider, environment, ok := strings.Cut(place, "/"); ok && s.profile(provider) != nil {
		rec.Provider, rec.Environment = provider, environment
	}
	page.judge(s.Profiles, rec)
	return s.render(c, http.StatusOK, page)
}

// judge places and classifies a record by itself: without history, and without leaving a trace.
func (p *checkPage) judge(profiles classify.Profiles, rec classify.Record) {
	exchange := profiles.Locate(&rec)
	verdict := classify.Classify(exchange, classify.History{})
	view := verdictOf(verdict, &rec, exchange.Profile)
	p.Record = recordViewOf(rec)
	p.Place = placeOf(exchange.Provider, exchange.Environment)
	if exchange.Outcome != classify.Failed && !hasFailedCheck(verdict) {
		p.Fine = fineWords(exchange.Outcome, verdict)
	}
	p.Verdict = &view
}

func hasFailedCheck(v classify.Verdict) bool {
	for _, c := range v.Checks {
		if c.Result == classify.Fail {
			return true
		}
	}
	return false
}

func fineWords(o classify.Outcome, v classify.Verdict) string {
	switch {
	case o == classify.Accepted:
		return "The server accepted this exchange, and no check that could be run finds a fault."
	case len(v.Checks) > 0:
		return "No check that could be run finds a fault, and there is no refusal in what was pasted."
	default:
		return "This is not an authentication or authorization failure, and it carries no token to check."
	}
}
