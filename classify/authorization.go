package classify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An authorization is the shape of a redacted Authorization field: the scheme and what kind of credentials followed it.
type authorization struct {
	logged   bool   // the request's header fields were logged at all
	present  bool   // an Authorization field was sent
	scheme   string // lower case; "" for bare credentials
	kind     string // jwt, opaque, malformed, or "" when the marker says nothing
	why      string // why a malformed token could not be decoded
	print    string // the marker, which holds a keyed fingerprint when the redactor made one
	doubled  bool   // the scheme was sent twice
	several  bool   // two credentials in one field, or two fields
	nothing  bool   // a scheme without credentials
	cookie   bool   // one was sent, and no Authorization field
	original string
}

func authorizationOf(headers Headers) authorization {
	a := authorization{logged: len(headers) > 0}
	if !headers.Has("authorization") {
		a.cookie = headers.Get("cookie") != ""
		return a
	}
	field := headers.Get("authorization")
	a.original = clip(field)
	field = strings.TrimSpace(field)
	if a.present = field != ""; !a.present {
		a.cookie = headers.Get("cookie") != ""
	}
	before, marker := field, ""
	if i := strings.IndexByte(field, '['); i >= 0 {
		var after string
		before = field[:i]
		marker, after, _ = strings.Cut(field[i+1:], "]")
		a.several = strings.Contains(after, "[")
	}
	first, rest := cutField(before)
	second, _ := cutField(rest)
	alone := first != "" && second == ""
	if first != "" {
		a.scheme = schemeName(first)
		a.doubled = strings.EqualFold(first, second)
		a.nothing = alone && marker == "" && knownScheme(a.scheme)
	}
	if marker == "" && alone && !a.nothing {
		a.scheme = "?" // something was hidden by somebody else's redaction
	}
	a.print = marker
	kind, why, _ := strings.Cut(marker, " ")
	switch strings.TrimSuffix(kind, ":") {
	case "jwt", "opaque":
		a.kind = strings.TrimSuffix(kind, ":")
	case "malformed":
		a.kind, a.why = "malformed", why
	case "redacted":
		if a.scheme == "" {
			a.scheme = "?"
		}
	}
	return a
}

// cutField cuts text after its first word.
func cutField(text string) (word, rest string) {
	text = strings.TrimSpace(text)
	if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
		return text[:end], text[end:]
	}
	return text, ""
}

// appendFields is strings.Fields that appends.
func appendFields(list []string, text string) []string {
	known, start := len(list), 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] >= utf8.RuneSelf:
			return append(list[:known], strings.Fields(text)...)
		case i < len(text) && text[i] != ' ' && (text[i] < '\t' || text[i] > '\r'):
			continue
		case i > start:
			list = append(list, text[start:i])
		}
		start = i + 1
	}
	return list
}

// schemeName is a scheme in lower case, without a copy of those that nearly every request has.
func schemeName(scheme string) string {
	for _, usual := range [...]string{"bearer", "dpop", "basic"} {
		if strings.EqualFold(scheme, usual) {
			return usual
		}
	}
	return strings.ToLower(scheme)
}

func knownScheme(scheme string) bool {
	switch scheme {
	case "bearer", "dpop", "basic", "digest", "negotiate", "token", "jwt", "oauth", "apikey", "hoba", "mutual", "ntlm":
		return true
	}
	return false
}

// checkAuthorization looks at the form of the Authorization field of an API call, RFC 6750 section 2.1.
func checkAuthorization(x *examination) {
	const check, path = demandAuthorization, "request.headers.authorization"
	if x.Phase != APICall {
		return
	}
	a := &x.auth
	if a.present && !a.nothing && !a.doubled && !a.several && (a.scheme == "bearer" || a.scheme == "dpop") {
		x.pass(check, path, "the scheme is ", a.scheme)
		return
	}
	due := x.bearerDue()
	f := finding{cause: MalformedAuthorizationHeader, weight: due, witness: WitnessRequest, path: path, observed: a.original, expected: "Bearer <token>"}
	switch {
	case !a.logged:
		x.skip(check, path, "the request's header fields were not logged")
	case !a.present && x.token != nil:
		x.skip(check, path, "the field was not logged, a token was")
	case !a.present:
		x.missingToken(due)
	case a.nothing:
		f.cause, f.detail = MissingToken, "the field names a scheme but holds no token"
		x.report(check, f)
	case a.doubled:
		f.weight, f.detail = demonstrated, "the scheme was sent twice"
		f.repairs = []Edit{{Op: "replace", Path: path, Value: "Bearer <token>"}}
		x.report(check, f)
	case a.several:
		f.weight, f.detail = demonstrated, "two credentials were sent in one request"
		x.report(check, f)
	case a.scheme == "?":
		x.skip(check, path, "the field was hidden before it was logged")
	case a.scheme == "" && a.kind != "":
		f.detail = "the token was sent without the scheme Bearer"
		f.repairs = []Edit{{Op: "replace", Path: path, Value: "Bearer <token>"}}
		x.report(check, f)
	case a.scheme == "basic":
		if strings.Contains(x.words.schemes, "basic") {
			x.pass(check, path, "the server asks for Basic")
			return
		}
		f.weight, f.detail = min(due, likely), "Basic credentials where a bearer token is due"
		x.report(check, f)
	default:
		f.detail = "the scheme is " + clip(a.scheme) + " where Bearer is due"
		f.repairs = []Edit{{Op: "replace", Path: path, Value: "Bearer <token>"}}
		x.report(check, f)
	}
}

// bearerDue says how sure it is that this API takes bearer tokens.
func (x *examination) bearerDue() weight {
	switch {
	case x.Profile.AccessToken != nil || strings.Contains(x.words.schemes, "bearer") || strings.Contains(x.words.schemes, "dpop"):
		return demonstrated
	case x.seenAccepted(FactShape, string(APICall), "jwt") || x.seenAccepted(FactShape, string(APICall), "opaque"):
		return demonstrated
	case x.words.schemes == "":
		return likely
	}
	return possible
}

func (x *examination) missingToken(due weight) {
	const check, path = demandAuthorization, "request.headers.authorization"
	f := finding{cause: MissingToken, weight: min(due, likely), witness: WitnessRequest, path: path, expected: "Bearer <token>", detail: "no Authorization field was sent"}
	if x.auth.cookie {
		f.weight, f.detail = possible, "no Authorization field was sent; a cookie was"
	}
	if x.seenAccepted(FactShape, string(APICall), "jwt") || x.seenAccepted(FactShape, string(APICall), "opaque") {
		f.weight, f.detail = demonstrated, "no Authorization field was sent; accepted calls here carry one"
	}
	x.report(check, f)
}
