package alert

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Sources are where secrets come from.
type Sources struct {
	File func(path string) ([]byte, error)
	Env  func(name string) string
}

// ReadReceivers reads the operator's file; name is for error messages, which carry the line. Secrets are named there and
// stand elsewhere: in a file (…_file) or a variable (…_env). docs/alerts.md describes every field. Every mistake is reported.
func ReadReceivers(name string, data []byte, from Sources) ([]Receiver, error) {
	f := &receiverFile{name: name, from: from}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: empty", name)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.problem(&root, "more than one YAML document")
	}
	var list []Receiver
	f.members(root.Content[0], "the file", []string{"receivers"}, func(_ string, value *yaml.Node) {
		if value.Kind != yaml.SequenceNode {
			f.problem(value, "receivers must be a list")
			return
		}
		for _, item := range value.Content {
			r := f.receiver(item)
			if slices.ContainsFunc(list, func(other Receiver) bool { return other.Name == r.Name && r.Name != "" }) {
				f.problem(item, "receiver %.100q occurs twice", r.Name)
			}
			list = append(list, r)
		}
	})
	if len(f.problems) == 0 && len(list) == 0 {
		f.problem(root.Content[0], "receivers: at least one is expected")
	}
	return list, errors.Join(f.problems...)
}

// A receiverFile collects what is wrong with a file.
type receiverFile struct {
	name     string
	from     Sources
	problems []error
}

const maxReceiverProblems = 20

func (f *receiverFile) problem(n *yaml.Node, format string, args ...any) {
	if len(f.problems) < maxReceiverProblems {
		f.problems = append(f.problems, fmt.Errorf("%s:%d: %s", f.name, n.Line, fmt.Sprintf(format, args...)))
	}
}

// members hands each allowed member of a mapping to read.
func (f *receiverFile) members(n *yaml.Node, what string, allowed []string, read func(name string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		f.problem(n, "%s must be a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		switch {
		case seen[key]:
			f.problem(n.Content[i], "%.100q occurs twice in %s", key, what)
		case !slices.Contains(allowed, key):
			f.problem(n.Content[i], "unknown field %.100q in %s; allowed: %s", key, what, strings.Join(allowed, ", "))
		default:
			read(key, n.Content[i+1])
		}
		seen[key] = true
	}
}

// kinds are the fields of each kind of receiver; a field that is a secret is named with _file or _env behind it.
func receiverKinds() map[string][]string {
	return map[string][]string{
		"alertmanager": {"url", "token_file", "token_env", "private", "ca_file", "timeout"},
		"email":        {"server", "from", "to", "username", "password_file", "password_env", "tls", "private", "ca_file", "timeout"},
		"pagerduty":    {"routing_key_file", "routing_key_env", "url", "severity", "private", "ca_file", "timeout"},
		"slack":        {"url_file", "url_env", "private", "ca_file", "timeout"},
		"webhook":      {"url", "url_file", "url_env", "secret_file", "secret_env", "private", "ca_file", "timeout"},
	}
}

func (f *receiverFile) receiver(n *yaml.Node) (r Receiver) {
	kinds := receiverKinds()
	var settings *yaml.Node
	f.members(n, "a receiver", append([]string{"name"}, slices.Sorted(maps.Keys(kinds))...), func(name string, value *yaml.Node) {
		switch {
		case name == "name":
			r.Name = f.text(value, "name")
		case r.Kind != "":
			f.problem(value, "a receiver is of one kind: it is of %s already", r.Kind)
		default:
			r.Kind, settings = name, value
		}
	})
	if r.Name == "" || len(r.Name) > 64 || strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		f.problem(n, "a receiver needs a name of 1 to 64 letters, digits, dots, hyphens or underscores")
	}
	if settings == nil {
		f.problem(n, "a receiver needs one of %s", strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
		return r
	}
	s := f.settings(settings, r.Kind, kinds[r.Kind])
	if len(f.problems) > 0 {
		return r
	}
	switch r.Kind {
	case "alertmanager":
		r.send, r.renew = alertmanager{s}.send, true
	case "email":
		r.send = email{s}.send
	case "pagerduty":
		r.send = pagerDuty{s}.send
	case "slack":
		r.send = slack{s}.send
	case "webhook":
		r.send = webhook{s}.send
	}
	r.Target = s.host
	return r
}

// settings are the fields of all kinds of receivers, checked.
type settings struct {
	address  string // URL; of a Slack-compatible service it is a secret
	host     string // of the address or the mail server
	key      secret // token, routing key, password or signing secret
	from     string
	to       []string
	username string
	tls      string // starttls, tls or none
	severity string
	private  bool // may be at an address of this machine or a private network
	roots    *x509.CertPool
	timeout  time.Duration
}

func (f *receiverFile) settings(n *yaml.Node, kind string, allowed []string) settings {
	s := settings{timeout: 10 * time.Second, tls: "starttls", severity: "critical", private: kind == "alertmanager" || kind == "email"}
	if kind == "pagerduty" {
		s.address = "https://events.pagerduty.com/v2/enqueue"
	}
	f.members(n, kind, allowed, func(name string, value *yaml.Node) { f.setting(&s, name, value) })
	switch {
	case kind == "email":
		f.checkMail(n, &s)
	case s.address == "":
		f.problem(n, "%s needs a url", kind)
	default:
		f.checkURL(n, &s)
	}
	if kind == "pagerduty" && s.key.text == "" {
		f.problem(n, "pagerduty needs routing_key_file or routing_key_env")
	}
	if kind == "webhook" {
		if _, err := signingKey(s.key); err != nil {
			f.problem(n, "webhook needs secret_file or secret_env, which names %s", err)
		}
	}
	return s
}

func (f *receiverFile) setting(s *settings, name string, value *yaml.Node) {
	switch name {
	case "url":
		s.address = f.text(value, name)
	case "url_file", "url_env":
		s.address = f.secret(value, name).text
	case "token_file", "token_env", "password_file", "password_env", "routing_key_file", "routing_key_env", "secret_file", "secret_env":
		s.key = f.secret(value, name)
	case "server":
		s.address = f.text(value, name)
	case "from":
		s.from = f.text(value, name)
	case "to":
		if err := value.Decode(&s.to); err != nil || len(s.to) == 0 || len(s.to) > 50 {
			f.problem(value, "to must be a list of 1 to 50 addresses")
		}
	case "username":
		s.username = f.text(value, name)
	case "tls":
		s.tls = f.word(value, name, "starttls", "tls", "none")
	case "severity":
		s.severity = f.word(value, name, "critical", "error", "warning", "info")
	case "private":
		if err := value.Decode(&s.private); err != nil {
			f.problem(value, "private must be true or false")
		}
	case "ca_file":
		s.roots = f.roots(value)
	case "timeout":
		d, err := time.ParseDuration(value.Value)
		if err != nil || d < time.Second || d > 30*time.Second {
			f.problem(value, "timeout must be from 1s to 30s")
			return
		}
		s.timeout = d
	}
}

func (f *receiverFile) text(n *yaml.Node, name string) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" || strings.ContainsAny(n.Value, "\r\n\x00") {
		f.problem(n, "%s must be one line of text", name)
		return ""
	}
	return n.Value
}

func (f *receiverFile) word(n *yaml.Node, name string, allowed ...string) string {
	if !slices.Contains(allowed, n.Value) {
		f.problem(n, "%s must be one of %s", name, strings.Join(allowed, ", "))
	}
	return n.Value
}

// secret reads what a field names. Its errors tell where it was looked for, never what was found.
func (f *receiverFile) secret(n *yaml.Node, name string) secret {
	where := f.text(n, name)
	if where == "" {
		return secret{}
	}
	text := ""
	if strings.HasSuffix(name, "_env") {
		if text = strings.TrimSpace(f.from.Env(where)); text == "" {
			f.problem(n, "%s: the variable %.100s is not set", name, where)
		}
		return secret{text}
	}
	data, err := f.from.File(where)
	if err != nil {
		f.problem(n, "%s: %s", name, err)
		return secret{}
	}
	if text = strings.TrimSpace(string(data)); text == "" || strings.ContainsAny(text, "\r\n\x00") {
		f.problem(n, "%s: %.100s must hold one line", name, where)
	}
	return secret{text}
}

func (f *receiverFile) roots(n *yaml.Node) *x509.CertPool {
	pem, err := f.from.File(f.text(n, "ca_file"))
	if err != nil {
		f.problem(n, "ca_file: %s", err)
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		f.problem(n, "ca_file holds no certificate")
	}
	return pool
}

// checkURL never quotes the address: it may be a secret.
func (f *receiverFile) checkURL(n *yaml.Node, s *settings) {
	u, err := url.Parse(s.address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		f.problem(n, "the address must be https:// or http:// and a host, without user, password and fragment")
		return
	}
	if u.Scheme == "http" && !s.private {
		f.problem(n, "http:// is only for receivers on this machine or a private network, which say private: true")
	}
	s.host = u.Host
}

func (f *receiverFile) checkMail(n *yaml.Node, s *settings) {
	if host, port, err := net.SplitHostPort(s.address); err != nil || host == "" || port == "" {
		f.problem(n, "email needs a server as host:port")
	}
	for _, address := range append([]string{s.from}, s.to...) {
		if a, err := mail.ParseAddress(address); err != nil || a.Name != "" {
			f.problem(n, "email: %.100q is no plain address; from and to are needed", address)
			break
		}
	}
	if s.username != "" && s.tls == "none" {
		f.problem(n, "email: with tls: none the password would cross the network in clear")
	}
	if (s.username == "") != (s.key.text == "") {
		f.problem(n, "email: username and password_file or password_env belong together")
	}
	s.host = s.address
}
