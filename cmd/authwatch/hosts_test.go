package main

import (
	"net/http"
	"slices"
	"testing"
)

func TestServe_Hosts(t *testing.T) {
	for name, tt := range map[string]struct {
		command serveCommand
		want    []string
	}{
		"loopback":            {serveCommand{Listen: "127.0.0.1:8080"}, []string{"localhost"}},
		"with its public URL": {serveCommand{Listen: "[::1]:8080", PublicURL: "https://Authwatch.example/"}, []string{"localhost", "authwatch.example"}},
		"with names":          {serveCommand{Listen: "0.0.0.0:8080", Host: []string{"a.example", "b.example"}}, []string{"localhost", "a.example", "b.example"}},
		"told nothing":        {serveCommand{Listen: "0.0.0.0:8080"}, nil},
	} {
		if got := tt.command.hosts(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A page of another site whose name leads to this machine reads nothing, and who guesses keys waits at every door together.
func TestServe_OtherNames(t *testing.T) {
	s := startServer(t)
	ask := func(method, path, host, key string) int {
		r, err := http.NewRequest(method, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			r.Host = host
		}
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	const causes = "/api/v1/causes"
	if got := ask("GET", causes, "rebound.example", ""); got != http.StatusMisdirectedRequest {
		t.Errorf("another name: %d", got)
	}
	if got := ask("GET", causes, "", ""); got != http.StatusUnauthorized {
		t.Errorf("the address: %d", got)
	}
	last := 0
	for range 40 {
		last = ask("GET", causes, "", "aw_read_guessed")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("forty guesses: %d", last)
	}
	if got := ask("POST", "/ingest/v1/responses", "", "aw_ingest_guessed"); got != http.StatusTooManyRequests {
		t.Errorf("ingestion after them: %d", got)
	}
	if got := ask("GET", causes, "", s.key("read")); got != http.StatusOK {
		t.Errorf("a right key: %d", got)
	}
}
