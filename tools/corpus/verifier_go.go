package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/httprate"
	"github.com/go-jose/go-jose/v4"
)

// protect builds an API behind a verifier. authenticate wraps the API; claims reads what it left in the request; forbidden
// says no to a caller who is known.
func protect(s Setup, authenticate func(http.Handler) http.Handler, claims func(*http.Request) map[string]any,
	forbidden func(w http.ResponseWriter, scope string)) http.Handler {
	mux := http.NewServeMux()
	ok := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"items":[]}`)) // a test client that hung up
	}
	for _, route := range s.Routes {
		mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) {
			scope, _ := claims(r)["scope"].(string)
			if !slices.Contains(strings.Fields(scope), route.Scope) {
				forbidden(w, route.Scope)
				return
			}
			ok(w)
		})
	}
	if s.Accounts != "" {
		mux.HandleFunc("GET "+s.Accounts, func(w http.ResponseWriter, r *http.Request) {
			if claims(r)["account_id"] != r.PathValue("account") {
				forbidden(w, "")
				return
			}
			ok(w)
		})
	}
	if s.Admin != "" {
		mux.HandleFunc("DELETE "+s.Admin, func(w http.ResponseWriter, r *http.Request) {
			roles, _ := claims(r)["roles"].([]any)
			for _, role := range roles {
				if role == "admin" {
					ok(w)
					return
				}
			}
			forbidden(w, "")
		})
	}
	handler := authenticate(mux)
	if s.Limit > 0 {
		return httprate.LimitBy(s.Limit, time.Minute, httprate.Key("*"))(handler)
	}
	return handler
}

// plainForbidden is what net/http programs answer.
func plainForbidden(w http.ResponseWriter, scope string) {
	if scope != "" {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope=`+strconv.Quote(scope))
	}
	http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
}

type claimsKey struct{}

func withClaims(r *http.Request, claims map[string]any) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims))
}

func contextClaims(r *http.Request) map[string]any {
	claims, _ := r.Context().Value(claimsKey{}).(map[string]any)
	return claims
}

// fetchKeys reads the issuer's key set once, for verifiers that want keys and not their address.
func fetchKeys(address string) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	res, err := http.Get(address)
	if err != nil {
		return set, fmt.Errorf("fetch keys: %w", err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil {
		return set, fmt.Errorf("parse key set: %w", err)
	}
	return set, nil
}

// tokenEndpoint grants client_credentials to clients that authenticate with private_key_jwt, RFC 7523. Its refusals are the
// codes of RFC 6749; the only words are those of verify, which gets a client that is registered, and its assertion.
func tokenEndpoint(s Setup, verify func(client, assertion string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(status int, code, words string) {
			answer := map[string]string{"error": code}
			if words != "" {
				answer["error_description"] = words
			}
			writeJSON(w, status, answer)
		}
		if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") == "" {
			refuse(http.StatusBadRequest, "invalid_request", "")
			return
		}
		if r.PostForm.Get("grant_type") != "client_credentials" {
			refuse(http.StatusBadRequest, "unsupported_grant_type", "")
			return
		}
		client := r.PostForm.Get("client_id")
		known := slices.ContainsFunc(s.Clients, func(c SetupClient) bool { return c.ID == client })
		if !known || r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			refuse(http.StatusUnauthorized, "invalid_client", "")
			return
		}
		if err := verify(client, r.PostForm.Get("client_assertion")); err != nil {
			refuse(http.StatusUnauthorized, "invalid_client", err.Error())
			return
		}
		if !scopesGranted(s, r.PostForm.Get("scope")) {
			refuse(http.StatusBadRequest, "invalid_scope", "")
			return
		}
		if resource := r.PostForm.Get("resource"); resource != "" && resource != s.Audience {
			refuse(http.StatusBadRequest, "invalid_target", "")
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"access_token": "granted", "token_type": "Bearer", "expires_in": 3600})
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a test client that hung up
}

// scopesGranted reports whether every scope of a token request is one that the clients have.
func scopesGranted(s Setup, requested string) bool {
	for _, scope := range strings.Fields(requested) {
		known := false
		for _, r := range s.Routes {
			known = known || r.Scope == scope
		}
		if !known {
			return false
		}
	}
	return true
}
