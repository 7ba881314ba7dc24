package api

import (
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// compress packs pages and static files: over a phone's network the bytes are what somebody waits for. Answers of the REST
// API stay as they are, because a strong ETag is of the very bytes, and a part of a file is a part of what is not packed.
// A page shows a secret, a new key, only once, so that lengths of packed pages cannot be compared to guess one.
func compress() echo.MiddlewareFunc {
	return middleware.GzipWithConfig(middleware.GzipConfig{
		MinLength: 1000,
		Skipper: func(c echo.Context) bool {
			path := c.Request().URL.Path
			return isIngest(c) || strings.HasPrefix(path, "/api/") || path == "/metrics" || c.Request().Header.Get("Range") != ""
		},
	})
}
