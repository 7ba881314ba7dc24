package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The dashboard is one by the types that Grafana generates of its own schema, and they refuse what is not.
func TestGrafanaSchema(t *testing.T) {
	tools, err := filepath.Abs(filepath.Join("..", "..", "tools", "grafana"))
	if err != nil {
		t.Fatal(err)
	}
	compiler := filepath.Join(tools, "node_modules", ".bin", "tsc")
	if _, err := os.Stat(compiler); err != nil {
		if os.Getenv("AUTHWATCH_REQUIRE_GRAFANA") != "" {
			t.Fatalf("Grafana's types are needed: make grafana: %v", err)
		}
		t.Log("Grafana's types are missing; make test installs them and runs this test")
		return
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "contrib", "grafana", "authwatch.json"))
	if err != nil {
		t.Fatal(err)
	}
	dashboards := map[string]string{"shipped": string(text)}
	for name, change := range map[string][2]string{
		"panel": {`"type": "stat"`, `"type": "statistic"`}, "option": {`"colorMode": "value"`, `"colourMode": "value"`}, "choice": {`"placement": "right"`, `"placement": "left"`},
		"query": {`"expr": "`, `"promql": "`}, "drawing": {`"showPoints": "never"`, `"showPoints": "no"`}, "variable": {`"type": "query"`, `"type": "label"`}, "place": {`"w": 6`, `"w": "6"`},
	} {
		if dashboards[name] = strings.Replace(string(text), change[0], change[1], 1); dashboards[name] == string(text) {
			t.Errorf("the dashboard has no %s", change[0])
		}
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(tools, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	types, err := os.ReadFile(filepath.Join(tools, "dashboard.ts"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"dashboard.ts": string(types),
		"tsconfig.json": `{"compilerOptions": {"strict": true, "noEmit": true, "target": "es2022", "module": "nodenext", "types": []}, "include": ["*.ts"]}`}
	for name, text := range dashboards {
		files[name+".ts"] = "import type { Dashboard } from \"./dashboard.js\";\nexport const it: Dashboard =" + text + ";\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compile := exec.Command(compiler)
	compile.Dir = dir
	out, _ := compile.CombinedOutput() // it fails, since all but one are to be refused
	for name := range dashboards {
		if refused := strings.Contains("\n"+string(out), "\n"+name+".ts("); refused != (name != "shipped") {
			t.Errorf("%s: refused is %v:\n%s", name, refused, out)
		}
	}
	if strings.Contains(string(out), "dashboard.ts(") {
		t.Errorf("the types do not compile:\n%s", out)
	}
}
