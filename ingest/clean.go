package ingest

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// cleanTexts are texts that redaction left as they are, so that what comes in every record (the name of a service, of a
// user agent, an issuer, the answer of a server) is looked at once and not a million times. They are compared whole. Only what came
// before is kept, so that ids, which come once, push nothing out. Safe for concurrent use.
type cleanTexts struct {
	seed maphash.Seed
	came [8192]atomic.Uint32 // digests of texts that came once
	kept [2048]atomic.Pointer[string]
}

// maxCleanText bounds the memory: no longer text is kept.
const maxCleanText = 1 << 10

func newCleanTexts() *cleanTexts { return &cleanTexts{seed: maphash.MakeSeed()} }

// has is true for a text that is known to be clean; the digest is for note.
func (c *cleanTexts) has(s string) (digest uint64, known bool) {
	digest = maphash.String(c.seed, s)
	kept := c.kept[digest%uint64(len(c.kept))].Load()
	return digest, kept != nil && *kept == s
}

// note remembers a clean text, if it is not the first time that it comes.
func (c *cleanTexts) note(digest uint64, s string) {
	came, print := &c.came[digest>>16%uint64(len(c.came))], uint32(digest>>32)|1
	if came.Load() != print {
		came.Store(print)
		return
	}
	if len(s) <= maxCleanText {
		text := strings.Clone(s)
		c.kept[digest%uint64(len(c.kept))].Store(&text)
	}
}
