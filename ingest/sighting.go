package ingest

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A knownLook is a look under the text that it was read from.
type knownLook struct {
	provider, environment, client string
	text                          string
	look                          *store.Look
}

// A seenLook is what one exchange shows: kept with a success until the batch is committed.
type seenLook struct {
	look    *store.Look
	expires int64 // of the token that was used, in Unix seconds; 0: none
}

// look returns what an exchange shows, the same one for those that show the same as long as it is remembered. The verdict is
// nil for what did not fail.
func (i *reader) look(e *classify.Exchange, v *classify.Verdict) seenLook {
	if i.looks == nil { // nobody asks what clients show
		return seenLook{}
	}
	var room [1 << 10]byte
	text := e.AppendLook(room[:0], v)
	if len(text) == 0 {
		return seenLook{}
	}
	seen := seenLook{look: i.lookUnder(e, text, 0, nil)}
	if e.Phase == classify.APICall && (e.Outcome == classify.Accepted || v != nil && isExpiry(v.Cause)) {
		seen.expires = e.Record.AccessToken.Expires(e.Record.Time)
	}
	return seen
}

// isExpiry is true for failures that say how late a token was used; others would be counted as uses that went well or ill
// for another reason.
func isExpiry(cause classify.Code) bool {
	return cause == classify.TokenExpired || cause == classify.ExpiredMidSession
}

// lookUnder returns the look of a text that begins after a mark of so many bytes, without what was seen before.
func (i *reader) lookUnder(e *classify.Exchange, text []byte, mark int, before []classify.Sight) *store.Look {
	var h maphash.Hash
	h.SetSeed(i.looks.seed)
	for _, s := range [...]string{e.Provider, e.Environment, e.ClientID} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	h.Write(text)
	hash := h.Sum64()
	is := func(k *knownLook) bool {
		return k.text == string(text) && k.provider == e.Provider && k.environment == e.Environment && k.client == e.ClientID
	}
	if k := i.looks.find(hash, is); k != nil {
		return k.look
	}
	// Copies: the record's texts may be parts of the whole request.
	k := &knownLook{provider: strings.Clone(e.Provider), environment: strings.Clone(e.Environment), client: strings.Clone(e.ClientID), text: string(text)}
	sights := slices.DeleteFunc(classify.Sights(k.text[mark:]), func(s classify.Sight) bool { return slices.Contains(before, s) })
	k.look = &store.Look{Provider: k.provider, Environment: k.environment, ClientID: k.client, Sights: i.clean(sights)}
	i.looks.keep(hash, k)
	return k.look
}

// clean is the last net: the record was redacted before, but the quick way reads a scope from an answer that was not.
func (i *reader) clean(sights []classify.Sight) []classify.Sight {
	for n := range sights {
		s := &sights[n]
		s.Value, s.Owner = i.redactor.Note(s.Value), i.redactor.Note(s.Owner)
	}
	return sights
}

// see notes what an exchange of the batch shows.
func (w *work) see(seen seenLook, at time.Time) {
	if seen.look == nil {
		return
	}
	if w.seen == nil {
		w.seen = make([]store.Seen, 0, len(w.batch.records))
	}
	w.seen = append(w.seen, store.Seen{Look: seen.look, At: at.UnixMilli(), Expires: seen.expires})
}

// seeLate notes what an exchange shows with its token and did not show without.
func (w *work) seeLate(before, after *classify.Exchange, v *classify.Verdict) {
	const late = "late "
	text := after.AppendLook([]byte(late), v)
	if len(text) == len(late) {
		return
	}
	var was []classify.Sight
	if before.Outcome == after.Outcome {
		was = classify.Sights(string(before.AppendLook(nil, v)))
	}
	w.see(seenLook{look: w.ingester.lookUnder(after, text, len(late), was)}, after.Record.Time)
}
