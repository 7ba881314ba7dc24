package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"io"
	"strings"
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
	mac := hmac.New(sha256.New, r.key)
	io.WriteString(mac, "authwatch/dedupe/v1\x00"+kind+"\x00")
	writeCanonical(mac, record)
	return contentPrefix + hex.EncodeToString(mac.Sum(nil))
}

const contentPrefix = "content:"

// isContentKey is true for the delivery key of a record that has no id of its own.
func isContentKey(key string) bool { return strings.HasPrefix(key, contentPrefix) }
