package api

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// zoneCookie holds in which time zone a reader wants to see times. Without it that is UTC, in which teams can talk.
const zoneCookie = "aw_zone"

// nowFor is the present, in the reader's time zone: what a page shows a time beside decides how it is written.
func (s *Server) nowFor(c echo.Context) time.Time {
	if cookie, err := c.Cookie(zoneCookie); err == nil {
		if name, err := url.QueryUnescape(cookie.Value); err == nil {
			if zone, ok := zoneNamed(name); ok {
				return s.Now().In(zone)
			}
		}
	}
	return s.Now().UTC()
}

// zoneNamed knows UTC, a distance such as UTC+05:30, and names of the zone database such as Europe/Berlin.
func zoneNamed(name string) (*time.Location, bool) {
	if m := regexp.MustCompile(`^UTC([+-])(\d\d):(\d\d)$`).FindStringSubmatch(name); m != nil {
		hours, _ := strconv.Atoi(m[2]) // digits, as the expression says
		minutes, _ := strconv.Atoi(m[3])
		if hours > 14 || minutes > 59 {
			return nil, false
		}
		east := hours*3600 + minutes*60
		if m[1] == "-" {
			east = -east
		}
		return time.FixedZone(name, east), true
	}
	if name == "" || name == "Local" || len(name) > 64 { // Local would be the server's own
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// zoneName is how pages call the zone of a time: by its name, and where that says nothing of it with the distance from UTC.
func zoneName(t time.Time) string {
	name := t.Location().String()
	if _, east := t.Zone(); name != "UTC" && name[:min(3, len(name))] != "UTC" {
		return name + " (" + offsetName(east) + ")"
	}
	return name
}

// offsetName writes seconds east of Greenwich: UTC+05:30.
func offsetName(east int) string {
	sign := "+"
	if east < 0 {
		sign, east = "-", -east
	}
	return fmt.Sprintf("UTC%s%02d:%02d", sign, east/3600, east/60%60)
}

// A zoneView is the form that changes the zone. Scripts add the browser's own to its choices.
type zoneView struct {
	Name    string
	Back    string // the page that it stands on
	Choices []option
}

func zoneViewOf(c echo.Context, now time.Time) zoneView {
	chosen := now.Location().String()
	v := zoneView{Name: zoneName(now), Back: c.Request().URL.RequestURI()}
	if c.Request().Method != http.MethodGet && c.Request().Method != http.MethodHead {
		v.Back = "/" // what a form was sent to cannot be gone back to
	}
	names := []string{"UTC"}
	for east := -12 * 60; east <= 14*60; east += 60 {
		if names = append(names, offsetName(east*60)); east == 5*60 || east == 9*60 {
			names = append(names, offsetName((east+30)*60))
		}
	}
	known := false
	for _, name := range names {
		if name != "UTC+00:00" {
			v.Choices = append(v.Choices, option{name, name, name == chosen})
			known = known || name == chosen
		}
	}
	if !known {
		v.Choices = append(v.Choices, option{chosen, zoneName(now), true})
	}
	return v
}

// changeZone keeps the choice in the browser for a year: it is the reader's, not the account's.
func (s *Server) changeZone(c echo.Context) error {
	name := c.FormValue("zone")
	if _, ok := zoneNamed(name); !ok {
		return fail(http.StatusBadRequest, "This time zone is not known here.",
			fault{Parameter: "zone", Code: "unknown_zone", Detail: "use UTC, a distance such as UTC+02:00, or a name such as Europe/Berlin"})
	}
	c.SetCookie(&http.Cookie{Name: zoneCookie, Value: url.QueryEscape(name), Path: "/", MaxAge: 365 * 86400, HttpOnly: true, Secure: s.isTLS(c), SameSite: http.SameSiteLaxMode})
	return c.Redirect(http.StatusSeeOther, ownPath(c.FormValue("back")))
}

// ownPath is a path of this server, whatever a form says: another host's would make the redirect an open one.
func ownPath(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.IsAbs() || u.Host != "" || len(u.Path) == 0 || u.Path[0] != '/' || len(u.Path) > 1 && (u.Path[1] == '/' || u.Path[1] == '\\') {
		return "/"
	}
	return u.RequestURI()
}
