package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"
)

// clientFaults happen before there is any answer: the client logs what its own library says. Their Inject is nil; clientError
// makes them happen.
func clientFaults() []Fault {
	reads := func(s System) bool { return s.Keys != nil }
	asks := func(s System) bool { return s.Tokens }
	return []Fault{
		{ID: "K01a", Cause: "bad_key_format", Times: 2, Applies: reads},
		{ID: "K01b", Cause: "bad_key_format", Times: 2, Applies: reads},
		{ID: "K01c", Cause: "bad_key_format", Times: 2, Applies: reads},
		{ID: "K01d", Cause: "bad_key_format", Times: 2, Applies: reads},
		{ID: "P01a", Cause: "provider_unavailable", Times: 2, Applies: asks},
		{ID: "P01b", Cause: "provider_unavailable", Times: 2, Applies: asks},
		{ID: "P01c", Cause: "provider_unavailable", Times: 2, Applies: asks},
	}
}

// clientError injects fault id into what client does before it has an answer, and returns the error of the real library.
func clientError(id string, sys System, env *environment, client string) (error, error) {
	if strings.HasPrefix(id, "P") {
		return unreachable(id, sys.TokenPath)
	}
	file, err := env.clients[client].PEM()
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(bytes.TrimSpace(file), []byte("\n"))
	switch id {
	case "K01a": // a line got lost in a paste
		file = bytes.Join(append(lines[:3:3], lines[4:]...), []byte("\n"))
	case "K01b": // one line, the way an environment variable or a secret store hands it over
		file = bytes.ReplaceAll(file, []byte("\n"), []byte(`\n`))
	case "K01c": // only the base64, without the armour
		file = bytes.Join(lines[1:len(lines)-1], nil)
	case "K01d": // the end is missing
		file = bytes.Join(lines[:len(lines)/2], []byte("\n"))
	}
	if err := sys.Keys(file); err != nil {
		return err, nil
	}
	return nil, fmt.Errorf("fault %s: the broken key was accepted", id)
}

// unreachable posts to an endpoint that is not there, hangs up or does not answer, and returns what net/http says.
func unreachable(id, path string) (error, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id == "P01b" {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	if id == "P01a" {
		server.Close()
	}
	client := http.Client{Timeout: 300 * time.Millisecond}
	res, err := client.PostForm(server.URL+path, url.Values{})
	if err == nil {
		return nil, errors.Join(fmt.Errorf("fault %s: there was an answer", id), res.Body.Close())
	}
	return err, nil
}
