package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"authwatch/classify"
	"authwatch/cmd/authwatch/demo"

	"github.com/golang-jwt/jwt/v5"
)

// classifyFile runs the command line over a corpus and returns the cause of each record.
func classifyFile(t *testing.T, c corpus) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "records.ndjson")
	if err := os.WriteFile(file, ndjson(c.records), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args := []string{"classify", "--output", "ndjson", "--profile", c.profile, file}
	if status := run(context.Background(), args, noEnv, nil, &stdout, &stderr); status != exitNotOK {
		t.Fatalf("classify: %d: %s", status, stderr.String())
	}
	causes := map[string]string{}
	for line := range bytes.Lines(stdout.Bytes()) {
		var v classify.Verdict
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		causes[v.ID] = string(v.Cause)
	}
	return causes
}

// secrets are texts that must not be found anywhere, by their first bytes. A marker may show the last four characters
// of a token, so what is searched for is its beginning and its middle.
type secrets struct {
	mu      sync.Mutex
	windows map[[16]byte]string
}

func (s *secrets) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.windows == nil {
		s.windows = map[[16]byte]string{}
	}
	for _, at := range []int{0, len(text) / 2} {
		if at+16 <= len(text)-4 {
			s.windows[[16]byte([]byte(text[at:at+16]))] = text
		}
	}
}

// addToken plants the parts of a raw JWT that are secret or that only a raw token holds.
func (s *secrets) addToken(raw string) {
	for _, segment := range strings.Split(raw, ".")[1:] {
		s.add(segment)
	}
}

// find returns a secret that occurs in text.
func (s *secrets) find(text []byte) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i+16 <= len(text); i++ {
		if secret, ok := s.windows[[16]byte(text[i:i+16])]; ok {
			return secret, true
		}
	}
	return "", false
}

// assertNowhere searches everything that the server has written, and every kind of page and answer.
func (s *testServer) assertNowhere(hidden *secrets) {
	s.t.Helper()
	if len(hidden.windows) < 100 {
		s.t.Fatalf("only %d secrets were planted", len(hidden.windows))
	}
	search := func(where string, text []byte) {
		s.t.Helper()
		if secret, found := hidden.find(text); found {
			s.t.Errorf("%s holds a secret that begins with %.6s…", where, secret)
		}
	}
	s.settle()
	s.signIn()
	reader := s.key("read")
	for _, path := range []string{"/", "/?range=30d", "/incidents", "/clients", "/environments", "/sources", "/causes", "/check", "/unclassified?range=30d", "/settings", "/settings/storage", "/settings/keys", "/settings/users", "/settings/audit"} {
		search(path, s.page(path))
	}
	var sources struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(s.get(http.DefaultClient, reader, "/api/v1/sources"), &sources); err != nil || len(sources.Data) == 0 {
		s.t.Fatalf("%d sources: %v", len(sources.Data), err)
	}
	for _, source := range sources.Data {
		if source.ID == "" { // requests without a key
			continue
		}
		search("source "+source.ID, s.page("/sources/"+source.ID))
		search("rejects of "+source.ID, s.get(http.DefaultClient, reader, "/api/v1/sources/"+source.ID+"/rejects?limit=200"))
	}
	for _, path := range []string{"/api/v1/incidents", "/api/v1/failures", "/api/v1/clients", "/metrics"} {
		search(path, s.get(http.DefaultClient, reader, path))
	}
	for _, i := range list[struct{ ID string }](s, reader, "/api/v1/incidents") {
		search("incident "+i.ID, s.page("/incidents/"+i.ID))
	}
	failures := list[struct{ ID string }](s, reader, "/api/v1/failures")
	for n, f := range failures {
		search("failure "+f.ID, s.get(http.DefaultClient, reader, "/api/v1/failures/"+f.ID))
		if n%10 == 0 {
			search("page of failure "+f.ID, s.page("/failures/"+f.ID))
		}
	}
	files, err := filepath.Glob(s.db + "*")
	if err != nil {
		s.t.Fatal(err)
	}
	written := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		written += len(text)
		search(filepath.Base(file), text)
	}
	if written < 100_000 {
		s.t.Errorf("%d bytes in %v: the database was not searched", written, files)
	}
	search("standard output", []byte(s.stdout.String()))
	search("the log", []byte(s.stderr.String()))
}

// The corpora go through the real ingestion with raw tokens in the place of the decoded ones.
func TestNoSecretLeaves_Corpora(t *testing.T) {
	t.Parallel()
	all := corpora(t)
	s := startServer(t, profileArgs(all)...)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hidden := &secrets{}
	privateKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for line := range strings.Lines(privateKey) {
		if !strings.HasPrefix(line, "-----") {
			hidden.add(strings.TrimSpace(line))
		}
	}
	shipper := s.key("ingest")
	hidden.add(shipper[len("aw_ingest_"):])
	for _, c := range all {
		var planted []json.RawMessage
		for i, r := range c.records {
			planted = append(planted, plant(t, r, i, key, privateKey, hidden))
		}
		s.post(shipper, "/ingest/v1/responses", ndjson(planted))
	}
	s.assertNowhere(hidden)
}

// plant puts raw tokens, secrets and now and then a private key into a record.
func plant(t *testing.T, text json.RawMessage, i int, key *rsa.PrivateKey, privateKey string, hidden *secrets) json.RawMessage {
	t.Helper()
	var r classify.Record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	sign := func(token *classify.JWT) string {
		raw, err := (&jwt.Token{Header: token.Header.Map(), Claims: jwt.MapClaims(token.Claims.Map()), Method: jwt.SigningMethodRS256}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		hidden.addToken(raw)
		return raw
	}
	if r.Request != nil && r.Request.Headers == nil {
		r.Request.Headers = classify.Headers{}
	}
	if r.AccessToken != nil && r.Request != nil && i%2 == 0 {
		raw := sign(r.AccessToken)
		r.Request.Headers = r.Request.Headers.With("authorization", "Bearer "+raw)
		r.Request.URL += "?access_token=" + raw
		r.AccessToken = nil
	}
	if r.ClientAssertion != nil && r.Request != nil {
		secret := rand.Text() + rand.Text()
		hidden.add(secret)
		form := url.Values{"grant_type": {"client_credentials"}, "client_assertion": {sign(r.ClientAssertion)}, "client_secret": {secret}}
		r.Request.Body = mustJSON(t, form.Encode())
		r.ClientAssertion = nil
	}
	if r.Request != nil {
		session := rand.Text() + rand.Text()
		hidden.add(session)
		r.Request.Headers = r.Request.Headers.With("cookie", "theme=dark; session="+session)
	}
	if i%20 == 0 {
		r.Error += " could not use key " + privateKey
	}
	return json.RawMessage(mustJSON(t, r))
}

func mustJSON(t *testing.T, v any) classify.Body {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The demo's own traffic holds raw tokens; a proxy in front of the ingestion notes them.
func TestNoSecretLeaves_Demo(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	hidden := &secrets{}
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	rawJWT := regexp.MustCompile(`eyJ[\w-]+\.[\w%-]+\.[\w-]{20,}`)
	opaque := regexp.MustCompile(`(?:Bearer |access_token\\?":\\?"|client_assertion=)([0-9a-f]{48})`)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		for _, raw := range rawJWT.FindAllString(string(body), -1) {
			hidden.addToken(raw)
		}
		for _, m := range opaque.FindAllSubmatch(body, -1) {
			hidden.add(string(m[1]))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	player := demo.Player{URL: proxy.URL, Key: s.key("ingest"), ChangeKey: s.key("respond"), Progress: io.Discard}
	if err := player.Fill(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.assertNowhere(hidden)
}
