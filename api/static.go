package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"

	"authwatch/web"

	"github.com/labstack/echo/v4"
)

// An asset is one static file. Its hash makes an address that never changes its content.
type asset struct {
	content []byte
	hash    string // 16 hexadecimal digits of its SHA-256
	media   string
}

func loadAssets() (map[string]asset, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(web.Files(), "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			return err
		}
		media := mediaType(path.Ext(name))
		if media == "" {
			return fmt.Errorf("%s: its media type is not known", name)
		}
		sum := sha256.Sum256(content)
		assets[name[len("static/"):]] = asset{content: content, hash: hex.EncodeToString(sum[:8]), media: media}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load static files: %w", err)
	}
	return assets, nil
}

// mediaType is that of the files that there are. Package mime would ask the machine too, whose files may say otherwise, and
// would keep its whole table, thousands of objects.
func mediaType(extension string) string {
	switch extension {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return ""
}

// assetURL returns the address of a static file ("app.css") that browsers may keep for ever.
func (s *Server) assetURL(name string) string { return "/static/" + name + "?v=" + s.assets[name].hash }

// static serves the embedded files: for ever under their hash, else to be revalidated.
func (s *Server) static(c echo.Context) error {
	file, ok := s.assets[c.Param("*")]
	if !ok {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("ETag", `"`+file.hash+`"`)
	h.Set("Content-Type", file.media)
	h.Set("Cache-Control", "no-cache")
	if c.QueryParam("v") == file.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(file.content))
	return nil
}
