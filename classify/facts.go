package classify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// FactShape remembers the form of accepted credentials: their kind and algorithm, by phase.
const FactShape FactKind = "shape"

// anyName stands for "whichever": a fact under it says that something of the kind was accepted, so that another value's absence means something.
const anyName = "*"

// maxName bounds Key.Name in bytes; longer names are hashed, so that a hostile jti cannot fill an index.
const maxName = 160

func boundedName(name string) string {
	if len(name) <= maxName {
		return strings.ToValidUTF8(name, "�")
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func shapeName(phase Phase, shape string) string  { return string(phase) + " " + shape }
func audienceName(phase Phase, aud string) string { return string(phase) + " " + aud }
func kidName(owner, kid string) string            { return owner + " " + kid }

// distinctive reports whether a kid is long enough that two clients do not choose it by chance, as they do "1" or "default".
func distinctive(kid string) bool { return len(kid) >= 12 }

func (e Exchange) key(kind FactKind, name string) Key {
	return Key{Kind: kind, Provider: e.Provider, Environment: e.Environment, Name: boundedName(name)}
}

// everywhere is the key under which the same fact is known without regard to the environment.
func (k Key) everywhere() Key {
	k.Environment = anyName
	return k
}

func (f Fact) acceptedBy(at time.Time) bool {
	return !f.FirstAccepted.IsZero() && !f.FirstAccepted.After(at)
}

// seenAccepted reports whether the fact was accepted in this environment at or before the event.
func (x *examination) seenAccepted(kind FactKind, name string) bool {
	if len(x.history) == 0 {
		return false
	}
	return x.history[x.key(kind, name)].acceptedBy(x.Record.Time)
}

// seenElsewhere reports whether the fact was accepted in another environment and not in this one.
func (x *examination) seenElsewhere(kind FactKind, name string) bool {
	if len(x.history) == 0 {
		return false
	}
	k := x.key(kind, name)
	return !x.history[k].acceptedBy(x.Record.Time) && x.history[k.everywhere()].acceptedBy(x.Record.Time)
}

// strange reports whether other values were accepted in this environment and this one never.
func (x *examination) strange(kind FactKind, name, census string) bool {
	if len(x.history) == 0 {
		return false
	}
	return x.history[x.key(kind, census)].acceptedBy(x.Record.Time) && !x.history[x.key(kind, name)].acceptedBy(x.Record.Time)
}

// credential is the token that an exchange is about, and where it is in the record.
func (e Exchange) credential() *JWT {
	if e.Phase == TokenRequest {
		return e.Record.ClientAssertion
	}
	return e.Record.AccessToken
}

// tokenPrint names the token of an API call: the decoded token's fingerprint, else the redactor's.
func (e Exchange) tokenPrint() string {
	if t := e.Record.AccessToken; t != nil && t.Claims != nil {
		return t.fingerprint()
	}
	if e.Record.Request == nil {
		return ""
	}
	if a := authorizationOf(e.Record.Request.Headers); strings.Contains(a.print, "fp") {
		return a.print
	}
	return ""
}

// fingerprint identifies a decoded token whatever the order of its members: SHA-256 over its canonical JSON.
func (t *JWT) fingerprint() string {
	if t == nil {
		return ""
	}
	data := canonical(nil, map[string]any(t.Header), 0)
	data = append(data, '.')
	sum := sha256.Sum256(canonical(data, map[string]any(t.Claims), 0))
	return hex.EncodeToString(sum[:16])
}

// canonical appends value with the members of objects in the order of their names.
func canonical(out []byte, value any, depth int) []byte {
	if depth > maxDepth*4 {
		return append(out, '~')
	}
	switch v := value.(type) {
	case nil:
		return append(out, "null"...)
	case string:
		return strconv.AppendQuote(out, v)
	case json.Number:
		return append(out, v...)
	case bool:
		return strconv.AppendBool(out, v)
	case float64:
		return strconv.AppendFloat(out, v, 'g', -1, 64)
	case []any:
		out = append(out, '[')
		for _, e := range v {
			out = append(canonical(out, e, depth+1), ',')
		}
		return append(out, ']')
	case Object:
		return canonical(out, map[string]any(v), depth)
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names)
		out = append(out, '{')
		for _, name := range names {
			out = append(canonical(append(strconv.AppendQuote(out, name), ':'), v[name], depth+1), ',')
		}
		return append(out, '}')
	}
	data, err := json.Marshal(value)
	if err != nil {
		return append(out, '!')
	}
	return append(out, data...)
}

// identity names the exchange: the source's id, else a hash of its content, so that a redelivered line is the same exchange.
func (e Exchange) identity() string {
	if e.Record.ID != "" {
		return boundedName(e.Record.ID)
	}
	data, err := json.Marshal(e.Record)
	if err != nil {
		data = []byte(e.Record.Time.String() + e.Endpoint + e.credential().fingerprint())
	}
	sum := sha256.Sum256(data)
	return "content:" + hex.EncodeToString(sum[:16])
}

// Keys lists the facts that can matter to the judgement of e; look them up and hand them to Classify.
func (e Exchange) Keys() []Key {
	if e.Outcome == Other || e.Phase == ClientSide {
		return nil
	}
	var keys []Key
	own := func(kind FactKind, name string) { keys = append(keys, e.key(kind, name)) }
	both := func(kind FactKind, name string) {
		k := e.key(kind, name)
		keys = append(keys, k, k.everywhere())
	}
	both(FactShape, shapeName(e.Phase, "jwt"))
	own(FactShape, shapeName(e.Phase, "opaque"))
	if e.sentJSON() {
		own(FactShape, shapeName(TokenRequest, jsonMedia))
	}
	e.grantKeys(own)
	if e.Phase == APICall {
		if print := e.tokenPrint(); print != "" {
			own(FactToken, print)
		}
	} else if e.ClientID != "" {
		both(FactClient, e.ClientID)
		own(FactClient, anyName)
	}
	if e.ClientID != "" {
		own(FactClock, clockName(e.ClientID, e.Record.Time))
		own(FactClock, clockName(e.ClientID, e.Record.Time.Add(-time.Hour)))
	}
	e.tokenKeys(own, both)
	return keys
}

func (e Exchange) tokenKeys(own, both func(FactKind, string)) {
	t := e.credential()
	if t == nil || t.Claims == nil {
		return
	}
	iss := textOf(t.Claims["iss"])
	owner := iss
	if e.Phase == TokenRequest {
		if owner == "" {
			owner = e.ClientID
		}
		if iss != "" && iss != e.ClientID {
			both(FactClient, iss)
		}
		if jti := textOf(t.Claims["jti"]); jti != "" {
			own(FactJTI, iss+" "+jti)
		}
	} else if iss != "" {
		both(FactIssuer, iss)
		own(FactIssuer, anyName)
	}
	if kid := textOf(t.Header["kid"]); kid != "" {
		both(FactKID, kidName(owner, kid))
		own(FactKID, kidName(owner, anyName))
		if distinctive(kid) {
			both(FactKID, kidName(anyName, kid))
		}
	}
	list, _ := audiencesOf(t.Claims["aud"])
	for i, aud := range list {
		if i < 4 {
			both(FactAudience, audienceName(e.Phase, aud))
		}
	}
	own(FactAudience, audienceName(e.Phase, anyName))
	if alg := textOf(t.Header["alg"]); alg != "" {
		own(FactShape, shapeName(e.Phase, "alg "+alg))
		own(FactShape, shapeName(e.Phase, "alg"))
	}
}

func clockName(client string, at time.Time) string {
	return client + " " + at.UTC().Format("2006-01-02T15")
}

// Facts lists what e adds to history, whatever its verdict. Observe them after Classify, never before.
func (e Exchange) Facts() []Fact {
	if e.Outcome == Other || e.Phase == ClientSide {
		return nil
	}
	facts := e.assertionFacts()
	if e.Outcome != Accepted {
		return facts
	}
	accepted := func(kind FactKind, name string, keep time.Duration) {
		f := Fact{Key: e.key(kind, name), FirstSeen: e.Record.Time, LastSeen: e.Record.Time, FirstAccepted: e.Record.Time, LastAccepted: e.Record.Time, Count: 1}
		if keep > 0 {
			f.Expires = e.Record.Time.Add(keep)
		}
		facts = append(facts, f)
	}
	const month = 30 * 24 * time.Hour
	both := func(kind FactKind, name string) {
		accepted(kind, name, 3*month)
		last := facts[len(facts)-1]
		last.Key = last.Key.everywhere()
		facts = append(facts, last)
	}
	own := func(kind FactKind, name string) { accepted(kind, name, 3*month) }
	if e.Phase == APICall {
		if print := e.tokenPrint(); print != "" {
			accepted(FactToken, print, month)
		}
	} else if e.ClientID != "" {
		both(FactClient, e.ClientID)
		own(FactClient, anyName)
	}
	e.shapeFacts(both)
	if e.sentJSON() {
		own(FactShape, shapeName(TokenRequest, jsonMedia))
	}
	e.grantKeys(own)
	e.tokenKeys(func(kind FactKind, name string) {
		if kind != FactJTI {
			own(kind, name)
		}
	}, both)
	return facts
}

// shapeFacts remembers the kind of credentials that was accepted.
func (e Exchange) shapeFacts(both func(FactKind, string)) {
	switch {
	case e.credential() != nil:
		both(FactShape, shapeName(e.Phase, "jwt"))
	case e.Phase == APICall && e.Record.Request != nil:
		a := authorizationOf(e.Record.Request.Headers)
		if (a.scheme == "bearer" || a.scheme == "dpop") && (a.kind == "jwt" || a.kind == "opaque") {
			both(FactShape, shapeName(e.Phase, a.kind))
		}
	}
}

// assertionFacts are known of every assertion, accepted or not: that its jti was seen, and how far its iat was from the event.
func (e Exchange) assertionFacts() []Fact {
	t := e.Record.ClientAssertion
	if e.Phase != TokenRequest || t == nil || t.Claims == nil {
		return nil
	}
	var facts []Fact
	at := e.Record.Time
	if jti := textOf(t.Claims["jti"]); jti != "" && (e.Profile.Assertion == nil || e.Profile.Assertion.SingleUseJTI) {
		f := Fact{Key: e.key(FactJTI, textOf(t.Claims["iss"])+" "+jti), FirstSeen: at, LastSeen: at, Count: 1,
			FirstExchange: e.identity(), FirstTokenPrint: t.fingerprint(), Expires: at.Add(jtiKept(t, at))}
		if e.Outcome == Accepted {
			f.FirstAccepted, f.LastAccepted = at, at
		}
		facts = append(facts, f)
	}
	judged, _ := e.Record.judgedAt()
	if iat := dateOf(t.Claims["iat"], judged); iat.form == dateSeconds && e.ClientID != "" {
		const day = 86400
		if offset := iat.seconds - judged; offset > -day && offset < day {
			facts = append(facts, Fact{Key: e.key(FactClock, clockName(e.ClientID, at)), FirstSeen: at, LastSeen: at, Count: 1,
				MaxOffset: time.Duration(offset * float64(time.Second)), Expires: at.Add(day * 2 * time.Second)})
		}
	}
	return facts
}

// jtiKept is how long a jti can matter: until the assertion has expired everywhere, within bounds that a sender cannot stretch.
func jtiKept(t *JWT, at time.Time) time.Duration {
	const least, most = time.Hour, 48 * time.Hour
	exp := dateOf(t.Claims["exp"], secondsOf(at))
	if exp.form != dateSeconds {
		return most
	}
	kept := exp.seconds - secondsOf(at)
	if kept > most.Seconds() {
		return most
	}
	return max(least, time.Duration(kept*float64(time.Second))+least)
}

// sentJSON reports whether a token request was written in JSON, which RFC 6749 does not ask for and large providers take.
func (e Exchange) sentJSON() bool {
	if e.Phase != TokenRequest || e.Record.Request == nil {
		return false
	}
	media, _, _ := strings.Cut(e.Record.Request.Headers["content-type"], ";")
	return strings.EqualFold(strings.TrimSpace(media), jsonMedia)
}

// grantKeys name what a token lets its bearer do at an endpoint: its scopes and its roles, each as a set.
func (e Exchange) grantKeys(own func(FactKind, string)) {
	t := e.Record.AccessToken
	if e.Phase != APICall || t == nil || t.Claims == nil || e.Endpoint == "" {
		return
	}
	for _, sort := range [...]string{grantScopes, grantRoles} {
		own(FactShape, grantName(e.Endpoint, sort, t))
		own(FactShape, grantName(e.Endpoint, sort, nil))
	}
}

// The sorts of grants.
const (
	grantScopes = "scopes"
	grantRoles  = "roles"
)

// grantName is the Key.Name of the grants of one sort that a token has, or without a token of whichever.
func grantName(endpoint, sort string, t *JWT) string {
	name := sort + " " + endpoint + " "
	if t == nil {
		return name + anyName
	}
	members := [...]string{"scope", "scp"}
	if sort == grantRoles {
		members = [...]string{"roles", "permissions"}
	}
	for _, member := range members {
		switch v := t.Claims[member].(type) {
		case string:
			list := strings.Fields(v)
			slices.Sort(list)
			name += strings.Join(list, ",") + ";"
		case []any:
			list := make([]string, 0, min(len(v), maxAudiences))
			for _, element := range v[:min(len(v), maxAudiences)] {
				list = append(list, textOf(element))
			}
			slices.Sort(list)
			name += strings.Join(list, ",") + ";"
		}
	}
	return name
}
