package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
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
		sum := sha256.Sum256(content)
		assets[name[len("static/"):]] = asset{content: content, hash: hex.EncodeToString(sum[:8]), media: mime.TypeByExtension(path.Ext(name))}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load static files: %w", err)
	}
	return assets, nil
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
