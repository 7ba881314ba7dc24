package bundle

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"authwatch/classify"
)

// Pseudonymise replaces who and where by names that tell nothing, the same one everywhere in the bundle: clients, keys,
// hosts, addresses, services, ids. Times, algorithms, claims' names and the server's words stay. It fails when the verdicts
// would not stay the same.
func (b Bundle) Pseudonymise(k *classify.Knowledge) (Bundle, error) {
	p := newPseudonyms(b)
	out := b
	out.Pseudonyms = true
	out.Incident.ID = ""
	out.Incident.ClientID = p.text(b.Incident.ClientID)
	out.Different = nil // it may name what no record of the bundle does
	out.Changes = slices.Clone(b.Changes)
	for i := range out.Changes {
		out.Changes[i].Title = p.text(b.Changes[i].Title)
	}
	if b.Profile != nil {
		out.Profile = &classify.Profile{}
		if err := p.rewrite(b.Profile, out.Profile); err != nil {
			return Bundle{}, fmt.Errorf("pseudonymise profile: %w", err)
		}
		out.Profile.ID, out.Profile.Title, out.Profile.References = b.Profile.ID, b.Profile.Title, b.Profile.References
	}
	out.Cases = make([]Case, len(b.Cases))
	for i := range b.Cases {
		if err := p.rewrite(b.Cases[i].Record, &out.Cases[i].Record); err != nil {
			return Bundle{}, fmt.Errorf("pseudonymise record %d: %w", i, err)
		}
	}
	if err := out.moveHistory(b, k); err != nil {
		return Bundle{}, err
	}
	out.judge(k)
	for i := range out.Cases {
		if was, is := b.Cases[i].Verdict, out.Cases[i].Verdict; was.Cause != is.Cause || was.Confidence != is.Confidence {
			return Bundle{}, errors.New("pseudonymise: the verdict would change; hand out the bundle as it is")
		}
	}
	return out, nil
}

// moveHistory gives facts the names that the rewritten records ask for: the keys of a record keep their order.
func (b *Bundle) moveHistory(was Bundle, k *classify.Knowledge) error {
	before, after := was.classifier(k), b.classifier(k)
	known, moved := was.history(), classify.History{}
	prints := map[string]string{}
	for i := range was.Cases {
		old, renamed := before.Locate(&was.Cases[i].Record), after.Locate(&b.Cases[i].Record)
		oldKeys, newKeys := old.Keys(), renamed.Keys()
		oldFacts, newFacts := old.Facts(), renamed.Facts()
		if len(oldKeys) != len(newKeys) || len(oldFacts) != len(newFacts) {
			return errors.New("pseudonymise: history would not fit any more; hand out the bundle as it is")
		}
		for n := range oldFacts {
			prints[oldFacts[n].FirstTokenPrint] = newFacts[n].FirstTokenPrint
			prints[oldFacts[n].FirstExchange] = newFacts[n].FirstExchange
		}
		for n, key := range oldKeys {
			if f, ok := known[key]; ok {
				f.Key = newKeys[n]
				moved[newKeys[n]] = f
			}
		}
	}
	b.History = factsOf(moved)
	for i := range b.History {
		b.History[i].FirstTokenPrint = renamedOr(prints, b.History[i].FirstTokenPrint, "another token")
		b.History[i].FirstExchange = renamedOr(prints, b.History[i].FirstExchange, "another exchange")
	}
	return nil
}

func renamedOr(names map[string]string, name, other string) string {
	if name == "" {
		return ""
	}
	return cmp.Or(names[name], other)
}

// pseudonyms maps what names somebody or something to what does not.
type pseudonyms struct {
	names  map[string]string
	counts map[string]int
	order  []string // the longest first, so that a name within another one does not win
}

func newPseudonyms(b Bundle) *pseudonyms {
	p := &pseudonyms{names: map[string]string{}, counts: map[string]int{}}
	p.add("client", b.Incident.ClientID)
	for _, c := range b.Cases {
		r := c.Record
		p.add("client", r.ClientID)
		p.add("client", c.Verdict.ClientID)
		p.add("service", r.Service)
		p.add("agent", r.UserAgent)
		p.address(r.ClientIP)
		for _, id := range []string{r.ID, r.RequestID, r.TraceID} {
			p.add("id", id)
		}
		for _, t := range []*classify.JWT{r.ClientAssertion, r.AccessToken} {
			if t != nil {
				p.token(*t)
			}
		}
		for _, text := range leaves(r) {
			p.hosts(text)
		}
	}
	if b.Profile != nil {
		for _, c := range b.Profile.Clients {
			p.add("client", c.ID)
			for _, kid := range c.KIDs {
				p.add("key", kid)
			}
		}
		for _, e := range b.Profile.Environments {
			for _, host := range e.Hosts {
				p.host(host)
			}
		}
		for _, text := range leaves(b.Profile.Environments) {
			p.hosts(text)
		}
	}
	for name := range p.names {
		p.order = append(p.order, name)
	}
	slices.SortFunc(p.order, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return p
}

func (p *pseudonyms) token(t classify.JWT) {
	for _, name := range []string{"iss", "sub", "azp", "client_id"} {
		if text, ok := t.Claims.Get(name).(string); ok {
			p.add("client", text)
		}
	}
	if jti, ok := t.Claims.Get("jti").(string); ok {
		p.add("id", jti)
	}
	if kid, ok := t.Header.Get("kid").(string); ok {
		p.add("key", kid)
	}
}

// add names a thing; an address of the web is named by its host, and what is very short would be found everywhere.
func (p *pseudonyms) add(kind, name string) {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		p.hosts(name)
		return
	}
	if len(name) < 3 || p.names[name] != "" || strings.HasPrefix(name, "[") {
		return
	}
	p.counts[kind]++
	p.names[name] = fmt.Sprintf("%s-%d", kind, p.counts[kind])
	if kind == "key" && len(name) >= 12 { // a long kid is told by itself, a short one such as "1" only with its owner
		p.names[name] = fmt.Sprintf("key-%08d", p.counts[kind])
	}
}

func (p *pseudonyms) address(text string) {
	if _, err := netip.ParseAddr(text); err == nil && p.names[text] == "" {
		p.counts["address"]++
		p.names[text] = fmt.Sprintf("192.0.2.%d", p.counts["address"]) // RFC 5737
	}
}

// hosts names the host of each address in a text.
func (p *pseudonyms) hosts(text string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"'<>,;()`, r) }) {
		if u, err := url.Parse(word); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
			p.host(u.Hostname())
		}
	}
}

func (p *pseudonyms) host(name string) {
	if len(name) < 3 || p.names[name] != "" {
		return
	}
	p.counts["host"]++
	p.names[name] = fmt.Sprintf("host-%d.example", p.counts["host"])
}

// rewrite replaces names in every string of a value's JSON form, and in the members' names.
func (p *pseudonyms) rewrite(from, into any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return err
	}
	if data, err = json.Marshal(p.value(tree)); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (p *pseudonyms) value(v any) any {
	switch v := v.(type) {
	case string:
		return p.text(v)
	case []any:
		for i := range v {
			v[i] = p.value(v[i])
		}
	case map[string]any:
		for name, e := range v {
			v[name] = p.value(e)
		}
	}
	return v
}

// text replaces names where they stand as words of their own.
func (p *pseudonyms) text(s string) string {
	if name, ok := p.names[s]; ok {
		return name
	}
	for _, name := range p.order {
		s = replaceWords(s, name, p.names[name])
	}
	return s
}

func replaceWords(s, name, with string) string {
	var out strings.Builder
	for {
		at := strings.Index(s, name)
		if at < 0 {
			out.WriteString(s)
			return out.String()
		}
		end := at + len(name)
		before, _ := utf8.DecodeLastRuneInString(s[:at])
		after, _ := utf8.DecodeRuneInString(s[end:])
		out.WriteString(s[:at])
		if isWord(before) || isWord(after) {
			out.WriteString(name)
		} else {
			out.WriteString(with)
		}
		s = s[end:]
	}
}

func isWord(r rune) bool { return r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) }
