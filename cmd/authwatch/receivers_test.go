package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/alert"
)

// The file that the documentation shows is read as it stands there.
func TestReceivers_Documented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "alerts.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	list, err := alert.ReadReceivers("docs/alerts.md", block[1], alert.Sources{Env: func(string) string { return "https://hooks.slack.com/services/x" },
		File: func(string) ([]byte, error) { return []byte("0123456789abcdef0123456789abcdef"), nil }})
	if err != nil || len(list) != 5 {
		t.Errorf("%d receivers, %v", len(list), err)
	}
}

func TestReceivers_Refused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "receivers.yaml")
	if err := os.WriteFile(file, []byte("receivers:\n- name: a\n  slack: {url_file: slack.url}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"serve", "--db", filepath.Join(t.TempDir(), "aw.db"), "--listen", "127.0.0.1:0", "--receivers", file}, noEnv, nil, io.Discard, &stderr)
	if status != exitUsage || !strings.Contains(stderr.String(), "receivers.yaml:3: url_file: open "+filepath.Join(filepath.Dir(file), "slack.url")) {
		t.Errorf("%d: %s", status, stderr.String())
	}
}

// From a shipper's batch to the message of a receiver, and from the client's success to its end. Redelivery tells nothing.
func TestAlert_EndToEnd(t *testing.T) {
	t.Parallel()
	messages := make(chan alert.Message, 10)
	out := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m alert.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("webhook-signature") == "" {
			t.Errorf("%v, %v", err, r.Header)
		}
		messages <- m
	}))
	defer out.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"receivers.yaml": "receivers:\n- name: hook\n  webhook:\n    url: " + out.URL + "\n    secret_file: hook.secret\n    private: true\n",
		"hook.secret":    "secret-canary-secret-canary-secret\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServer(t, "--receivers", filepath.Join(dir, "receivers.yaml"), "--public-url", "https://aw.example")
	admin, shipper := s.key("admin"), s.key("ingest")
	s.send(admin, "POST", "/api/v1/rules", `{"name":"new ones","condition":{"kind":"new"},"receivers":["hook"]}`)
	failure := func(id string, at time.Time) []byte {
		return []byte(`{"time":"` + at.UTC().Format(time.RFC3339Nano) + `","id":"` + id + `","client_id":"order-router","request":{"method":"GET","url":"https://api.polymarketexchange.com/v1/orders","headers":{"accept":"application/json"}},"response":{"status":401,"headers":{"www-authenticate":"Bearer"}}}`)
	}
	now := time.Now()
	s.post(shipper, "/ingest/v1/responses", failure("f1", now))
	s.post(shipper, "/ingest/v1/responses", failure("f1", now))
	await := func(what string) alert.Message {
		t.Helper()
		select {
		case m := <-messages:
			return m
		case <-time.After(3 * time.Minute):
			t.Fatalf("%s was not told; %s", what, s.get(http.DefaultClient, admin, "/api/v1/deliveries"))
		}
		return alert.Message{}
	}
	m := await("the beginning")
	if m.Status != "firing" || m.ClientID != "order-router" || m.Cause != "missing_token" || m.Environment != "prod" || !strings.HasPrefix(m.URL, "https://aw.example/i/inc_") {
		t.Errorf("%+v", m)
	}
	s.send(admin, "PATCH", "/api/v1/incidents/"+m.Incidents[0], `{"state":"resolved"}`)
	if end := await("the end"); end.Status != "resolved" || end.ID != m.ID {
		t.Errorf("%+v", end)
	}
	s.post(shipper, "/ingest/v1/responses", failure("f0", now.Add(-time.Second))) // late, of the episode that is over
	log := s.get(http.DefaultClient, admin, "/api/v1/deliveries")
	page := s.get(http.DefaultClient, admin, "/api/v1/receivers")
	for _, text := range []string{string(log), string(page), s.stderr.String(), string(s.get(http.DefaultClient, admin, "/metrics"))} {
		if strings.Contains(text, "canary") {
			t.Errorf("the secret is in %.200s", text)
		}
	}
	if n := strings.Count(string(log), `"id":"del_`); n != 2 {
		t.Errorf("%d deliveries: %s", n, log)
	}
}
