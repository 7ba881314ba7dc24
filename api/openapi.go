package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.yaml.in/yaml/v3"
)

// openAPI describes every route of the REST API; the tests hold each answer to it.
//
//go:embed openapi.yaml
var openAPI []byte

// loadDescription returns the description as JSON.
func loadDescription() ([]byte, error) {
	var document map[string]any
	if err := yaml.Unmarshal(openAPI, &document); err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode openapi.yaml as JSON: %w", err)
	}
	return text, nil
}

func (s *Server) getDescription(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", openAPI)
}

func (s *Server) getDescriptionAsJSON(c echo.Context) error {
	return c.JSONBlob(http.StatusOK, s.description)
}
