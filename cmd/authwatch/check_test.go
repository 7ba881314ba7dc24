package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// checked runs the command at a fixed time.
func checked(t *testing.T, at time.Time, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: func() time.Time { return at }}
	c := checkCommand{Output: "human"}
	for i := 0; i+1 < len(args); i += 2 {
		switch args[i] {
		case "--profile":
			c.Profile = args[i+1]
		case "--environment":
			c.Environment = args[i+1]
		case "--output":
			c.Output = args[i+1]
		case "--source":
			c.Source = args[i+1]
		default:
			c.Assertion = []string{args[i+1]}
		}
	}
	status = p.report(c.Run(context.Background(), p))
	return status, out.String(), errs.String()
}

// The event time of check is the clock that the program was given.
func TestCheck_JudgesNow(t *testing.T) {
	made := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	assertion := fmt.Sprintf(`{"header":{"alg":"RS256","kid":"k"},"claims":{"iss":"bot","sub":"bot","aud":"https://pmx-prod.us.auth0.com/oauth/token","iat":%d,"exp":%d,"jti":"j"}}`,
		made.Unix(), made.Add(5*time.Minute).Unix())
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, exitOK}, {4 * time.Minute, exitOK}, {5*time.Minute + 5*time.Second, exitOK}, {6 * time.Minute, exitNotOK}, {-time.Hour, exitNotOK}} {
		if got, out, errs := checked(t, made.Add(tt.after), "--profile", "polymarket", "--environment", "prod", "assertion", assertion); got != tt.want {
			t.Errorf("after %v exit status %d, want %d\n%s%s", tt.after, got, tt.want, out, errs)
		}
	}
}

// With a key set in the profile the signature is a check like the others, and never part of the output.
func TestCheck_Signature(t *testing.T) {
	ours, theirs := rsaKey(t), rsaKey(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "jwks.json"), fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k1","n":%q,"e":"AQAB"}]}`, base64.RawURLEncoding.EncodeToString(ours.N.Bytes())))
	profile := filepath.Join(dir, "acme.yaml")
	write(t, profile, "provider: acme\nenvironments:\n  - name: prod\n    token_endpoints: [https://id.acme.example/token]\nassertion:\n  algorithms: [RS256]\n  audience: token_endpoint\njwks_file: jwks.json\n")
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		key    *rsa.PrivateKey
		status int
		want   string
	}{
		{"right key", ours, exitOK, "pass           signature"},
		{"wrong key", theirs, exitNotOK, "would not pass: key_mismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": "bot", "sub": "bot", "aud": "https://id.acme.example/token", "iat": now.Unix(), "exp": now.Unix() + 60, "jti": "j"})
			token.Header["kid"] = "k1"
			raw, err := token.SignedString(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			status, out, errs := checked(t, now, "--profile", profile, "assertion", raw)
			if status != tt.status || !strings.Contains(out, tt.want) {
				t.Errorf("exit status %d, want %d and %q\n%s%s", status, tt.status, tt.want, out, errs)
			}
			for _, part := range strings.Split(raw, ".") {
				if strings.Contains(out+errs, part) {
					t.Errorf("a part of the token is printed: %s", part)
				}
			}
		})
	}
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const hostileAssertion = `{"header":{"alg":"none"},"claims":{"iss":"a]]>\u001b[31m&<b>\u0000","sub":"\ud800","aud":["https://x.example/'\"","\u202e"],"exp":"soon","jti":"j"}}`

// What code scanning needs of SARIF 2.1.0: sections 3.13, 3.14, 3.27 and 3.49 of the standard.
func TestCheck_SARIF(t *testing.T) {
	status, out, errs := checked(t, time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), "--profile", "polymarket", "--environment", "prod", "--output", "sarif",
		"--source", "a b/auth.go", "assertion", hostileAssertion)
	if status != exitNotOK {
		t.Fatalf("exit status %d\n%s", status, errs)
	}
	var log map[string]any
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	if log["version"] != "2.1.0" || !strings.Contains(fmt.Sprint(log["$schema"]), "sarif-2.1.0") {
		t.Errorf("version %v, $schema %v", log["version"], log["$schema"])
	}
	run := log["runs"].([]any)[0].(map[string]any)
	driver := run["tool"].(map[string]any)["driver"].(map[string]any)
	rules, results := driver["rules"].([]any), run["results"].([]any)
	if driver["name"] != "authwatch" || len(rules) == 0 || len(results) < len(rules) {
		t.Fatalf("driver %v, %d rules, %d results", driver["name"], len(rules), len(results))
	}
	for _, r := range results {
		result := r.(map[string]any)
		rule := rules[int(result["ruleIndex"].(float64))].(map[string]any)
		if rule["id"] != result["ruleId"] {
			t.Errorf("ruleIndex points at %v, ruleId is %v", rule["id"], result["ruleId"])
		}
		if rule["shortDescription"].(map[string]any)["text"] == "" || result["message"].(map[string]any)["text"] == "" {
			t.Errorf("no text in %v or %v", rule, result)
		}
		if result["level"] != "error" {
			t.Errorf("level %v", result["level"])
		}
		location := result["locations"].([]any)[0].(map[string]any)
		if uri := location["physicalLocation"].(map[string]any)["artifactLocation"].(map[string]any)["uri"]; uri != "a%20b/auth.go" {
			t.Errorf("uri %v", uri)
		}
		if location["logicalLocations"].([]any)[0].(map[string]any)["fullyQualifiedName"] == "" {
			t.Errorf("no logical location in %v", location)
		}
	}
}

// Hostile values leave the JUnit file well formed.
func TestCheck_JUnit(t *testing.T) {
	_, out, _ := checked(t, time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), "--profile", "polymarket", "--environment", "prod", "--output", "junit", "assertion", hostileAssertion)
	var suites junitSuites
	if err := xml.Unmarshal([]byte(out), &suites); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	suite := suites.Suites[0]
	failures, skipped := 0, 0
	for _, c := range suite.Cases {
		if c.Failure != nil {
			failures++
		}
		if c.Skipped != nil {
			skipped++
		}
	}
	if suite.Tests != len(suite.Cases) || suite.Failures != failures || suite.Skipped != skipped || failures == 0 {
		t.Errorf("suite says %d tests, %d failures, %d skipped; it holds %d, %d, %d", suite.Tests, suite.Failures, suite.Skipped, len(suite.Cases), failures, skipped)
	}
	if causes := strings.Count(out, `type="timestamp_units"`); causes != 1 {
		t.Errorf("the cause and its advice stand at %d checks, want the deciding one", causes)
	}
	if strings.ContainsAny(out, "\x1b\x00") {
		t.Errorf("a control character in %q", out)
	}
}

// A command that hangs is ended with everything that it started.
func TestAssertionMaker_EndsWhatHangs(t *testing.T) {
	// Whoever lives holds the pipe open, from its first moment on.
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	living, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close()
	maker := assertionMaker{command: "exec 3> " + pipe + "; sleep 600 & wait", timeout: 2 * time.Second, now: time.Now}
	if _, err := maker.once(context.Background()); err == nil || !strings.Contains(err.Error(), "took longer than") {
		t.Fatalf("error %v", err)
	}
	if err := living.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(living); err != nil {
		t.Errorf("what the command started still runs: %v", err)
	}
}

// One that prints without end costs no memory.
func TestAssertionMaker_BoundsOutput(t *testing.T) {
	maker := assertionMaker{command: "head -c 10000000 /dev/zero | tr '\\0' e", timeout: time.Minute, now: time.Now}
	if _, err := maker.once(context.Background()); err == nil || !strings.Contains(err.Error(), "longer than 64 KiB") {
		t.Errorf("error %v", err)
	}
}

func TestAssertionMaker_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	maker := assertionMaker{command: "echo {}", timeout: time.Minute, pause: time.Hour, now: time.Now}
	if _, err := maker.twice(ctx); err == nil {
		t.Error("no error")
	}
}
