package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the package's own; their labels come from closed sets.
type metrics struct {
	duration *prometheus.HistogramVec
	streams  prometheus.Gauge
	skipped  prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "authwatch_http_request_duration_seconds",
		Help:    "Time to answer a request, by route pattern, method and status code.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"route", "method", "code"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "authwatch_stream_clients", Help: "Clients that follow the stream of events now."}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{Name: "authwatch_stream_skipped_total", Help: "Events that clients of the stream were not sent because they, or the server, were too slow."}),
	}
	for _, one := range []prometheus.Collector{m.duration, m.streams, m.skipped} {
		if err := r.Register(one); err != nil {
			return nil, fmt.Errorf("register api metrics: %w", err)
		}
	}
	return m, nil
}

// observe counts and logs every answer by its route's pattern: a raw URL may hold a sign-in token or a client's id.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		took, status := time.Since(began), c.Response().Status
		route, method := routeLabel(c), methodLabel(c.Request().Method)
		if route != streamRoute { // which lasts as long as its client likes
			s.metrics.duration.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
		}
		s.Logger.LogAttrs(c.Request().Context(), logLevel(route, status), "request", slog.String("method", method), slog.String("route", route),
			slog.Int("status", status), slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.Int64("bytes", c.Response().Size), slog.String("key", identityOf(c).key.ID))
		return nil
	}
}

// logLevel keeps probes and static files, which only repeat themselves, out of the usual log.
func logLevel(route string, status int) slog.Level {
	switch route {
	case "/healthz", "/readyz", "/metrics", "/static/*":
		if status < http.StatusBadRequest {
			return slog.LevelDebug
		}
	}
	return slog.LevelInfo
}

func routeLabel(c echo.Context) string {
	if c.Path() == "" {
		return "unmatched"
	}
	return c.Path()
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// recoverPanic answers 500. The log gets type and stack: the value itself may quote a request.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			s.Logger.ErrorContext(c.Request().Context(), "panic", "route", routeLabel(c), "type", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
			err = fail(http.StatusInternalServerError, "Something went wrong here; the log of the server says what.")
		}()
		return next(c)
	}
}

// securityHeaders go on every answer. Nothing is cached but static files, which say so themselves.
func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; script-src 'self'; "+
			"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}

// refuseCredentialsInURL answers 400 to a key in the query, which histories and proxies' logs keep, so that the habit
// does not form, and to a query that cannot be read. A page's parameters have to be
// what a statement of the database can hold; those of the API are checked one by one.
func refuseCredentialsInURL(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if isIngest(c) || c.Request().URL.RawQuery == "" {
			return next(c)
		}
		values, err := url.ParseQuery(c.Request().URL.RawQuery)
		if err != nil || len(values) > 100 {
			return fail(http.StatusBadRequest, "The query of the URL cannot be read, or has more than 100 parameters.")
		}
		for name, given := range values {
			if isPage(c) && (len(given) > 50 || slices.ContainsFunc(given, func(v string) bool { return len(v) > 2048 || !isText(v) })) {
				return fail(http.StatusBadRequest, "A parameter of the URL has more than 50 values, or one that is not UTF-8 text of at most 2048 bytes.")
			}
			switch strings.ToLower(strings.ReplaceAll(name, "-", "_")) {
			case "api_key", "apikey", "key", "token", "access_token", "authorization":
				return fail(http.StatusBadRequest, "Keys are never accepted in the URL; send Authorization: Bearer aw_… and revoke the key that was shown.",
					fault{Parameter: name, Code: "credential_in_url", Detail: "use the Authorization header"})
			}
		}
		return next(c)
	}
}
