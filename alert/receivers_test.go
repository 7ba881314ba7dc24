package alert

import (
	"errors"
	"strings"
	"testing"
)

func TestReadReceivers(t *testing.T) {
	files := map[string]string{"/etc/slack": "https://hooks.slack.example/services/secret-canary\n", "/etc/key": "0123456789abcdef0123456789abcdef\n"}
	list, err := ReadReceivers("r.yaml", []byte(`
receivers:
  - name: am
    alertmanager: {url: "http://am.internal:9093"}
  - name: chat
    slack: {url_file: /etc/slack}
  - name: pager
    pagerduty: {routing_key_env: PD}
  - name: hook
    webhook: {url: "https://hooks.example/aw", secret_file: /etc/key, timeout: 5s}
  - name: mail
    email: {server: "smtp.example:587", from: aw@example.com, to: [oncall@example.com], username: aw, password_env: SMTP}
`), Sources{Env: func(name string) string { return map[string]string{"PD": "pd", "SMTP": "pw"}[name] }, File: func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("open " + path + ": no such file")
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{"am": {"alertmanager", "am.internal:9093"}, "chat": {"slack", "hooks.slack.example"}, "pager": {"pagerduty", "events.pagerduty.com"},
		"hook": {"webhook", "hooks.example"}, "mail": {"email", "smtp.example:587"}}
	for _, r := range list {
		if got := [2]string{r.Kind, r.Target}; got != want[r.Name] || r.send == nil {
			t.Errorf("%s: %v", r.Name, got)
		}
	}
	if len(list) != len(want) {
		t.Errorf("%d receivers", len(list))
	}
}

// Every mistake is named with its line, and no secret with it.
func TestReadReceivers_Mistakes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "r.yaml: empty"},
		{"not YAML", "receivers: [", "r.yaml: yaml:"},
		{"a list", "- x", "r.yaml:1: the file must be a mapping"},
		{"none", "receivers: []", "at least one"},
		{"a slip", "receivers:\n- name: a\n  slak: {}\n", "r.yaml:3: unknown field \"slak\" in a receiver; allowed: name, alertmanager"},
		{"no kind", "receivers:\n- name: a\n", "r.yaml:2: a receiver needs one of alertmanager"},
		{"two kinds", "receivers:\n- name: a\n  slack: {url_env: U}\n  webhook: {}\n", "r.yaml:4: a receiver is of one kind"},
		{"a name with blanks", "receivers:\n- name: a b\n  slack: {url_env: U}\n", "r.yaml:2: a receiver needs a name"},
		{"twice", "receivers:\n- name: a\n  slack: {url_env: U}\n- name: a\n  slack: {url_env: U}\n", "r.yaml:4: receiver \"a\" occurs twice"},
		{"no variable", "receivers:\n- name: a\n  slack: {url_env: GONE}\n", "r.yaml:3: url_env: the variable GONE is not set"},
		{"no file", "receivers:\n- name: a\n  slack: {url_file: /none}\n", "r.yaml:3: url_file: no such file"},
		{"a secret in the file itself", "receivers:\n- name: a\n  slack: {url: \"https://canary\"}\n", "r.yaml:3: unknown field \"url\" in slack; allowed: url_file"},
		{"user and password", "receivers:\n- name: a\n  webhook: {url: \"https://u:canary@h/\", secret_env: K}\n", "r.yaml:3: the address must be"},
		{"in clear", "receivers:\n- name: a\n  webhook: {url: \"http://h/\", secret_env: K}\n", "r.yaml:3: http:// is only for"},
		{"a short key", "receivers:\n- name: a\n  webhook: {url: \"https://h/\", secret_env: S}\n", "names a key of 24 to 64 bytes"},
		{"no key", "receivers:\n- name: a\n  webhook: {url: \"https://h/\"}\n", "r.yaml:3: webhook needs secret_file"},
		{"a password in clear", "receivers:\n- name: a\n  email: {server: \"h:25\", from: a@b.c, to: [a@b.c], username: u, password_env: K, tls: none}\n", "the password would cross"},
		{"no address", "receivers:\n- name: a\n  email: {server: \"h:25\", from: \"A <a@b.c>\", to: [a@b.c]}\n", "is no plain address"},
		{"a header", "receivers:\n- name: a\n  email: {server: \"h:25\", from: a@b.c, to: [\"a@b.c\\r\\nBcc: x@y.z\"]}\n", "is no plain address"},
		{"a long wait", "receivers:\n- name: a\n  slack: {url_env: U, timeout: 1h}\n", "r.yaml:3: timeout must be"},
		{"a word", "receivers:\n- name: a\n  pagerduty: {routing_key_env: K, severity: loud}\n", "severity must be one of critical"},
		{"two documents", "receivers:\n- name: a\n  slack: {url_env: U}\n---\nx: 1\n", "more than one YAML document"},
	} {
		env := map[string]string{"U": "https://hooks.example/canary", "K": "canary-canary-canary-canary", "S": "canary"}
		_, err := ReadReceivers("r.yaml", []byte(tt.text), Sources{Env: func(n string) string { return env[n] }, File: func(string) ([]byte, error) { return nil, errors.New("no such file") }})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), "https://canary", ""), "canary") {
			t.Errorf("%s: the error tells a secret: %v", tt.name, err)
		}
	}
}
