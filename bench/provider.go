package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// answers.ndjson holds what real servers said: most lines are from the labelled corpus of package classify, those of
// Okta, Keycloak, Entra ID and Spring Security are texts that their makers document.
//
//go:embed answers.ndjson
var answersFile embed.FS

// An answer is one refusal of one server, and what is wrong with the token that gets it.
type answer struct {
	Server  string            `json:"server"`
	Phase   string            `json:"phase"` // token_request or api_call
	Fault   string            `json:"fault"` // none, absent, expired, future, audience, issuer, kid, alg or scope
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`

	headers []byte // as JSON members, each with a comma before it
}

// readAnswers returns the refusals by server.
func readAnswers() (map[string][]answer, error) {
	text, err := answersFile.ReadFile("answers.ndjson")
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	byServer := map[string][]answer{}
	for line := range bytes.Lines(text) {
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("read answers: %w", err)
		}
		members, err := json.Marshal(a.Headers)
		if err != nil {
			return nil, fmt.Errorf("encode headers of %s: %w", a.Server, err)
		}
		if len(a.Headers) > 0 {
			a.headers = append([]byte{','}, members[1:len(members)-1]...)
		}
		byServer[a.Server] = append(byServer[a.Server], a)
	}
	return byServer, nil
}

// A provider is one service whose traffic is generated: two environments, each with an API and a token endpoint.
type provider struct {
	name    string   // of the profile, and of its domain
	server  string   // whose answers it gives
	routes  []string // method and path; {id} becomes a number
	scopes  string
	profile bool // authwatch is told what is right here; for the others it has the standards alone
}

// providers are the services of the answers. Domains are reserved ones (RFC 2606).
func providers() []provider {
	return []provider{
		{"parcelgrid", "express-jwt", []string{"GET /api/shipments/{id}", "POST /api/shipments", "POST /api/labels/{id}/print", "GET /api/carriers"}, "shipments.read shipments.create labels.print", true},
		{"fernway", "express-oauth2-jwt-bearer", []string{"GET /v1/bookings/{id}", "POST /v1/bookings", "GET /v1/guests/{id}"}, "read:bookings write:bookings read:guests", true},
		{"northmill", "fosite", []string{"GET /ledger/batches/{id}", "POST /ledger/batches"}, "batches:read batches:write", true},
		{"quarrydesk", "golang-jwt", []string{"GET /v1/tickets/{id}", "POST /v1/tickets", "GET /v1/sites"}, "tickets:read tickets:write sites:read", true},
		{"lumenpay", "jose", []string{"GET /v2/payments/{id}", "POST /v2/payments", "GET /v2/ledger/entries"}, "payments:read payments:write ledger:read", true},
		{"harborline", "oidc-provider", []string{"GET /oauth/me"}, "openid profile", true},
		{"tidewater", "passport-jwt", []string{"GET /rest/lessons/{id}", "POST /rest/boats/{id}/reserve", "GET /rest/reports/daily"}, "lessons reports", true},
		{"northwind", "keycloak", []string{"GET /admin/orders/{id}", "PUT /admin/orders/{id}", "GET /admin/customers"}, "orders customers", true},
		{"meridian", "okta", []string{"GET /api/v1/users/{id}", "GET /api/v1/groups/{id}/users"}, "okta.users.read okta.groups.read", false},
		{"contoso", "entra", []string{"GET /v1.0/drives/{id}/items", "GET /v1.0/sites/{id}"}, "https://graph.contoso.test/.default", false},
		{"brightwell", "spring", []string{"GET /claims/{id}", "POST /claims", "GET /policies/{id}/history"}, "claims.read claims.write policies.read", false},
	}
}

// environments lists the names of a provider's environments; infix is what tells their hosts apart.
func environments() []environment {
	return []environment{{"prod", ""}, {"staging", "staging."}}
}

type environment struct{ name, infix string }

func (p provider) host(e environment) string     { return "api." + e.infix + p.name + ".test" }
func (p provider) api(e environment) string      { return "https://" + p.host(e) }
func (p provider) issuer(e environment) string   { return "https://id." + e.infix + p.name + ".test/" }
func (p provider) endpoint(e environment) string { return p.issuer(e) + "oauth2/token" }

const profileText = `provider: {{.Name}}
environments:
{{- range .Environments}}
  - name: {{.Name}}
    hosts: ["{{.Host}}"]
    token_endpoints: ["{{.Endpoint}}"]
    issuers: ["{{.Issuer}}"]
    api_audiences: ["{{.API}}"]
{{- end}}
assertion:
  algorithms: [RS256]
  required_claims: [iss, sub, aud, exp, jti]
  audience: token_endpoint
  max_lifetime: 300s
  clock_skew: 10s
  single_use_jti: true
  content_type: application/x-www-form-urlencoded
access_token:
  algorithms: [RS256]
  required_claims: [iss, aud, exp]
  clock_skew: 10s
scopes:
{{- range .Routes}}
  - {method: {{.Method}}, path: "{{.Path}}", any_of: [{{range $i, $s := $.Scopes}}{{if $i}}, {{end}}"{{$s}}"{{end}}]}
{{- end}}
`

type profilePage struct {
	Name         string
	Environments []profileEnvironment
	Routes       []profileRoute
	Scopes       []string
}

type profileEnvironment struct{ Name, Host, API, Endpoint, Issuer string }

type profileRoute struct{ Method, Path string }

// writeProfiles writes the profile of every provider that has one and returns their paths.
func writeProfiles(dir string) ([]string, error) {
	page, err := template.New("profile").Parse(profileText)
	if err != nil {
		return nil, fmt.Errorf("parse profile: %w", err)
	}
	var paths []string
	for _, p := range providers() {
		if !p.profile {
			continue
		}
		data := profilePage{Name: p.name, Scopes: strings.Fields(p.scopes)}
		for _, e := range environments() {
			data.Environments = append(data.Environments, profileEnvironment{e.name, p.host(e), p.api(e), p.endpoint(e), p.issuer(e)})
		}
		for _, r := range p.routes {
			method, path, _ := strings.Cut(r, " ")
			data.Routes = append(data.Routes, profileRoute{method, path})
		}
		var text bytes.Buffer
		if err := page.Execute(&text, data); err != nil {
			return nil, fmt.Errorf("write profile %s: %w", p.name, err)
		}
		path := filepath.Join(dir, p.name+".yaml")
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
