package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// haproxyConfig verifies tokens as HAProxy's manual shows for jwt_verify, and refuses with HAProxy's own pages: 403 in one
// environment, 401 in the other.
const haproxyConfig = `
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend api
    bind 127.0.0.1:{{.Port}}
{{- if .Block}}
    http-request deny if { src 127.0.0.0/8 }
{{- end}}
{{- if .Limit}}
    stick-table type string size 10 expire 1m store http_req_rate(1m)
    http-request track-sc0 str(everybody)
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt {{.Limit}} }
{{- end}}
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.jwt_alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
    http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny {{.Refusal}} unless { var(txn.jwt_alg) -m str "{{.Algorithm}}" }
    http-request deny {{.Refusal}} unless { var(txn.iss) -m str "{{.Issuer}}" }
    http-request deny {{.Refusal}} unless { var(txn.aud) -m str "{{.Audience}}" }
    http-request deny {{.Refusal}} unless { var(txn.bearer),jwt_verify(txn.jwt_alg,"{{.KeyFile}}") 1 }
    http-request deny {{.Refusal}} if { var(txn.exp),sub(txn.now) -m int lt 0 }
    default_backend upstream
backend upstream
    server api {{.Upstream}}
`

// startHAProxy runs HAProxy in front of an API.
func startHAProxy(ctx context.Context, s Setup) (string, func(), error) {
	upstream := startUpstream(s.behindGateway())
	dir, err := os.MkdirTemp("", "corpus-haproxy-")
	stop := func() {
		upstream.Close()
		_ = os.RemoveAll(dir) // a temporary directory
	}
	if err != nil {
		return "", stop, fmt.Errorf("make directory: %w", err)
	}
	keyFile := filepath.Join(dir, "issuer.pem")
	if err := writeIssuerKey(keyFile, s.JWKS); err != nil {
		return "", stop, err
	}
	port, err := freePort()
	if err != nil {
		return "", stop, err
	}
	server, err := url.Parse(upstream.URL)
	if err != nil {
		return "", stop, fmt.Errorf("parse address: %w", err)
	}
	refusal := ""
	if s.Verbose {
		refusal = "deny_status 401"
	}
	config := filepath.Join(dir, "haproxy.cfg")
	err = writeTemplate(config, haproxyConfig, struct {
		Setup
		Port                       int
		KeyFile, Refusal, Upstream string
	}{s, port, keyFile, refusal, server.Host})
	if err != nil {
		return "", stop, err
	}
	base, end, err := startDaemon(ctx, port, "/usr/sbin/haproxy", "-q", "-db", "-f", config)
	return base, func() { end(); stop() }, err
}

// behindGateway is the setup of an API whose gateway limits its callers.
func (s Setup) behindGateway() Setup {
	s.Limit = 0
	return s
}

// writeIssuerKey writes the issuer's public key as a file.
func writeIssuerKey(file, jwks string) error {
	set, err := fetchKeys(jwks)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(set.Keys[0].Key)
	if err != nil {
		return fmt.Errorf("encode the issuer's key: %w", err)
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

func writeTemplate(file, text string, data any) error {
	parsed, err := template.New(filepath.Base(file)).Parse(text)
	if err != nil {
		return fmt.Errorf("parse configuration: %w", err)
	}
	var content strings.Builder
	if err := parsed.Execute(&content, data); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return os.WriteFile(file, []byte(content.String()), 0o644)
}

func haproxySystem() System {
	return System{
		Name: "haproxy", Set: blind2Set, Packages: []string{"haproxy"}, Start: each(startHAProxy),
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"}, KeysAtStart: true, Limits: true, Blocks: true,
		TokenPath: "/token",
		Services:  []string{"snow-gun", "lift-board"}, Clients: []string{"snowgun-17", "liftboard-02", "kiosk-summit"},
		Envs: [2]Env{
			{"prod", "https://login.northface-lifts.test/", "https://api.northface-lifts.test", "https://api.northface-lifts.test/", "lifts-2026-01"},
			{"stage", "https://login.stage.northface-lifts.test/", "https://api.stage.northface-lifts.test", "https://api.stage.northface-lifts.test/", "lifts-stage-2026-01"},
		},
		Routes:   []Route{{"GET", "/lifts/{id}", "lifts:status"}, {"PUT", "/guns/{id}", "guns:control"}, {"GET", "/slopes", "slopes:read"}},
		Accounts: "/resorts/{account}/passes", Admin: "/lifts/{id}",
	}
}
