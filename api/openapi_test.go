package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// A contract is the API's description, taken at its word: a member of an answer that it does not name is a fault.
type contract struct {
	document *openapi3.T
	router   routers.Router
}

func loadContract(t *testing.T) *contract {
	t.Helper()
	c, err := readContract()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return c
}

// readContract reads the description once for all tests, which do not change it: that takes longer than most of them.
var readContract = sync.OnceValues(func() (*contract, error) {
	document, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	if err := document.Validate(context.Background(), openapi3.IsOpenAPI31OrLater()); err != nil {
		return nil, err
	}
	for _, schema := range document.Components.Schemas {
		closeObjects(schema)
	}
	for _, path := range document.Paths.Map() {
		for _, operation := range path.Operations() {
			for _, response := range operation.Responses.Map() {
				for _, media := range response.Value.Content {
					closeObjects(media.Schema)
				}
			}
		}
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		return nil, err
	}
	return &contract{document: document, router: router}, nil
})

// closeObjects forbids members that are not named, in every object that does not say otherwise.
func closeObjects(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil {
		return
	}
	schema := ref.Value
	if len(schema.Properties) > 0 && schema.AdditionalProperties.Has == nil {
		no := false
		schema.AdditionalProperties.Has = &no
	}
	if ref.Ref != "" { // closed where it is defined, and it may refer to itself
		return
	}
	for _, property := range schema.Properties {
		closeObjects(property)
	}
	closeObjects(schema.Items)
}

// check holds an exchange to the description: an answer always, a request when it was accepted.
func (k *contract) check(t *testing.T, r *http.Request, body string, got answer) {
	t.Helper()
	if !strings.HasPrefix(r.URL.Path, "/api/v1/") { // the rest is pages and the protocols of shippers
		return
	}
	if r.Header.Get("Content-Type") == "" { // never asked for: a body says itself what it is
		r.Header.Set("Content-Type", "application/json")
	}
	route, params, err := k.router.FindRoute(r)
	if err != nil {
		if got.status < 300 && r.Method != http.MethodHead && r.Method != http.MethodOptions {
			t.Errorf("%s %s answers %d and is not described", r.Method, r.URL.Path, got.status)
		}
		return
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if got.status < 300 {
		if err := openapi3filter.ValidateRequest(t.Context(), request); err != nil {
			t.Errorf("%s %s was accepted with %d, and is not as described: %v", r.Method, r.URL.Path, got.status, err)
		}
	}
	media, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	options := *request.Options
	if r.URL.Query().Get("fields") != "" { // the rows lack what was not asked for
		options.ExcludeResponseBody = true
	} else if !strings.HasSuffix(media, "json") || strings.HasSuffix(media, "ndjson") { // no JSON document: only that it is described
		options.ExcludeResponseBody = true
		if described := route.Operation.Responses.Status(got.status); got.body != "" && (described == nil || described.Value.Content.Get(media) == nil) {
			t.Errorf("%s %s answered %d with %s, which is not described", r.Method, r.URL.Path, got.status, media)
		}
	}
	response := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: got.status, Header: got.header,
		Body: io.NopCloser(strings.NewReader(got.body)), Options: &options}
	if err := openapi3filter.ValidateResponse(t.Context(), response); err != nil {
		t.Errorf("%s %s answered %d, which is not as described: %v", r.Method, r.URL.Path, got.status, err)
	}
}

// Every route for programs is described, and nothing is described that does not exist.
func TestOpenAPI_EveryRoute(t *testing.T) {
	s := newSite(t)
	var served, described []string
	name := regexp.MustCompile(`:(\w+)`)
	for _, r := range s.api.apiRoutes() {
		if r.path != "/static/*" {
			served = append(served, r.method+" "+name.ReplaceAllString(r.path, "{$1}"))
		}
	}
	for path, item := range loadContract(t).document.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	for _, r := range served {
		if !slices.Contains(described, r) {
			t.Errorf("%s is not described", r)
		}
	}
	for _, r := range described {
		if !slices.Contains(served, r) {
			t.Errorf("%s is described and not served", r)
		}
	}
}

func TestOpenAPI_Served(t *testing.T) {
	s := newSite(t)
	asYAML := s.do(t, ask{path: "/api/v1/openapi.yaml"})
	asJSON := s.do(t, ask{path: "/api/v1/openapi.json"})
	for _, got := range []answer{asYAML, asJSON} {
		if got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		document, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
		if err != nil || document.Paths.Value("/api/v1/incidents") == nil {
			t.Errorf("%s: %v", got.header.Get("Content-Type"), err)
		}
	}
}
