package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strings"
	"sync"
)

// fingerprint is the keyed name of a secret: it correlates occurrences and confirms nothing to who lacks the key.
// kind separates what may have the same text; canonical is the secret in its one spelling.
func (r *Redactor) fingerprint(kind, canonical string) string {
	mac := hmac.New(sha256.New, r.key)
	io.WriteString(mac, "authwatch/fp/v1\x00"+kind+"\x00"+canonical)
	return "fp1:" + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)))[:20]
}

// contentKey is the name of a record that has no id of its own: keyed, because it is made before redaction, and made
// before redaction so that a better redactor does not make old records new. kind keeps responses and tokens apart.
func (r *Redactor) contentKey(kind string, record any) string {
	return r.canonicalKey(kind, appendCanonical(make([]byte, 0, 1<<10), record))
}

// canonicalKey is contentKey of a record in the spelling of appendCanonical.
func (r *Redactor) canonicalKey(kind string, text []byte) string {
	s := r.sums.Get().(*keyedSum)
	defer r.sums.Put(s)
	s.mac.Reset()
	s.room = append(append(append(s.room[:0], "authwatch/dedupe/v1\x00"...), kind...), 0)
	s.mac.Write(s.room)
	s.mac.Write(text)
	s.room = append(s.mac.Sum(s.room[:0]), contentPrefix...)
	s.room = hex.AppendEncode(s.room, s.room[:sha256.Size])
	return string(s.room[sha256.Size:])
}

// A keyedSum is the memory of one sum with the redactor's key after the other.
type keyedSum struct {
	mac  hash.Hash
	room []byte
}

func newKeyedSums(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return &keyedSum{mac: hmac.New(sha256.New, key)} }}
}

const contentPrefix = "content:"

// isContentKey is true for the delivery key of a record that has no id of its own.
func isContentKey(key string) bool { return strings.HasPrefix(key, contentPrefix) }

// Markers are what redaction puts in the place of a value wherever it stands, according to what it is taken for there: a
// JWT, an opaque token, a shared secret, an authorization code. A value too short to be told by a fingerprint has none.
func (r *Redactor) Markers(value string) []string {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	w := &walk{Redactor: r, side: sideRequest, params: true}
	if marker, ok := w.tokenMarker(value); ok {
		return []string{marker}
	}
	var out []string
	for _, class := range []nameClass{secretToken, secretWord, secretCode} {
		if marker := w.secret(class, value, 0); strings.Contains(marker, " fp1:") && !slices.Contains(out, marker) {
			out = append(out, marker)
		}
	}
	return out
}
