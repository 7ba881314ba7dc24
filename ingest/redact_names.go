package ingest

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A nameClass says what a member, parameter or header of some name carries.
type nameClass int

const (
	notSecret       nameClass = iota
	secretToken               // a token, assertion or API key: shape and fingerprint stay
	secretWord                // a password or shared secret: at most a fingerprint stays, never its last characters
	secretCode                // an authorization code, where the name means one
	secretState               // state and nonce-like values of a redirect, where the name means one
	secretMAC                 // the signature of a signed URL or request
	secretHeader              // a whole Authorization header
	secretCookie              // Cookie
	secretSetCookie           // Set-Cookie
)

// secretNames is the exact list, folded. Names that merely contain token, auth, code, key or password are not on it:
// token_type, token_endpoint or error_code are what a diagnosis is made of.
func secretNames() map[string]nameClass {
	out := map[string]nameClass{}
	add := func(class nameClass, names string) {
		for _, n := range strings.Fields(names) {
			out[n] = class
		}
	}
	add(secretToken, `accesstoken refreshtoken idtoken token dpop samlresponse samlrequest assertion clientassertion
		subjecttoken actortoken idtokenhint logouttoken authtoken bearertoken sessiontoken securitytoken usertoken
		devicetoken registrationtoken jwt bearer requestobject apikey xapikey apitoken xauthtoken xaccesstoken xamzsecuritytoken
		xvaulttoken privatetoken xgitlabtoken xcsrftoken csrftoken xxsrftoken xsrftoken xgoogapikey ocpapimsubscriptionkey
		accesskey sessionid phpsessid jsessionid xforwardedaccesstoken xmsitokenaadaccesstoken xmsitokenaadidtoken tokenvalue rawtoken`)
	add(secretWord, `clientsecret password passwd pwd passphrase passcode otp totp mfacode pin usercode devicecode codeverifier
		secret secretkey sharedsecret signingkey signingsecret webhooksecret newpassword oldpassword currentpassword
		passwordconfirmation appsecret apisecret consumersecret secretaccesskey awssecretaccesskey encryptionkey
		privatekey hmackey`)
	add(secretCode, "code")
	add(secretState, "state")
	add(secretMAC, "sig xamzsignature xgoogsignature signature policy")
	add(secretHeader, "authorization proxyauthorization xforwardedauthorization xoriginalauthorization")
	add(secretCookie, "cookie")
	add(secretSetCookie, "setcookie")
	return out
}

// class looks a name up. What a name means can depend on where it stands: code is a secret as a parameter of a request
// or a redirect and a diagnosis in an error body.
func (w *walk) class(name string) nameClass {
	class := w.namedClass(name)
	if (class == secretCode || class == secretState || class == secretMAC) && !w.params {
		return notSecret
	}
	return class
}

// namedClass looks a name up by its folded spelling, which most need not be written down for.
func (r *Redactor) namedClass(name string) nameClass {
	if isFolded(name) {
		return r.names[name]
	}
	if len(name) > maxName {
		return notSecret
	}
	var folded [maxSecretName]byte
	n := 0
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == ' ' || c == '.':
			continue
		case c == '%' || c >= utf8.RuneSelf:
			return r.names[foldName(name)]
		case n == len(folded):
			return notSecret
		case c >= 'A' && c <= 'Z':
			folded[n] = c | 0x20
		default:
			folded[n] = c
		}
		n++
	}
	return r.names[string(folded[:n])]
}

// maxName is the longest name that could mean something.
const maxName = 128

// maxSecretName is no shorter than any name that secretNames lists.
const maxSecretName = 32

// foldName brings clientSecret, client_secret, Client-Secret and client%5Fsecret to one spelling.
func foldName(name string) string {
	if len(name) > maxName {
		return ""
	}
	if isFolded(name) {
		return name
	}
	if strings.Contains(name, "%") {
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '_', '-', ' ', '.':
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// isFolded is true for the names that need no folding, which most do not.
func isFolded(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}

// isMarker knows what a redactor, this one or the shipper's, put in a credential's place.
func (r *Redactor) isMarker(s string) bool {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	switch s {
	case "[jwt]", "[redacted]", "[opaque]", "[set]":
		return true
	}
	return r.patterns.marker.MatchString(s)
}

// isMask knows what masks a value without saying what it was: three stars or more, or a word for it, in brackets or not.
func isMask(s string) bool {
	if strings.Trim(s, "*•xX") == "" {
		return utf8.RuneCountInString(s) >= 3
	}
	word := strings.TrimRight(strings.TrimLeft(s, "[<({"), "])}>")
	for _, mask := range [...]string{"redacted", "filtered", "masked", "hidden", "removed", "secret", "sensitive"} {
		if len(word) >= len(mask) && strings.EqualFold(word, mask) {
			return true
		}
	}
	return false
}

// isPrivateMember says whether a JWK member of that name is private (RFC 7518 section 6).
func isPrivateMember(name string) bool {
	switch name {
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
		return true
	}
	return false
}

// secret puts a marker in the place of a value whose name says that it is secret. What is no secret stays: nothing at
// all, a marker, a mask, and the literals that a broken client sends in a credential's place.
func (w *walk) secret(class nameClass, s string, depth int) string {
	if !w.spend(len(s)) {
		return ""
	}
	trimmed := strings.TrimSpace(s)
	switch {
	case trimmed == "" || w.isMarker(trimmed) || isPlaceholder(trimmed):
		return s
	case class == secretHeader:
		return w.authorization(s)
	case class == secretCookie:
		return w.cookieNames(s)
	case class == secretSetCookie:
		return w.setCookieNames(s)
	case isMask(trimmed):
		return "[redacted]"
	}
	if strings.Contains(s, "%") && depth < maxNesting {
		if plain, err := url.QueryUnescape(s); err == nil && plain != s {
			return w.secret(class, plain, depth+1)
		}
	}
	if keyless := w.privateKeys(s); keyless != s {
		return w.credentials(w.tokens(keyless))
	}
	switch class {
	case secretToken:
		return w.tokenValue(s, depth)
	case secretCode:
		return "[code " + w.fingerprint("code", trimmed) + "]"
	case secretMAC:
		return "[signature]"
	default:
		if len(trimmed) >= 20 && isRandom(trimmed) {
			return "[secret " + w.fingerprint("secret", trimmed) + "]"
		}
		return "[set]"
	}
}

// tokenValue redacts the value of a member that holds a token.
func (w *walk) tokenValue(s string, depth int) string {
	trimmed := strings.TrimSpace(s)
	if strings.ContainsAny(trimmed, " \t") {
		if isProse(trimmed) {
			return w.nested(s, depth)
		}
		return w.authorization(s) // x-auth-token: Bearer …
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		if out := w.nested(s, depth); out != s {
			return out
		}
		return w.opaque(trimmed)
	}
	if isProse(trimmed) {
		return s
	}
	if marker, ok := w.tokenMarker(trimmed); ok {
		return marker
	}
	return w.opaque(trimmed)
}

// opaque names a credential that says nothing about itself.
func (w *walk) opaque(s string) string {
	fp := w.fingerprint("opaque", s)
	if tail := s[max(0, len(s)-4):]; len(s) >= 32 && isTokenText(tail) {
		return "[opaque " + fp + " …" + tail + "]"
	}
	return "[opaque " + fp + "]"
}

// isPlaceholder knows the literals that stand where a credential was never put: they explain the failure.
func isPlaceholder(s string) bool {
	switch s {
	case "undefined", "null", "None", "nil", "NaN", "true", "false", "[object Object]", "[object Promise]":
		return true
	}
	if len(s) > 40 || len(s) < 3 {
		return false
	}
	inner := s
	for _, pair := range [][2]string{{"${", "}"}, {"{{", "}}"}, {"<", ">"}, {"%", "%"}, {"$(", ")"}, {"[", "]"}, {"{", "}"}} {
		if strings.HasPrefix(s, pair[0]) && strings.HasSuffix(s, pair[1]) && len(s) > len(pair[0])+len(pair[1]) {
			inner = strings.TrimSpace(s[len(pair[0]) : len(s)-len(pair[1])])
			return strings.IndexFunc(inner, func(r rune) bool {
				return r != '_' && r != '-' && r != ' ' && (r > unicode.MaxASCII || !unicode.IsLetter(r))
			}) < 0
		}
	}
	return false
}

// isProse is true for words that no issuer would make a token of: "expired", "is missing", "go-jose/go-jose/jwt:".
func isProse(s string) bool {
	for _, word := range strings.Fields(s) {
		if isPackage(word) {
			continue
		}
		if len(word) > 14 {
			return false
		}
		for i, r := range word {
			last := i == len(word)-1
			if !(r >= 'a' && r <= 'z' || i == 0 && r >= 'A' && r <= 'Z' || last && strings.ContainsRune(".,;:!?", r)) {
				return false
			}
		}
	}
	return true
}

// isPackage is true for the path of a library in front of its error, as Go and Java write it: "github.com/golang-jwt/jwt/v5:".
func isPackage(word string) bool {
	path, ok := strings.CutSuffix(word, ":")
	if !ok || !strings.ContainsAny(path, "/.") {
		return false
	}
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return strings.ContainsRune("/.-_", r) }) {
		letters := strings.TrimRight(part, "0123456789")
		if len(letters) == 0 || len(letters) > 14 || len(part)-len(letters) > 2 || strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return true
}

// isRandom is true for text that looks drawn rather than written: one word with letters of both cases or with digits among letters.
func isRandom(s string) bool {
	var upper, lower, digit, changes int
	var before rune
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			return false
		case r >= '0' && r <= '9':
			digit++
			if unicode.IsLetter(before) {
				changes++
			}
		case unicode.IsUpper(r):
			upper++
			if unicode.IsLower(before) {
				changes++
			}
		case unicode.IsLower(r):
			lower++
		}
		before = r
	}
	letters := upper + lower
	return digit > 0 && letters > 0 && changes >= 1 || upper > 1 && lower > 1 && changes >= 3 || digit >= 16 && letters == 0
}
