package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	rateWindow = time.Minute
	rateName   = "default" // of the one policy
	rateForget = 1000      // callers that are remembered before those whose window is over are forgotten
)

// A rateLimit counts the requests of each key and person to the REST API in windows of a minute that begin with the
// first request. Each replica counts for itself. Callers are known by then, so there are no more than keys and people.
type rateLimit struct {
	quota int64 // 0: no bound
	now   func() time.Time

	mu      sync.Mutex
	callers map[string]rateUse
}

type rateUse struct {
	began time.Time
	used  int64
}

func newRateLimit(quota int64, now func() time.Time) *rateLimit {
	return &rateLimit{quota: quota, now: now, callers: map[string]rateUse{}}
}

// take counts one request: what is left in the window, in what time it ends, and whether the request is within the quota.
func (l *rateLimit) take(who string) (left int64, end time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.callers) >= rateForget {
		for name, use := range l.callers {
			if now.Sub(use.began) >= rateWindow {
				delete(l.callers, name)
			}
		}
	}
	use, known := l.callers[who]
	if age := now.Sub(use.began); !known || age >= rateWindow || age < 0 {
		use = rateUse{began: now}
	}
	ok = use.used < l.quota
	if ok {
		use.used++
	}
	l.callers[who] = use
	return l.quota - use.used, rateWindow - now.Sub(use.began), ok
}

// limitRate says in each answer what the caller has left (draft-ietf-httpapi-ratelimit-headers-11), and refuses what is beyond.
func (s *Server) limitRate(c echo.Context, who identity) error {
	if s.rate.quota <= 0 {
		return nil
	}
	left, end, ok := s.rate.take(who.key.ID + " " + who.user.ID)
	seconds := strconv.Itoa(int(math.Ceil(end.Seconds())))
	h := c.Response().Header()
	h.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%d`, rateName, s.rate.quota, int(rateWindow.Seconds())))
	h.Set("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%s`, rateName, left, seconds))
	if ok {
		return nil
	}
	p := fail(http.StatusTooManyRequests, fmt.Sprintf("At most %d requests a minute are answered to one key or person. To follow what happens, GET %s needs one.", s.rate.quota, streamRoute))
	p.Type, p.Title = "https://iana.org/assignments/http-problem-types#quota-exceeded", "Request cannot be satisfied as assigned quota has been exceeded"
	p.ViolatedPolicies = []string{rateName}
	p.header.Set(echo.HeaderRetryAfter, seconds)
	return p
}
