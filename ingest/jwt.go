package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"authwatch/classify"

	"github.com/golang-jwt/jwt/v5"
)

// A rawToken is a JWT as it was found. It lives in memory only, until its signature has been checked.
type rawToken struct {
	text string // canonical: base64url without padding, so that one token has one fingerprint
	kind tokenKind
	jwt  classify.JWT
	cut  bool // whoever logged it cut it off
}

type tokenKind int

const (
	kindJWT       tokenKind = iota
	kindEncrypted           // JWE: its claims cannot be read, which is no fault of it
	kindMalformed           // meant to be a JWT, but not of three segments that decode
)

// decodeToken reads a dotted token for diagnosis: whatever can be decoded is, and JWT.Malformed says what could not.
// jwt.Parser.ParseUnverified is not asked, because it gives up at an unknown alg and takes a null payload for empty claims.
func decodeToken(text string) rawToken {
	odd := oddEncoding(text)
	segments := strings.Split(text, ".")
	for i, s := range segments {
		segments[i] = canonicalSegment(s)
	}
	t := rawToken{text: strings.Join(segments, ".")}
	header, headerErr := decodeSegment(segments[0])
	t.jwt.Header = header
	if len(segments) == 5 && header.Get("enc") != nil {
		t.kind = kindEncrypted
		return t
	}
	var claimsErr error
	if len(segments) > 1 {
		t.jwt.Claims, claimsErr = decodeSegment(segments[1])
	}
	switch {
	case len(segments) != 3:
		t.kind = kindMalformed
		t.jwt.Malformed = countSegments(len(segments))
	case headerErr != nil:
		t.kind = kindMalformed
		t.jwt.Malformed = "header " + headerErr.Error()
	case claimsErr != nil:
		t.kind = kindMalformed
		t.jwt.Malformed = "payload " + claimsErr.Error()
	default:
		t.jwt.Malformed = odd
	}
	return t
}

func countSegments(n int) string {
	if n == 1 {
		return "1 segment"
	}
	return fmt.Sprintf("%d segments", n)
}

// oddEncoding names what RFC 7515 does not allow in a token though many decoders forgive it.
func oddEncoding(text string) string {
	switch {
	case strings.ContainsAny(text, " \t\r\n"):
		return "white space inside the token"
	case strings.Contains(text, "="):
		return "base64 padding"
	case strings.ContainsAny(text, "+/"):
		return "standard base64 alphabet instead of base64url"
	}
	return ""
}

// canonicalSegment brings a segment to base64url without padding. Trailing bits that carry nothing stay as they are,
// because the fingerprint of a token is that of its text.
func canonicalSegment(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '+':
			return '-'
		case '/':
			return '_'
		case '=', ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s)
}

var errNotBase64 = errors.New("is not base64url")
var errNotObject = errors.New("is not a JSON object")

// decodeSegment decodes header or payload into an object.
func decodeSegment(s string) (classify.Object, error) {
	data, err := segmentBytes(s)
	if err != nil {
		return nil, errNotBase64
	}
	return decodeObject(data)
}

func decodeObject(data []byte) (classify.Object, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' || !json.Valid(data) {
		return nil, errNotObject
	}
	value, f := parseValue(data)
	if f != nil {
		return nil, errNotObject
	}
	return classify.ObjectOf(value.(map[string]any)), nil
}

func segmentBytes(s string) ([]byte, error) { return jwt.NewParser().DecodeSegment(s) }

// looksLikeAssertion tells a client assertion (RFC 7523: iss and sub are the client) from an access token when
// nothing around the token says which it is.
func looksLikeAssertion(t classify.JWT) bool {
	if typ, _ := t.Header.Get("typ").(string); strings.HasPrefix(strings.ToLower(typ), "client-authentication") {
		return true
	}
	iss, _ := t.Claims.Get("iss").(string)
	sub, _ := t.Claims.Get("sub").(string)
	if iss == "" || iss != sub {
		return false
	}
	if typ, _ := t.Header.Get("typ").(string); strings.EqualFold(typ, "at+jwt") {
		return false
	}
	return !t.Claims.Has("scope")
}
