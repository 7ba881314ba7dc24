package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedAPI runs what README.md and docs/api.md show, as it stands there: commands of a shell, and a program with
// a client that another language's generator makes of the description.
func TestDocumentedAPI(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Abs(filepath.Join("..", "..", "tools", "client", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	_, missing := os.Stat(modules)
	_, jq := exec.LookPath("jq")
	if missing != nil || jq != nil {
		if os.Getenv("AUTHWATCH_REQUIRE_CLIENT") != "" {
			t.Fatalf("the generator of the client and jq are needed: %v, %v", missing, jq)
		}
		t.Log("the generator of the client or jq is missing; make test installs them and runs this test")
		return
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "authwatch"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build authwatch: %v: %s", err, out)
	}
	s := newTestServer(t, filepath.Join(dir, "authwatch.db"))
	s.start([]string{"serve", "--db", s.db, "--listen", "127.0.0.1:0"})
	t.Run("curl", func(t *testing.T) { s.runCommands(t, dir) })
	t.Run("TypeScript", func(t *testing.T) { s.runProgram(t, modules) })
}

// codeOf returns the blocks of one language of a document.
func codeOf(t *testing.T, path, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		blocks = append(blocks, string(m[1]))
	}
	return blocks
}

// runCommands runs every block that asks with curl, in one shell and in their order, where bin/authwatch and its database are.
func (s *testServer) runCommands(t *testing.T, dir string) {
	script, asked := "set -eu\ncurl() { command curl --silent --show-error --fail-with-body \"$@\"; }\n", 0
	for _, path := range []string{"README.md", filepath.Join("docs", "api.md")} {
		for _, block := range codeOf(t, path, "sh") {
			if n := strings.Count(block, "curl "); n > 0 {
				script, asked = script+block, asked+n
			}
		}
	}
	if asked < 10 {
		t.Fatalf("only %d requests are documented", asked)
	}
	sh := exec.Command("sh", "-c", strings.ReplaceAll(script, "http://127.0.0.1:8080", s.url))
	sh.Dir = dir
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{`"accepted":1`, `"cause":"wrong_audience"`, `"cause":"missing_token"`, `"state":"acknowledged"`, `"title":"order-router 4109"`, "incident_id,"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing answered %s:\n%.4000s", want, out)
		}
	}
}

// runProgram generates the client from the running server's own description, compiles the documented program against it,
// and runs that.
func (s *testServer) runProgram(t *testing.T, modules string) {
	s.post(s.key("ingest"), "/ingest/v1/responses", []byte(hostileRecord("client", `{"alg":"RS256","kid":"k1"}`,
		fmt.Sprintf(`{"iss":"generated","sub":"generated","aud":"https://api.polymarketexchange.com","iat":%[1]d,"exp":%[2]d,"jti":"g1"}`, 1795168810, 1795169110), "")))
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	description := filepath.Join(dir, "openapi.yaml")
	for path, text := range map[string]string{
		description:                         string(s.get(http.DefaultClient, s.key("read"), "/api/v1/openapi.yaml")),
		filepath.Join(dir, "package.json"):  `{"type": "module"}`,
		filepath.Join(dir, "example.ts"):    strings.Join(codeOf(t, filepath.Join("docs", "api.md"), "ts"), "\n"),
		filepath.Join(dir, "tsconfig.json"): `{"compilerOptions": {"strict": true, "target": "es2022", "module": "nodenext", "types": ["node"], "outDir": "out"}, "files": ["example.ts"]}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out []byte
	for _, command := range [][]string{
		{filepath.Join(modules, ".bin", "openapi-typescript"), description, "--output", "authwatch.d.ts"},
		{filepath.Join(modules, ".bin", "tsc")},
		{"node", filepath.Join("out", "example.js")},
	} {
		run := exec.Command(command[0], command[1:]...)
		run.Dir, run.Env = dir, append(os.Environ(), "AUTHWATCH_URL="+s.url, "AUTHWATCH_KEY="+s.key("read"))
		var err error
		if out, err = run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", filepath.Base(command[0]), err, out)
		}
	}
	for _, want := range []string{" generated 1\n", "replace client_assertion.claims.aud https://pmx-prod.us.auth0.com/oauth/token (verified)", "404: "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the program did not print %q: %s", want, out)
		}
	}
}
