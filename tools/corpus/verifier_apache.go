package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// apacheConfig protects an API with mod_auth_openidc as an OAuth 2.0 resource server. Issuer, audience and scopes are "Require
// claim", as the module's documents have it.
const apacheConfig = `
ServerName {{.Host}}
ServerRoot {{.Dir}}
DefaultRuntimeDir {{.Dir}}
PidFile {{.Dir}}/pid
ErrorLog /dev/null
Listen 127.0.0.1:{{.Port}}
{{range .Modules}}LoadModule {{.}}_module /usr/lib/apache2/modules/mod_{{.}}.so
{{end}}
OIDCOAuthVerifyJwksUri {{.SecureJWKS}}
OIDCOAuthSSLValidateServer Off
OIDCOAuthRemoteUserClaim sub
ProxyPass / {{.Upstream}}/
{{range .Paths}}
<LocationMatch "{{.Pattern}}">
    AuthType oauth20
    <RequireAll>
        Require claim "iss:{{$.Issuer}}"
        Require claim "aud:{{$.Audience}}"
        <RequireAny>
{{- range .Rules}}
            <RequireAll>
                Require method {{.Method}}
                {{- if .Claim}}
                Require claim "{{.Claim}}"
                {{- end}}
            </RequireAll>
{{- end}}
        </RequireAny>
    </RequireAll>
</LocationMatch>
{{end}}
`

// An apachePath is a location with what each method asks for.
type apachePath struct {
	Pattern string
	Rules   []apacheRule
}

// An apacheRule is one method of a location. Without a claim the API behind decides.
type apacheRule struct{ Method, Claim string }

func apachePaths(s Setup) []apachePath {
	var paths []apachePath
	add := func(path string, rule apacheRule) {
		pattern := "^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "[^/]+") + "$"
		i := slices.IndexFunc(paths, func(p apachePath) bool { return p.Pattern == pattern })
		if i < 0 {
			i = len(paths)
			paths = append(paths, apachePath{Pattern: pattern})
		}
		paths[i].Rules = append(paths[i].Rules, rule)
	}
	for _, r := range s.Routes {
		add(r.Path, apacheRule{r.Method, "scope~(^| )" + regexp.QuoteMeta(r.Scope) + "( |$)"})
	}
	add(s.Accounts, apacheRule{"GET", ""})
	add(s.Admin, apacheRule{"DELETE", "roles:admin"})
	return paths
}

// startApache runs Apache with mod_auth_openidc in front of an API.
func startApache(ctx context.Context, s Setup) (string, func(), error) {
	upstream, keys := startUpstream(s), secureKeys(s.JWKS)
	dir, err := os.MkdirTemp("", "corpus-apache-")
	stop := func() {
		upstream.Close()
		keys.Close()
		_ = os.RemoveAll(dir) // a temporary directory
	}
	if err != nil {
		return "", stop, fmt.Errorf("make directory: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return "", stop, err
	}
	config := filepath.Join(dir, "apache.conf")
	err = writeTemplate(config, apacheConfig, struct {
		Setup
		Host, Dir, Upstream, SecureJWKS string
		Port                            int
		Modules                         []string
		Paths                           []apachePath
	}{s, origin(s.Origin)[len("https://"):], dir, upstream.URL, keys.URL, port,
		[]string{"mpm_prefork", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc"}, apachePaths(s)})
	if err != nil {
		return "", stop, err
	}
	base, end, err := startDaemon(ctx, port, "/usr/sbin/apache2", "-X", "-f", config)
	return base, func() { end(); stop() }, err
}

// secureKeys serves a key set over TLS, which is all that the module accepts, and hangs up where it cannot be fetched.
func secureKeys(address string) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := http.Get(address)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body) // a client that hung up
	}))
	server.Config.ErrorLog = silentLog()
	server.StartTLS()
	return server
}

func apacheSystem() System {
	return System{
		Name: "mod-auth-openidc", Set: blind2Set, Packages: []string{"libapache2-mod-auth-openidc", "apache2-bin"}, Start: each(startApache),
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"}, Vague: map[string][]string{"R25": {"invalid_signature"}},
		TokenPath: "/protocol/openid-connect/token",
		Services:  []string{"hive-scale", "honey-shop"}, Clients: []string{"hive-scale", "honey-shop", "apiary-map"},
		Envs: [2]Env{
			{"prod", "https://kc.beekeepers.test/auth/realms/hives", "https://hives.beekeepers.test", "hives-api", "pR3vK9wQxN6yT1uJcZ0bLhE8fGdAsMoI4nXkVtY2r5U"},
			{"test", "https://kc.beekeepers.test/auth/realms/hives-test", "https://hives-test.beekeepers.test", "hives-test-api", "Jq8mW2zXe5cRv7tBy1nHu4kLo9pAs3dFg6hTj0iUyKw"},
		},
		Routes:   []Route{{"GET", "/hives/{id}", "hives.read"}, {"POST", "/harvests", "harvests.write"}, {"GET", "/queens", "queens.read"}},
		Accounts: "/keepers/{account}/stock", Admin: "/hives/{id}",
	}
}
