package api

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// refuseOtherHosts answers 421 where a browser asks by a name that is not ours: a page of another site can have its own name
// lead to this machine (DNS rebinding), and would be the same origin as what it then reads. An address is no name that
// could be led astray; and what carries a key in a header, or is shippers' and watchers' business, no browser sends by itself.
func (s *Server) refuseOtherHosts(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		exempt := s.Hosts == nil || isIngest(c) || len(r.Header.Values(echo.HeaderAuthorization)) > 0 || c.Path() == "/healthz" || c.Path() == "/readyz"
		if exempt || s.isOurHost(r.Host) {
			return next(c)
		}
		return fail(http.StatusMisdirectedRequest, "This server is not known by the name in the request's Host. If it should be, start it with --public-url URL or --host NAME.")
	}
}

func (s *Server) isOurHost(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return net.ParseIP(strings.Trim(name, "[]")) != nil || slices.Contains(s.Hosts, name)
}
