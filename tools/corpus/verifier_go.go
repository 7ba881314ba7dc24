package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/httprate"
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
