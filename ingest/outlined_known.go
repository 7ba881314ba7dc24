package ingest

import (
	"hash/maphash"

	"authwatch/classify"
)

// A knownPart is a part of a record that redaction left as it was, with nothing in it for the last net, and what was made of it.
type knownPart struct {
	kind    partKind
	text    string // of the part as it came, compared whole
	stored  string // as it is written
	field   classify.Member[string]
	headers classify.Headers
	object  classify.Object
	request *classify.Request
	token   *classify.JWT
}

type partKind uint8

const (
	partField      partKind = iota // a header field with its name
	partFieldName                  // the name of one whose values differ and are plain
	partRequest                    // all that a client sent
	partHeaders                    // all header fields of a request
	partToken                      // an access token
	partParameters                 // the header of a token
	partBody
)

type knownParts struct{ *memory[knownPart] }

// find returns the part that came with this text; the digest is for again and keep.
func (k knownParts) find(kind partKind, text []byte) (digest uint64, known *knownPart) {
	digest = maphash.Bytes(k.seed, text) + uint64(kind)
	if known = k.at(digest); known != nil && known.kind == kind && known.text == string(text) {
		return digest, known
	}
	return digest, nil
}

func (k knownParts) keep(digest uint64, part *knownPart) {
	if len(part.text) <= maxRemembered {
		k.memory.keep(digest, part)
	}
}
