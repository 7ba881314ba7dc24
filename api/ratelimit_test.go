package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestRateLimit(t *testing.T) {
	s := newSite(t)
	s.api.rate = newRateLimit(3, func() time.Time { return s.now })
	for n := range 3 {
		a := s.do(t, ask{path: "/api/v1/causes", who: "read"})
		if a.status != http.StatusOK || a.header.Get("RateLimit-Policy") != `"default";q=3;w=60` || a.header.Get("RateLimit") != fmt.Sprintf(`"default";r=%d;t=%d`, 2-n, 60-10*n) {
			t.Errorf("request %d: %d %q %q", n, a.status, a.header.Get("RateLimit-Policy"), a.header.Get("RateLimit"))
		}
		s.now = s.now.Add(10 * time.Second)
	}
	a := s.do(t, ask{path: "/api/v1/causes", who: "read"})
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "30" || a.header.Get("RateLimit") != `"default";r=0;t=30` {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	want := `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,` +
		`"detail":"At most 3 requests a minute are answered to one key or person. To follow what happens, GET /api/v1/stream needs one.","violated-policies":["default"]}`
	if a.body != want {
		t.Errorf("%s", a.body)
	}
	for _, who := range []string{"admin", "session viewer"} { // others have quotas of their own
		if a := s.do(t, ask{path: "/api/v1/causes", who: who}); a.status != http.StatusOK {
			t.Errorf("%s: %d", who, a.status)
		}
	}
	if a := s.do(t, ask{path: "/", who: "session viewer"}); a.status != http.StatusOK || a.header.Get("RateLimit") != "" {
		t.Errorf("a page: %d %q", a.status, a.header.Get("RateLimit"))
	}
	s.now = s.now.Add(30 * time.Second)
	if a := s.do(t, ask{path: "/api/v1/causes", who: "read"}); a.status != http.StatusOK {
		t.Errorf("in the next minute: %d", a.status)
	}
}

// TestRateLimit_Forgets keeps nothing of callers whose window is over once there are many.
func TestRateLimit_Forgets(t *testing.T) {
	now := time.Now()
	l := newRateLimit(1, func() time.Time { return now })
	for n := range rateForget {
		l.take(fmt.Sprint(n))
	}
	now = now.Add(rateWindow)
	if _, _, ok := l.take("one more"); !ok || len(l.callers) != 1 {
		t.Errorf("%d callers are remembered", len(l.callers))
	}
}
