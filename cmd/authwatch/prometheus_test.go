package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// promtool runs Debian's; ok is false where it is not installed and not demanded.
func promtool(t *testing.T, dir string, args ...string) (output string, ok bool) {
	t.Helper()
	binary, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("AUTHWATCH_REQUIRE_PROMETHEUS") != "" {
			t.Fatal("promtool is needed: scripts/install.sh prometheus")
		}
		t.Log("promtool is missing; make test installs it and runs this test")
		return "", false
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	return string(text), true
}

func TestPrometheusRules(t *testing.T) {
	dir := filepath.Join("..", "..", "contrib", "prometheus")
	if output, ok := promtool(t, dir, "check", "rules", "--lint=all", "--lint-fatal", "authwatch.rules.yml"); ok && !strings.Contains(output, "SUCCESS") {
		t.Error(output)
	}
	if output, ok := promtool(t, dir, "test", "rules", "authwatch.rules.test.yml"); ok && !strings.Contains(output, "SUCCESS") {
		t.Error(output)
	}
}

// shippedQueries are the expressions of the rules and of the dashboard, by where they stand.
func shippedQueries(t *testing.T) map[string]string {
	t.Helper()
	queries := map[string]string{}
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Record, Expr string }
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "contrib", "prometheus", "authwatch.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			queries["rule "+r.Alert+r.Record] = r.Expr
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, RefID string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
	}
	if text, err = os.ReadFile(filepath.Join("..", "..", "contrib", "grafana", "authwatch.json")); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			queries["panel "+p.Title+" "+target.RefID] = target.Expr
		}
	}
	for _, v := range dashboard.Templating.List {
		if q, ok := v.Query.(map[string]any); ok {
			metric := regexp.MustCompile(`label_values\(([^,{]+)`).FindStringSubmatch(q["query"].(string))
			queries["variable "+v.Name] = metric[1]
		}
	}
	if len(queries) < 25 {
		t.Fatalf("only %d queries", len(queries))
	}
	return queries
}

// Every metric and every label that the shipped rules and the dashboard name is one that the server exports.
func TestPrometheusNames(t *testing.T) {
	s := startServer(t)
	record := `{"time":"2026-11-20T10:00:50Z","id":"f3","client_id":"order-router","request":{"method":"GET","url":"https://api.polymarketexchange.com/v1/orders","headers":{"accept":"application/json"}},"response":{"status":401,"headers":{"www-authenticate":"Bearer"}}}`
	s.post(s.key("ingest"), "/ingest/v1/responses", []byte(record))
	key := s.key("read")
	s.get(http.DefaultClient, key, "/api/v1/incidents") // a request to have been measured
	exported := map[string][]string{"up": {"job", "instance"}}
	for line := range strings.Lines(string(s.get(http.DefaultClient, key, "/metrics"))) {
		m := regexp.MustCompile(`^(\w+)(?:\{(.*)\})? `).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(m[2], -1) {
			exported[m[1]] = append(exported[m[1]], label[1])
		}
		exported[m[1]] = append(exported[m[1]], "")
	}
	name := regexp.MustCompile(`\b(authwatch:[\w:]+|authwatch_\w+|up)\b(?:\{([^}]*)\})?`)
	grouped := regexp.MustCompile(`by \(([^)]*)\)`)
	recorded := map[string][]string{"authwatch:failures:rate5m": {"provider", "environment", "cause", "fault"}, "authwatch:records:rate5m": {"result"}}
	for where, query := range shippedQueries(t) {
		var labels []string
		if strings.HasPrefix(where, "rule authwatch:") && recorded[strings.TrimPrefix(where, "rule ")] == nil {
			t.Errorf("%s: say here which labels it has", where)
		}
		for _, m := range name.FindAllStringSubmatch(query, -1) {
			own := append(slices.Clone(exported[m[1]]), recorded[m[1]]...)
			if len(own) == 0 {
				t.Errorf("%s: %s is not exported", where, m[1])
			}
			for _, label := range regexp.MustCompile(`(\w+)\s*[=!]`).FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(own, label[1]) {
					t.Errorf("%s: %s has no label %s", where, m[1], label[1])
				}
			}
			labels = append(labels, own...)
		}
		for _, m := range grouped.FindAllStringSubmatch(query, -1) {
			for _, label := range strings.Split(m[1], ",") {
				if label = strings.TrimSpace(label); !slices.Contains(labels, label) {
					t.Errorf("%s: nothing has the label %s", where, label)
				}
			}
		}
	}
	// The exemplar of a failure names its record, for who asks for OpenMetrics.
	client := http.Client{Transport: headers{"Accept": "application/openmetrics-text; version=1.0.0"}}
	if text := s.get(&client, key, "/metrics"); !regexp.MustCompile(`(?m)^authwatch_failures_total\{.*\} 1\.0 # \{record_id="rec_[a-z0-9]{13}"\} 1\.0`).Match(text) {
		t.Error("no exemplar names a record")
	}
}

// headers are set on every request.
type headers map[string]string

func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	for name, value := range h {
		r.Header.Set(name, value)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// The dashboard's queries are valid PromQL: promtool reads them as recording rules.
func TestGrafanaQueries(t *testing.T) {
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []rule
	for where, query := range shippedQueries(t) {
		query = strings.NewReplacer("$__rate_interval", "5m", "$provider", ".*", "$environment", ".*").Replace(query)
		if strings.Contains(query, "$") {
			t.Errorf("%s: a variable that is not known here: %s", where, query)
		}
		rules = append(rules, rule{"test:" + regexp.MustCompile(`\W+`).ReplaceAllString(where, "_"), query})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "g", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "queries.yml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "check", "rules", "queries.yml")
}
