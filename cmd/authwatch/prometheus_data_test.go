package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A real Prometheus scrapes a real authwatch that has traffic, loads the shipped rules, and answers every query of the
// dashboard and every recording rule with data.
func TestPrometheusData(t *testing.T) {
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		if os.Getenv("AUTHWATCH_REQUIRE_PROMETHEUS") != "" {
			t.Fatal("Prometheus is needed: scripts/install.sh prometheus")
		}
		t.Log("Prometheus is missing; make test installs it and runs this test")
		return
	}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer hook.Close()
	dir := t.TempDir()
	rules, err := os.ReadFile(filepath.Join("..", "..", "contrib", "prometheus", "authwatch.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("receivers.yaml", "receivers:\n- name: hook\n  webhook:\n    url: "+hook.URL+"\n    secret_file: hook.secret\n    private: true\n")
	write("hook.secret", "0123456789abcdef0123456789abcdef")
	s := startServer(t, "--receivers", filepath.Join(dir, "receivers.yaml"))
	s.send(s.key("admin"), http.MethodPost, "/api/v1/rules", `{"name":"new ones","condition":{"kind":"new"},"receivers":["hook"]}`)
	target := strings.TrimPrefix(s.url, "http://")
	write("authwatch.key", s.key("read"))
	write("authwatch.rules.yml", strings.Replace(string(rules), "interval: 30s", "interval: 1s", 1)) // nobody waits here
	write("prometheus.yml", `global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 1s}
rule_files: [authwatch.rules.yml]
scrape_configs:
  - job_name: authwatch
    authorization: {credentials_file: authwatch.key}
    static_configs: [{targets: ["`+target+`"]}]
`)
	write("week-before.om", weekBefore(time.Now()))
	if out, err := exec.Command("promtool", "tsdb", "create-blocks-from", "openmetrics", filepath.Join(dir, "week-before.om"), filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("write the week before: %v: %s", err, out)
	}
	p := startPrometheus(t, binary, dir)
	missing, shipper := p.queries(t), s.key("ingest")
	for round, deadline := 0, time.Now().Add(2*time.Minute); len(missing) > 0; round++ {
		s.roundOfTraffic(shipper, round)
		for where, query := range missing {
			if p.answers(t, query) {
				delete(missing, where)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no data for %v", missing)
		}
		time.Sleep(200 * time.Millisecond) // the next scrape sees the next round
	}
	if refused := p.unhealthy(t); len(refused) > 0 {
		t.Errorf("rules that Prometheus could not evaluate: %v", refused)
	}
}

// roundOfTraffic is a failure of a new client, which opens an incident and fires an alert, and a line that is not taken.
func (s *testServer) roundOfTraffic(key string, round int) {
	s.t.Helper()
	now := time.Now().UTC().Format(time.RFC3339Nano)
	s.post(key, "/ingest/v1/responses", fmt.Appendf(nil, `{"time":%q,"id":"r%d","client_id":"client-%[2]d","request":{"method":"GET","url":"https://api.polymarketexchange.com/v1/orders"},"response":{"status":401,"headers":{"www-authenticate":"Bearer"}}}
{"id":"without a time %[2]d"}`, now, round))
}

// weekBefore are failures of the hour a week ago, with which the dashboard compares, as OpenMetrics.
func weekBefore(now time.Time) string {
	var b strings.Builder
	b.WriteString("# TYPE authwatch_failures counter\n")
	for minute := -40; minute <= 40; minute++ {
		at := now.Add(-7*24*time.Hour + time.Duration(minute)*time.Minute).Unix()
		fmt.Fprintf(&b, "authwatch_failures_total{provider=\"polymarket\",environment=\"prod\",cause=\"missing_token\",fault=\"client\"} %d %d\n", minute+100, at)
	}
	b.WriteString("# EOF\n")
	return b.String()
}

// A realPrometheus is Debian's, running until the test ends.
type realPrometheus struct{ url string }

func startPrometheus(t *testing.T, binary, dir string) realPrometheus {
	t.Helper()
	log := &buffer{}
	process := exec.Command(binary, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill() // its data is the test's
		_ = process.Wait()
	})
	address := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	for range 1200 {
		if m := address.FindStringSubmatch(log.String()); m != nil {
			if resp, err := http.Get("http://" + m[1] + "/-/ready"); err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return realPrometheus{url: "http://" + m[1]}
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("Prometheus is not ready: %s", log.String())
	return realPrometheus{}
}

// queries are those of the dashboard and the series that the recording rules write, as questions to its API. Alerts are
// left out: they have data only where something is wrong.
func (p realPrometheus) queries(t *testing.T) map[string]string {
	t.Helper()
	variables := strings.NewReplacer("$__rate_interval", "1m", "$provider", ".*", "$environment", ".*")
	list := map[string]string{}
	for where, query := range shippedQueries(t) {
		if name, ok := strings.CutPrefix(where, "rule "); !ok {
			list[where] = variables.Replace(query)
		} else if strings.HasPrefix(name, "authwatch:") {
			list[where] = name
		}
	}
	return list
}

// get reads the data of an answer.
func (p realPrometheus) get(t *testing.T, path string, data any) {
	t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %s %s %v", path, resp.Status, answer.Error, err)
	}
}

// answers is true when a query gives a number for now.
func (p realPrometheus) answers(t *testing.T, query string) bool {
	t.Helper()
	var data struct {
		Result []struct{ Value [2]any }
	}
	p.get(t, "/api/v1/query?query="+url.QueryEscape(query), &data)
	for _, r := range data.Result {
		if r.Value[1] != "NaN" {
			return true
		}
	}
	return false
}

// unhealthy are the rules that are not loaded or fail, by name.
func (p realPrometheus) unhealthy(t *testing.T) (names []string) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.get(t, "/api/v1/rules", &data)
	loaded := 0
	for _, group := range data.Groups {
		for _, r := range group.Rules {
			if loaded++; r.Health == "err" {
				names = append(names, r.Name+": "+r.LastError)
			}
		}
	}
	if loaded < 9 {
		t.Errorf("%d rules are loaded", loaded)
	}
	return names
}
