package classify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AppendLook appends all that an exchange shows, as a text that is the same for exchanges that show the same; Sights reads it.
// The verdict is that of a failure, nil for an accepted exchange. Other exchanges, and those without an answer, show nothing.
func (e *Exchange) AppendLook(out []byte, v *Verdict) []byte {
	if e.Outcome == Other || e.Phase == ClientSide || (e.Outcome == Failed) != (v != nil) {
		return out
	}
	cause := ""
	if v != nil {
		cause = string(v.Cause)
	}
	host, path := e.called()
	l := look(out).field(cause).field(host)
	if e.Phase == TokenRequest {
		l = append(appendSight(appendSight(append(l, sightTokenEndpoint), host), path), 0)
		l = l.token(sightAssertionKID, e.Record.ClientAssertion, e.ClientID, e.Record.Time)
	} else {
		l = l.add(sightAPI, host)
		l = l.token(sightTokenKID, e.Record.AccessToken, "", e.Record.Time)
	}
	l = l.scopes(e, v)
	if agent := e.userAgent(); agent != "" {
		l = l.add(sightUserAgent, agent)
	}
	if v != nil {
		l = l.words(e, v.Cause)
	}
	return l
}

// The numbers by which a look names kinds: 1 and the place in SightKinds, where the kinds of one token stand together.
const (
	sightAssertionKID  = 1
	sightTokenKID      = 9
	sightTokenEndpoint = 16
	sightAPI           = 17
	sightUserAgent     = 18
	sightWording       = 19
	sightScopeGranted  = 20
	sightScopeUsed     = 21
	sightScopeRefused  = 22
)

// A look is being written: the cause, the host and the sights, each ended by a zero byte, which no field holds. Like append,
// what adds to it returns it: so it stays on its caller's stack.
type look []byte

func (l look) field(text string) look { return append(appendSight(l, text), 0) }

func (l look) add(kind byte, value string) look { return append(l, kind).field(value) }

// appendSight appends a value without zero bytes, cut to its bound on a rune's border.
func appendSight(out look, text string) look {
	if len(text) <= maxSight && plain(text) {
		return append(out, text...)
	}
	if len(text) > maxSight {
		text = strings.ToValidUTF8(text[:maxSight], "")
	}
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "�")
	}
	return append(out, validText(text)...)
}

// token adds what a decoded token shows; first is the number of its kid.
func (l look) token(first byte, t *JWT, owner string, at time.Time) look {
	if t == nil || t.Claims == nil {
		return l
	}
	iss := textOf(t.Claims.Get("iss"))
	if iss != "" {
		owner = iss
	}
	l = l.add(first, textOf(t.Header.Get("kid"))).field(owner)
	l = l.add(first+1, textOf(t.Header.Get("typ"))).add(first+2, textOf(t.Header.Get("alg")))
	if iss != "" {
		l = l.add(first+3, iss)
	}
	l = l.audience(first+4, t.Claims.Get("aud"))
	l = l.claims(first+5, t.Claims)
	if seconds, ok := lifetimeOf(t, at); ok {
		l = append(strconv.AppendInt(append(l, first+6), seconds, 10), 's', 0)
	}
	if first == sightAssertionKID {
		l = append(appendPattern(append(l, first+7), textOf(t.Claims.Get("jti"))), 0)
	}
	return l
}

func (l look) audience(kind byte, aud any) look {
	switch v := aud.(type) {
	case nil:
	case string:
		return l.add(kind, v)
	default:
		if data, err := json.Marshal(v); err == nil {
			return l.add(kind, string(data))
		}
	}
	return l
}

// claims adds the names of the claims.
func (l look) claims(kind byte, claims Object) look {
	l = append(l, kind)
	start := len(l)
	for n := range claims[:min(len(claims), maxSights)] {
		name := claims[n].Name
		if len(l)-start+len(name) > maxSight {
			break
		}
		if n > 0 {
			l = append(l, ' ')
		}
		l = appendSight(l, name)
	}
	return append(l, 0)
}

// words adds what the server said, as its words for the cause: for another cause it has others, which is no change.
func (l look) words(e *Exchange, cause Code) look {
	w := e.hear()
	words := w.wording
	if words == "" {
		words = w.compared()
	}
	if words == "" {
		return l
	}
	return l.add(sightWording, words).field(string(cause))
}

// compared is what was said as looks compare it.
func (w *words) compared() string {
	words := Wording(cmp.Or(w.text, w.said, w.code))
	return strings.ToValidUTF8(words[:min(len(words), maxWording)], "")
}

// scopes adds those that a token has, those that the route asked for, and those that were missing.
func (l look) scopes(e *Exchange, v *Verdict) look {
	if e.Phase == TokenRequest {
		if e.Outcome == Accepted && e.Record.Response != nil {
			for _, scope := range grantedInBody(e.Record.Response.Body) {
				l = l.add(sightScopeGranted, scope)
			}
		}
		return l
	}
	var room [maxSights]string
	granted := scopesOf(e.Record.AccessToken, room[:0])
	for _, scope := range granted {
		l = l.add(sightScopeGranted, scope)
	}
	if e.Outcome == Accepted {
		for _, scope := range e.routeScopes() {
			if slices.Contains(granted, scope) {
				l = l.add(sightScopeUsed, scope)
			}
		}
		return l
	}
	for _, scope := range missingIn(v) {
		l = l.add(sightScopeRefused, scope)
	}
	return l
}

// missingIn are the scopes that a verdict found to be missing.
func missingIn(v *Verdict) []string {
	if v.Cause != ScopeGap {
		return nil
	}
	for _, seen := range v.Evidence {
		if missing, ok := seen.Expected.(string); ok && seen.Cause == ScopeGap {
			list := strings.Fields(missing)
			return list[:min(len(list), maxSights)]
		}
	}
	return nil
}

// scopesOf are the scopes of an access token, in a list that is empty: scope (RFC 9068) or scp (Entra, Okta).
func scopesOf(t *JWT, list []string) []string {
	if t == nil {
		return nil
	}
	for _, name := range [...]string{"scope", "scp"} {
		switch v := t.Claims.Get(name).(type) {
		case string:
			list = appendFields(list, v)
		case []any:
			for _, element := range v[:min(len(v), maxSights)] {
				list = append(list, textOf(element))
			}
		default:
			continue
		}
		return list[:min(len(list), maxSights)]
	}
	return nil
}

// grantedInBody are the scopes that a token response names, RFC 6749 section 5.1.
func grantedInBody(body Body) []string {
	_, rest, found := bytes.Cut(body, []byte(`"scope":`))
	if !found {
		return nil
	}
	rest = bytes.TrimLeft(rest, " ")
	if len(rest) == 0 || rest[0] != '"' {
		return nil
	}
	end := bytes.IndexByte(rest[1:], '"')
	if end < 0 || bytes.IndexByte(rest[:end+1], '\\') >= 0 { // no scope has what would have to be escaped, RFC 6749 section 3.3
		return nil
	}
	list := strings.Fields(string(rest[1 : end+1]))
	return list[:min(len(list), maxSights)]
}

// routeScopes are those that the profile asks for on the route that was called.
func (e *Exchange) routeScopes() []string {
	if e.Record.Request == nil {
		return nil
	}
	method, path := methodName(e.Record.Request.Method), ""
	for i := range e.Profile.Scopes {
		rule := &e.Profile.Scopes[i]
		if rule.Method != "" && rule.Method != method {
			continue
		}
		if path == "" {
			path = addressOf(e.Record.Request.URL).path
		}
		if matchesPath(rule.Path, path) {
			return slices.Concat(rule.AnyOf, rule.AllOf)
		}
	}
	return nil
}

// called is where the exchange went.
func (e *Exchange) called() (host, path string) {
	_, place, _ := strings.Cut(e.Endpoint, " ")
	if at := strings.IndexByte(place, '/'); at >= 0 {
		return place[:at], place[at:]
	}
	return place, ""
}

func (e *Exchange) userAgent() string {
	if e.Record.UserAgent != "" || e.Record.Request == nil {
		return e.Record.UserAgent
	}
	return e.Record.Request.Headers.Get("user-agent")
}

// lifetimeOf is exp − iat in seconds.
func lifetimeOf(t *JWT, at time.Time) (seconds int64, ok bool) {
	exp, iat := dateOf(t.Claims.Get("exp"), secondsOf(at)), dateOf(t.Claims.Get("iat"), secondsOf(at))
	if exp.form != dateSeconds || iat.form != dateSeconds {
		return 0, false
	}
	const most = 400 * 24 * 3600
	if length := exp.seconds - iat.seconds; length > -most && length < most {
		return int64(length), true
	}
	return 0, false
}

// AppendForm appends what a look shows of a token's jti and times: tokens that differ in nothing else look the same when it is the same.
func (t *JWT) AppendForm(out []byte, at time.Time) []byte {
	l := appendPattern(out, textOf(t.Claims.Get("jti")))
	if seconds, ok := lifetimeOf(t, at); ok {
		l = strconv.AppendInt(append(l, ' '), seconds, 10)
	}
	return l
}

// appendPattern appends the form of a jti without the jti.
func appendPattern(out look, jti string) look {
	digits, hex, hyphens := 0, 0, 0
	for i := 0; i < len(jti); i++ {
		switch c := jti[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			hex++
		case c == '-':
			hyphens++
		}
	}
	form := "text "
	switch {
	case jti == "":
		return append(out, "none"...)
	case len(jti) == 36 && hyphens == 4 && digits+hex == 32:
		return append(out, "uuid"...)
	case digits == len(jti):
		form = "digits "
	case digits+hex == len(jti):
		form = "hex "
	}
	return strconv.AppendInt(append(out, form...), int64(len(jti)), 10)
}

// Sights reads what AppendLook wrote.
func Sights(text string) []Sight {
	r := lookReader{text}
	cause, host := Code(r.field()), r.field()
	kinds := SightKinds()
	var list []Sight
	for len(r.rest) > 0 {
		number := int(r.rest[0])
		r.rest = r.rest[1:]
		s := Sight{Kind: kinds[number-1], Value: r.field(), Outcome: Accepted}
		switch s.Kind {
		case SightAssertionKID, SightTokenKID, SightWording:
			s.Host, s.Owner = host, r.field()
		}
		if cause != "" {
			s.Outcome = Other
			if s.Kind.isBlamedBy(cause) {
				s.Outcome = Failed
			}
		}
		list = append(list, s)
	}
	return list
}

type lookReader struct{ rest string }

func (r *lookReader) field() string {
	text, rest, _ := strings.Cut(r.rest, "\x00")
	r.rest = rest
	return text
}

const (
	// maxSight bounds a value, in bytes.
	maxSight = 512
	// maxSights bounds the scopes of one token, and the names of its claims.
	maxSights = 32
	// maxWording bounds a server's words, in bytes.
	maxWording = 240
)
