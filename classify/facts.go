package classify

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
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
		return validText(name)
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// distinctive reports whether a kid is long enough that two clients do not choose it by chance, as they do "1" or "default".
func distinctive(kid string) bool { return len(kid) >= 12 }

func (e *Exchange) key(kind FactKind, name string) Key {
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

// seenAccepted reports whether the fact was accepted in this environment at or before the event. A name may come in parts, which spaces
// join in Key.Name.
func (x *examination) seenAccepted(kind FactKind, name ...string) bool {
	return x.acceptedAt(kind, x.Environment, name)
}

// seenElsewhere reports whether the fact was accepted in another environment and not in this one.
func (x *examination) seenElsewhere(kind FactKind, name ...string) bool {
	return x.acceptedAt(kind, anyName, name) && !x.acceptedAt(kind, x.Environment, name)
}

// asks notes of which kind history is asked for a fact, before every look at it, and reports whether it may hold one.
func (x *examination) asks(kind FactKind, environment string) bool {
	x.desk.asked |= setOf(kind)
	return x.held.may(kind, environment)
}

func (x *examination) acceptedAt(kind FactKind, environment string, name []string) bool {
	f, ok := x.fact(kind, environment, name...)
	return ok && f.acceptedBy(x.Record.Time)
}

// fact is what history knows under a name, which is put together for the look and not kept.
func (x *examination) fact(kind FactKind, environment string, parts ...string) (Fact, bool) {
	if !x.asks(kind, environment) {
		return Fact{}, false
	}
	var room [maxName]byte
	return x.held.fact(kind, x.Provider, environment, joinName(room[:0], parts))
}

// credential is the token that an exchange is about, and where it is in the record.
func (e *Exchange) credential() *JWT {
	if e.Phase == TokenRequest {
		return e.Record.ClientAssertion
	}
	return e.Record.AccessToken
}

// tokenPrint names the token of an API call: the decoded token's fingerprint, else the redactor's. It is made once.
func (e *Exchange) tokenPrint() string {
	if e.print == "" {
		e.print = e.newTokenPrint()
	}
	return e.print
}

func (e *Exchange) newTokenPrint() string {
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

// tokenFact is what history knows of the very token of an API call.
func (x *examination) tokenFact() (Fact, bool) {
	if !x.asks(FactToken, x.Environment) {
		return Fact{}, false
	}
	print := x.tokenPrint()
	f, ok := x.fact(FactToken, x.Environment, print)
	return f, ok && print != ""
}

// Keys lists the facts that can matter to the judgement of e; look them up and hand them to Classify.
func (e Exchange) Keys() []Key { return e.AppendKeys(nil) }

// AppendKeys is Keys for who has a list already. See FactIndex.AppendKeys for many exchanges.
func (e Exchange) AppendKeys(keys []Key) []Key {
	var room mentionRoom
	l := e.askedMentions(room.empty())
	if len(l.list) == 0 {
		return keys
	}
	l.settle()
	keys = slices.Grow(keys, len(l.list))
	for i := range l.list {
		keys = append(keys, l.key(&e, i))
	}
	return keys
}

// clockName is that of a client in the hour of at.
func clockName(client string, at time.Time) string {
	var room [96]byte
	return string(appendClock(room[:0], client, at))
}

func appendClock(out []byte, client string, at time.Time) []byte {
	out = append(append(out, client...), ' ')
	at = at.UTC()
	year, month, day := at.Date()
	if year < 1000 || year > 9999 {
		return at.AppendFormat(out, "2006-01-02T15")
	}
	out = append(twoDigits(twoDigits(out, year/100), year%100), '-')
	out = append(twoDigits(out, int(month)), '-')
	out = append(twoDigits(out, day), 'T')
	return twoDigits(out, at.Hour())
}

func twoDigits(out []byte, n int) []byte { return append(out, byte('0'+n/10), byte('0'+n%10)) }

// Facts lists what e adds to history, whatever its verdict. Observe them after Classify, never before.
func (e Exchange) Facts() []Fact {
	if facts := e.AppendFacts(nil); len(facts) > 0 {
		return facts
	}
	return nil
}

// AppendFacts is Facts for who has a list already.
func (e *Exchange) AppendFacts(facts []Fact) []Fact {
	switch {
	case e.Outcome == Other || e.Phase == ClientSide:
		return facts
	case e.Outcome == Failed:
		return e.assertionFacts(facts, 0)
	}
	var room mentionRoom
	l := room.empty()
	token := 0 // mentions of the token, which are forgotten sooner
	if e.Phase == APICall {
		if print := e.tokenPrint(); print != "" {
			l = l.whole(FactToken, print)
			token = 1
		}
	} else if e.ClientID != "" {
		l = l.whole(FactClient, e.ClientID).everywhere()
		l = l.whole(FactClient, anyName)
	}
	l = e.shapeFacts(l)
	if e.sentJSON() {
		l = l.own(FactShape, string(TokenRequest), jsonMedia)
	}
	l = e.grantKeys(l)
	l = e.tokenKeys(l, allQuestions)
	l = l.drop(FactJTI)
	facts = e.assertionFacts(facts, len(l.list))
	const month = 30 * 24 * time.Hour
	at := e.Record.Time
	l.settle()
	for i := range l.list {
		keep := 3 * month
		if i < token {
			keep = month
		}
		facts = append(facts, Fact{Key: l.key(e, i), FirstSeen: at, LastSeen: at, FirstAccepted: at, LastAccepted: at, Count: 1, Expires: at.Add(keep)})
	}
	return facts
}

// AppendOwnFacts appends those of Facts that are of this exchange alone, which are the first: those of its assertion. Of two accepted
// exchanges that differ in nothing but their times and ids, and the jti, iat, exp and nbf of their assertions, all others are the same.
func (e Exchange) AppendOwnFacts(facts []Fact) []Fact { return e.assertionFacts(facts, 0) }

// shapeFacts remembers the kind of credentials that was accepted.
func (e *Exchange) shapeFacts(l mentions) mentions {
	switch {
	case e.credential() != nil:
		l = l.both(FactShape, string(e.Phase), "jwt")
	case e.Phase == APICall && e.Record.Request != nil:
		a := authorizationOf(e.Record.Request.Headers)
		if (a.scheme == "bearer" || a.scheme == "dpop") && (a.kind == "jwt" || a.kind == "opaque") {
			l = l.both(FactShape, string(e.Phase), a.kind)
		}
	}
	return l
}

// assertionFacts are known of every assertion, accepted or not: that its jti was seen, and how far its iat was from the event.
// It makes room for more facts behind them.
func (e *Exchange) assertionFacts(facts []Fact, more int) []Fact {
	t := e.Record.ClientAssertion
	if e.Phase != TokenRequest || t == nil || t.Claims == nil {
		return slices.Grow(facts, more)
	}
	facts = slices.Grow(facts, more+2)
	if jti := textOf(t.Claims.Get("jti")); e.spends(jti) {
		facts = append(facts, e.jtiFact(e.key(FactJTI, textOf(t.Claims.Get("iss"))+" "+jti)))
	}
	if offset, ok := e.iatOffset(); ok {
		facts = append(facts, e.clockFact(e.key(FactClock, clockName(e.ClientID, e.Record.Time)), offset))
	}
	return facts
}

// spends reports whether an assertion's jti may be used only once.
func (e *Exchange) spends(jti string) bool {
	return jti != "" && (e.Profile.Assertion == nil || e.Profile.Assertion.SingleUseJTI)
}

// jtiFact says that the jti of an assertion was seen.
func (e *Exchange) jtiFact(k Key) Fact {
	t, at := e.Record.ClientAssertion, e.Record.Time
	f := Fact{Key: k, FirstSeen: at, LastSeen: at, Count: 1, FirstExchange: e.identity(), FirstTokenPrint: t.fingerprint(), Expires: at.Add(jtiKept(t, at))}
	if e.Outcome == Accepted {
		f.FirstAccepted, f.LastAccepted = at, at
	}
	return f
}

// iatOffset is how far the iat of an assertion was from the event, if that says something of a known client's clock.
func (e *Exchange) iatOffset() (offset time.Duration, ok bool) {
	const day = 86400
	judged, _ := e.Record.judgedAt()
	iat := dateOf(e.Record.ClientAssertion.Claims.Get("iat"), judged)
	seconds := iat.seconds - judged
	ok = iat.form == dateSeconds && e.ClientID != "" && seconds > -day && seconds < day
	if !ok {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func (e *Exchange) clockFact(k Key, offset time.Duration) Fact {
	at := e.Record.Time
	return Fact{Key: k, FirstSeen: at, LastSeen: at, Count: 1, MaxOffset: offset, Expires: at.Add(ClockKept)}
}

// jtiKept is how long a jti can matter: until the assertion has expired everywhere, within bounds that a sender cannot stretch.
func jtiKept(t *JWT, at time.Time) time.Duration {
	const least, most = time.Hour, 48 * time.Hour
	exp := dateOf(t.Claims.Get("exp"), secondsOf(at))
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
func (e *Exchange) sentJSON() bool {
	if e.Phase != TokenRequest || e.Record.Request == nil {
		return false
	}
	media, _, _ := strings.Cut(e.Record.Request.Headers.Get("content-type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), jsonMedia)
}
