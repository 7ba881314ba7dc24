package ingest

import (
	"errors"
	"regexp"
	"strings"

	"authwatch/classify"
)

// A Redactor removes secrets from records; what it leaves is fit for disk. It is safe for concurrent use.
//
// Three nets are laid over every string, because each has holes: names (redact_names.go: a member, parameter or header
// that carries a secret whatever it looks like), shapes (redact_shapes.go: a secret recognised wherever it stands) and structure
// (redact_structure.go, redact_header.go: URLs, forms, JSON in strings, percent and base64 encodings are opened and judged inside). What a
// diagnosis needs stays: the shape of a credential, decoded header and claims, everything the server said.
type Redactor struct {
	key      []byte
	names    map[string]nameClass
	claims   map[string]bool // that may keep their values
	headers  map[string]bool // JOSE header parameters that may
	patterns patterns
	vendors  []string  // prefixes of keys
	verifier *verifier // nil: signatures are dropped unverified
	shapes   *shapes
}

// patterns are the shapes that are told by a pattern rather than by decoding. RE2: linear in the text.
type patterns struct {
	user   *regexp.Regexp // user information of a URL
	url    *regexp.Regexp
	marker *regexp.Regexp // what a redactor, this one or the shipper's, put in a credential's place
	mask   *regexp.Regexp
	note   *regexp.Regexp // type note of a claim
	uuid   *regexp.Regexp
}

// NewRedactor makes a redactor whose fingerprints are keyed with these 32 bytes.
func NewRedactor(key []byte) (*Redactor, error) {
	if len(key) != 32 {
		return nil, errors.New("new redactor: the key must have 32 bytes")
	}
	return &Redactor{
		key:     append([]byte(nil), key...),
		names:   secretNames(),
		claims:  set("iss sub aud azp client_id exp nbf iat jti scope scp roles cnf acr amr tid ver"),
		vendors: vendorPrefixes(),
		shapes:  newShapes(),
		headers: set("alg typ cty kid enc zip crit b64 jku x5u x5t x5t#S256 jwk epk cnf"),
		patterns: patterns{
			user:   regexp.MustCompile(`^([^/?#@:]*):([^/?#]*)@`),
			url:    regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\]+`),
			marker: regexp.MustCompile(`^\[(?:(?:jwt|jwe|opaque|secret|code)(?: fp1:[a-z2-7]{20}(?: …[A-Za-z0-9_-]{4})?| cut)?|redacted|set|signature|private|private key(?:, [A-Za-z0-9#]{1,12})?(?:, cut)?|malformed: [0-9]{1,7} segments?|[A-Za-z0-9._@|-]{0,64}:set)\]$`),
			mask:   regexp.MustCompile(`(?i)^(?:[*•x]{3,}|[\[<({]*(?:redacted|filtered|masked|hidden|removed|secret|sensitive)[\])}>]*)$`),
			note:   regexp.MustCompile(`^(?:number|boolean|(?:string|array|object)\([0-9]{1,7}\))$`),
			uuid:   regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`),
		},
	}, nil
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// A side says which part of the record a string stands in: it decides what a JWT found there can be.
type side int

const (
	sideRecord   side = iota // the record's own fields, such as error
	sideRequest              // what the client sent
	sideResponse             // what the server said
)

// maxWork bounds the bytes that the nets look at for one record. It takes the place of a time limit: a slow machine
// must not change what is stored.
const maxWork = 64 * maxRecord

// A walk is the redaction of one record.
type walk struct {
	*Redactor
	side   side
	name   string // of the member or parameter whose value is looked at, folded; "" in running text
	params bool   // the value is a parameter of a request or a redirect, where code and state are secrets
	work   int
	failed bool
	found  []foundToken
	user   string // of a Basic Authorization header
}

// A foundToken is a raw JWT and where it stood.
type foundToken struct {
	rawToken
	side side
	name string
}

// spend notes that n more bytes will be looked at; when it is too much the record is not redactable and fails closed.
func (w *walk) spend(n int) bool {
	w.work += n
	if w.work > maxWork {
		w.failed = true
	}
	return !w.failed
}

// maxNesting is how deep encodings within encodings are opened: JSON in a JSON string, percent in percent.
const maxNesting = 3

// text redacts running text, whatever it holds.
func (w *walk) text(s string) string { return w.nested(s, 0) }

func (w *walk) nested(s string, depth int) string {
	if len(s) < 8 || !w.spend(len(s)) {
		return w.unlessFailed(s)
	}
	s = w.privateKeys(s)
	if depth < maxNesting {
		s = w.embeddedJSON(s, depth)
	}
	s = w.urls(s, depth)
	if depth < maxNesting {
		s = w.percentEncoded(s, depth)
	}
	s = w.assignments(s, depth)
	s = w.tokens(s)
	s = w.credentials(s)
	if depth < maxNesting {
		s = w.base64Encoded(s, false)
	}
	return w.unlessFailed(s)
}

func (w *walk) unlessFailed(s string) string {
	if w.failed {
		return ""
	}
	return s
}

// shapes is the last net: what is secret by its form alone, without opening any structure. It looks at a record as it
// will be stored; a difference means that the other nets have a hole.
func (w *walk) shapes(s string) string {
	return w.credentials(w.tokens(w.privateKeys(s)))
}

// value redacts a decoded JSON value.
func (w *walk) value(v any, depth int) any {
	switch v := v.(type) {
	case string:
		return w.nested(v, depth)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = w.value(e, depth)
		}
		return out
	case map[string]any:
		return w.object(v, depth)
	}
	return v
}

func (w *walk) object(obj map[string]any, depth int) map[string]any {
	keep := w.params
	defer func() { w.params = keep }()
	_, grant := obj["grant_type"]
	w.params = grant // a decoded token request; any other object's code and state are business
	obj = w.joseJSON(obj)
	_, key := obj["kty"]
	out := make(map[string]any, len(obj))
	for name, member := range obj {
		switch {
		case key && isPrivateMember(name):
			member = "[private]"
		default:
			member = w.member(name, member, depth)
		}
		out[w.text(name)] = member
	}
	return out
}

// member redacts the value of one member, parameter or header of that name.
func (w *walk) member(name string, v any, depth int) any {
	class := w.class(name)
	outer := w.name
	w.name = foldName(name)
	defer func() { w.name = outer }()
	if class == notSecret {
		return w.value(v, depth)
	}
	return w.secretLeaves(class, v, depth)
}

// secretLeaves redacts every leaf below a secret's name: a secret does not become harmless by being a number or in a list.
func (w *walk) secretLeaves(class nameClass, v any, depth int) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return w.secret(class, v, depth)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = w.secretLeaves(class, e, depth)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if c := w.class(name); c != notSecret {
				out[w.text(name)] = w.secretLeaves(c, e, depth)
				continue
			}
			out[w.text(name)] = w.secretLeaves(class, e, depth)
		}
		return out
	default:
		if class == secretToken {
			return v // "token": {"expires_in": 180}: no token is a number
		}
		return "[set]"
	}
}

// joseJSON drops payload and signatures of a JWS or JWE in JSON serialization.
func (w *walk) joseJSON(obj map[string]any) map[string]any {
	_, protected := obj["protected"]
	_, signature := obj["signature"]
	_, signatures := obj["signatures"].([]any)
	_, payload := obj["payload"]
	_, ciphertext := obj["ciphertext"]
	if !(protected && (signature || ciphertext)) && !(signatures && payload) {
		return obj
	}
	out := make(map[string]any, len(obj))
	for name, v := range obj {
		switch name {
		case "payload", "signature", "ciphertext", "encrypted_key", "iv", "tag":
			out[name] = "[redacted]"
		case "protected":
			text, _ := v.(string)
			header, _ := decodeSegment(canonicalSegment(text))
			out[name] = map[string]any(w.claimSet(header, w.headers))
		default:
			out[name] = v
		}
	}
	return out
}

// claimSet applies the allow-list of header parameters or claims: values on it stay, of all others the name and type stay.
func (w *walk) claimSet(obj classify.Object, allowed map[string]bool) classify.Object {
	if obj == nil {
		return nil
	}
	out := make(classify.Object, len(obj))
	for name, v := range obj {
		switch {
		case name == "jwk" && allowed[name], name == "epk" && allowed[name]:
			v = w.value(v, 0)
		case name == "cnf":
			v = w.confirmation(v)
		case allowed[name]:
			v = w.claimValue(v)
		default:
			v = w.typeNote(v)
		}
		out[w.text(name)] = v
	}
	return out
}
