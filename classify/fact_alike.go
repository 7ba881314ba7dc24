package classify

import "encoding/binary"

// Failures that are alike, such as those of one client at one endpoint, ask for the same facts but for one: that of the very token. What
// they have in common is written as a short text, and the numbers of its facts are remembered under it.

// AlikeFacts are the numbers of the facts that alike exchanges ask for.
type alikeFacts struct {
	text    []byte // of the exchange that is looked up
	texts   []byte // of the known ones, one after the other
	numbers []int32
	known   []alikeFact
	places  numbering
}

// An alikeFact is where text and numbers of alike exchanges are.
type alikeFact struct {
	textFrom, textTo, from, to int
	own                        int // place of the number that each has for itself, -1 for none
}

// find is what is known under the text, which has that hash.
func (a *alikeFacts) find(hash uint32) *alikeFact {
	for n, at := a.places.first(hash); n >= 0; n, at = a.places.next(hash, at) {
		if k := &a.known[n]; string(a.texts[k.textFrom:k.textTo]) == string(a.text) {
			return k
		}
	}
	return nil
}

func (a *alikeFacts) keep(hash uint32, numbers []int32, own int) {
	k := alikeFact{textFrom: len(a.texts), from: len(a.numbers), own: own}
	a.texts, a.numbers = append(a.texts, a.text...), append(a.numbers, numbers...)
	k.textTo, k.to = len(a.texts), len(a.numbers)
	a.places.add(hash, int32(len(a.known)))
	a.known = append(a.known, k)
}

func (a *alikeFacts) reset() {
	a.texts, a.numbers, a.known = a.texts[:0], a.numbers[:0], a.known[:0]
	a.places.reset()
}

// An ownFact is the one of an exchange's facts that alike ones do not share: its token, or the jti of its assertion under its issuer.
type ownFact struct {
	kind   FactKind
	issuer string
	of     string
}

func (f *ownFact) appendName(out []byte) []byte {
	if f.kind == FactToken {
		return joinName(out, []string{f.of})
	}
	return joinName(out, []string{f.issuer, f.of})
}

// appendAlike writes down all that askedMentions makes of a failure but for its own fact. ok is false for what is rarely so, which is
// not worth a form of its own: claims that are no texts, very many of them, times before 1970.
func (e *Exchange) appendAlike(out []byte) (_ []byte, own ownFact, ok bool) {
	seconds := e.Record.Time.Unix()
	if e.Outcome != Failed || e.Phase != APICall && e.Phase != TokenRequest || seconds < 0 {
		return out, own, false
	}
	marks, q := len(out), e.questions()
	out = append(out, 0, byte(q), e.Phase[0])
	out = binary.AppendUvarint(out, uint64(seconds/3600)) // of clocks
	out = appendPart(appendPart(appendPart(out, 'p', e.Provider), 'e', e.Environment), 'c', e.ClientID)
	if e.Phase == APICall {
		own.kind, own.of = FactToken, e.tokenPrint()
	} else {
		own.kind = FactJTI
	}
	if t := e.credential(); t != nil && t.Claims != nil {
		if out = append(out, 't'); e.Phase == APICall {
			out = appendPart(out, 'u', e.Endpoint)
		}
		if out, ok = t.appendAlike(out, q, &own); !ok {
			return out, own, false
		}
	}
	if own.of != "" {
		out[marks] = 1
	}
	return out, own, true
}

func (t *JWT) appendAlike(out []byte, q questions, own *ownFact) (_ []byte, ok bool) {
	if len(t.Header) > fewMembers || len(t.Claims) > fewMembers {
		return out, false
	}
	for i := range t.Header {
		if m := &t.Header[i]; m.Name == "kid" || m.Name == "alg" && q&ofAlgorithm != 0 {
			text, isText := m.Value.(string)
			if !isText {
				return out, false
			}
			out = appendPart(out, m.Name[0], text)
		}
	}
	for i := range t.Claims {
		m := &t.Claims[i]
		mark := alikeClaim(m.Name, own.kind, q)
		if mark == 0 {
			continue
		}
		text, isText := m.Value.(string)
		switch {
		case !isText:
			return out, false
		case mark == 'j':
			own.of = text
			continue
		case mark == 'i':
			own.issuer = text
		}
		out = appendPart(out, mark, text)
	}
	return out, true
}

// alikeClaim is the mark of a claim that facts are named by, 0 for any other: roles and scopes are of calls, of the token of a call
// the jti makes no difference, and the audience only where it is asked about.
func alikeClaim(name string, own FactKind, q questions) byte {
	switch name {
	case "iss":
		return 'i'
	case "aud":
		if q&ofAudience != 0 {
			return 'A'
		}
	case "jti":
		if own == FactJTI {
			return 'j'
		}
	}
	if own == FactToken {
		switch name {
		case "scope":
			return 's'
		case "scp":
			return 'S'
		case "roles":
			return 'r'
		case "permissions":
			return 'm'
		}
	}
	return 0
}

// appendPart appends a text so that what follows cannot be taken for a part of it.
func appendPart(out []byte, mark byte, text string) []byte {
	return append(binary.AppendUvarint(append(out, mark), uint64(len(text))), text...)
}
