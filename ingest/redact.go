package ingest

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A Redactor removes secrets from records; what it leaves is fit for disk. It is safe for concurrent use.
//
// Three nets are laid over every string, because each has holes: names (redact_names.go: a member, parameter or header
// that carries a secret whatever it looks like), shapes (redact_shapes.go: a secret recognised wherever it stands) and structure
// (redact_structure.go, redact_url.go, redact_encoded.go, redact_header.go: URLs, forms, JSON in strings, percent and base64 encodings are opened and judged inside). What a
// diagnosis needs stays: the shape of a credential, decoded header and claims, everything the server said.
type Redactor struct {
	key      []byte
	sums     *sync.Pool // of keyedSum
	names    map[string]nameClass
	claims   map[string]bool // that may keep their values
	headers  map[string]bool // JOSE header parameters that may
	patterns patterns
	vendors  []string // prefixes of keys
	classes  *byteClasses
	clean    cleanTexts
	parts    knownParts
	verifier *verifier // nil: signatures are dropped unverified
	shapes   *shapes
}

// patterns are the shapes that are told by a pattern rather than by decoding. RE2: linear in the text.
type patterns struct {
	user   *regexp.Regexp // user information of a URL
	marker *regexp.Regexp
	note   *regexp.Regexp // type note of a claim
	uuid   *regexp.Regexp
}

// NewRedactor makes a redactor whose fingerprints are keyed with these 32 bytes.
func NewRedactor(key []byte) (*Redactor, error) {
	if len(key) != 32 {
		return nil, errors.New("new redactor: the key must have 32 bytes")
	}
	return &Redactor{
		key:     slices.Clone(key),
		sums:    newKeyedSums(slices.Clone(key)),
		names:   secretNames(),
		claims:  set("iss sub aud azp client_id exp nbf iat jti scope scp roles cnf acr amr tid ver"),
		vendors: vendorPrefixes(),
		classes: newByteClasses(),
		clean:   newCleanTexts(),
		parts:   knownParts{newMemory[knownPart]()},
		shapes:  newShapes(),
		headers: set("alg typ cty kid enc zip crit b64 jku x5u x5t x5t#S256 jwk epk cnf"),
		patterns: patterns{
			user:   regexp.MustCompile(`^([^/?#@:]*):([^/?#]*)@`),
			marker: regexp.MustCompile(`^\[(?:(?:jwt|jwe|opaque|secret|code)(?: fp1:[a-z2-7]{20}(?: …[A-Za-z0-9_-]{4})?| cut)?|redacted|set|signature|private|private key(?:, [A-Za-z0-9#]{1,12})?(?:, cut)?|malformed: [0-9]{1,7} segments?|[A-Za-z0-9._@|-]{0,64}:set)\]$`),
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
	side    side
	name    string // of the member or parameter whose value is looked at; "" in running text
	params  bool   // the value is a parameter of a request or a redirect, where code and state are secrets
	work    int
	changes int // values that redaction replaced
	failed  bool
	found   []foundToken
	user    string // of a Basic Authorization header
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
func (w *walk) text(s string) string {
	out, _ := w.lookAt(s)
	return out
}

// lookAt is text; known is what is remembered of it, if anything.
func (w *walk) lookAt(s string) (out string, known *knownText) {
	if len(s) < minShape {
		return w.nested(s, 0), nil
	}
	if w.isPlainID(s) { // which comes once
		return w.unlessFailed(s), nil
	}
	digest, known := w.clean.find(s)
	if known != nil && !w.failed {
		return s, known
	}
	found := len(w.found)
	out = w.nested(s, 0)
	if out == s && len(w.found) == found && !w.failed {
		w.clean.note(digest, s)
	}
	return out, nil
}

func (w *walk) nested(s string, depth int) string {
	if len(s) < 8 || !w.spend(len(s)) {
		return w.unlessFailed(s)
	}
	found := w.traces(s)
	if found == 0 {
		return s
	}
	out := w.nets(s, found, depth)
	return w.unlessFailed(out)
}

// nets lays those nets over a text that could catch something in it. After each that did, the text is another.
func (w *walk) nets(s string, found traces, depth int) string {
	lay := func(what traces, net func(string) string) {
		if found&what != what {
			return
		}
		if out := net(s); out != s {
			s, found = out, w.traces(out)
		}
	}
	open := depth < maxNesting
	lay(traceShape, w.privateKeys)
	if open {
		lay(traceJSON|traceQuote, func(s string) string { return w.embeddedJSON(s, depth) })
	}
	lay(traceAssignment, func(s string) string { return w.urls(s, depth) })
	if open {
		lay(tracePercent, func(s string) string { return w.percentEncoded(s, depth) })
	}
	lay(traceAssignment, func(s string) string { return w.assignments(s, depth) })
	lay(traceShape, w.tokens)
	lay(traceShape, w.credentials)
	if open {
		lay(traceEncoded, func(s string) string { return w.base64Encoded(s, false) })
	}
	return s
}

func (w *walk) unlessFailed(s string) string {
	if w.failed {
		return ""
	}
	return s
}

// mayHoldShape is true for a text in which the last net could catch something. One that all nets have left as it is passes
// that one too.
func (r *Redactor) mayHoldShape(s string) bool {
	if len(s) < minShape || r.isPlainID(s) {
		return false
	}
	if _, known := r.clean.find(s); known != nil {
		return false
	}
	return r.traces(s)&traceShape != 0
}

// shapes is the last net: what is secret by its form alone, without opening any structure. It looks at a record as it
// will be stored; a difference means that the other nets have a hole.
func (w *walk) shapes(s string) string {
	if w.traces(s)&traceShape == 0 {
		return s
	}
	return w.credentials(w.tokens(w.privateKeys(s)))
}
