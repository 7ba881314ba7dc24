package ingest

import (
	"hash/maphash"
	"strings"
)

// cleanTexts are texts that redaction left as they are: the name of a service, of a user agent, an issuer, the answer of a server.
type cleanTexts struct{ *memory[knownText] }

// A knownText is compared whole.
type knownText struct {
	text  string
	value any // the same as a value of an object
}

func newCleanTexts() cleanTexts { return cleanTexts{newMemory[knownText]()} }

// find returns the clean text that is equal to this one, if it is known; the digest is for note.
func (c cleanTexts) find(s string) (digest uint64, known *knownText) {
	digest = maphash.String(c.seed, s)
	if known = c.at(digest); known != nil && known.text == s {
		return digest, known
	}
	return digest, nil
}

// findBytes is find for a text that is not copied yet.
func (c cleanTexts) findBytes(s []byte) *knownText {
	if known := c.at(maphash.Bytes(c.seed, s)); known != nil && known.text == string(s) {
		return known
	}
	return nil
}

// note remembers a clean text, if it is not the first time that it comes.
func (c cleanTexts) note(digest uint64, s string) {
	if len(s) <= maxRemembered && c.again(digest) {
		text := strings.Clone(s)
		c.keep(digest, &knownText{text: text, value: text})
	}
}
