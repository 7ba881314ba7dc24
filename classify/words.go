package classify

import "bytes"

// Terms are the notions that a phrase holds. Servers word one fault in a hundred ways with the same few dozen notions, so a
// phrase is judged by its notions and not by its letters; that also carries over to software never seen before.
type terms uint64

const (
	tAudience terms = 1 << iota
	tIssuer
	tSub
	tExpiry
	tExpired
	tNotBefore
	tBefore
	tIssuedAt
	tAge
	tLifetime
	tJTI
	tReplay
	tKID
	tKey
	tSignature
	tAlgorithm
	tSigning
	tMethod
	tType
	tClaim
	tScope
	tRole
	tAccount
	tPossession
	tStepUp
	tContentType
	tForm
	tGrant
	tAssertionType
	tAssertion
	tClient
	tHeader
	tScheme
	tBearer
	tToken
	tTarget
	tRate
	tGateway
	tNetwork
	tKeyFile
	tRevoked
	tShape
	tBody
	tPrivate

	pMissing
	pSet
	pUnknown
	pFound
	pInvalid
	pNot
	pPast
	pFuture
	pTooMuch
	pFailed
	pKindOf
	pDenied
	pTwice
	pRequested
	pActive
	tConnect
	tTime
	pMust
	tIDToken
)

// predicates are the terms that say what is wrong with a subject.
const predicates = pMissing | pSet | pUnknown | pFound | pInvalid | pNot | pPast | pFuture | pTooMuch | pFailed | pKindOf | pDenied | pTwice | pActive | tExpired | tReplay

func (t terms) any(of terms) bool { return t&of != 0 }
func (t terms) all(of terms) bool { return t&of == of }

// Notes are side notions: they never make a complaint, they only tell look-alikes apart.
type notes uint64

const (
	nOr       notes = 1 << iota // an enumeration of what may be wrong names nothing
	nMatch                      // a comparison failed, as against nothing was found
	nMultiple                   // too many of something
	nUsed
	nUser
	nJWT
	nAuthorization
	nAccess
	nHave
	nMismatch
	nKeySet
	nWord     // "value": the claim's value is at fault, not its date
	nFind     // nothing was found, as against a comparison that failed
	nTyp      // the header parameter, not the type of anything
	nInactive // before its time, or after its end
	nWill     // "will be active at": not yet
	nRead     // "unmarshal": the JSON type of a value is at fault
	nJSON     // what parsers of JSON say where they stopped
	nNumber   // a number was due
	nPayload  // of a token, or the body of a request
	nNo       // "no key", as against "unknown key"
	nNotA     // "is not an access token"
	nHaveA    // "does not contain an aud": any, as against the expected one
	nSigned   // "is not signed", as against a signature that is wrong
	nHeader   // the word itself
	nCrypto   // a family of algorithms
	nLoad     // to get at something
	nMetadata // an issuer's configuration
	nOnly
	nLate         // "used too late"
	nSeconds      // the unit of a date
	nStopped      // "unexpected character", "expecting value"
	nWhoever      // "invalid credentials": who somebody is, whatever it was that told
	nPermission   // as against a role, a group, or a privilege by name
	nInsufficient // somebody has some, and not enough
	nAny          // "not valid for any token type"
)

func (n notes) any(of notes) bool { return n&of != 0 }

// A phrase is one clause of a text as the rules see it.
type phrase struct {
	terms terms
	first terms // the first subject that was named: "client_assertion must be set when using client_assertion_type" is about the former
	words int
	notes notes
	phase Phase
	last  neighbour
	parts int // commas
}

// A neighbour is a word that changes what the next one means.
type neighbour uint8

const (
	afterIssued neighbour = 1 + iota
	afterIntended
	afterNo
	afterKey
	afterToken
	afterNot
	afterHave
	afterTimed
	afterExecution
	afterConnection
	afterJSON
	afterOn
	afterArticle // of "does not contain an"
)

// joined is what a word means behind its neighbour, where that is another thing than it means alone.
func (p *phrase) joined(of []byte, t terms) terms {
	switch word := string(of); {
	case p.last == afterIssued && word == "by": // "issued by another provider" is no date
		p.drop(tIssuedAt)
		return tIssuer
	case (p.last == afterIssued || p.last == afterIntended) && word == "for":
		p.drop(tIssuedAt)
		return tAudience
	case p.last == afterNo && word == "longer":
		return tExpired
	case p.last == afterKey && word == "id":
		p.drop(tKey)
		return tKID
	case p.last == afterToken && word == "id":
		return tJTI
	case p.last == afterNot && (word == "a" || word == "an"):
		p.notes |= nNotA
	case p.last == afterArticle && t.any(subjects|tClaim):
		p.notes |= nHaveA
	case p.last == afterToken && word == "at": // "unexpected token at"
		p.notes |= nJSON
	case p.last == afterJSON && (word == "web" || word == "jws" || word == "jwt" || word == "jwk"): // JSON Web Token, JSON::JWS
		p.notes &^= nJSON
	case p.last == afterTimed && word == "out", p.last == afterExecution && word == "expired", p.last == afterConnection && word == "refused":
		return tNetwork
	}
	return t
}

func isArticle(word []byte) bool {
	switch string(word) {
	case "a", "an", "any":
		return true
	}
	return false
}

// drop takes back what the word before seemed to mean.
func (p *phrase) drop(t terms) {
	p.terms &^= t
	p.first &^= t
}

// subjects are the terms that a clause can be about.
const subjects = tAudience | tIssuer | tSub | tExpiry | tNotBefore | tIssuedAt | tJTI | tKID | tKey | tSignature | tAlgorithm |
	tScope | tGrant | tAssertionType | tAssertion | tClient | tHeader | tTarget | tContentType

func (p *phrase) add(l lexicon, word []byte) {
	m := l[string(word)]
	if cut := bytes.IndexByte(word, '_'); m == (meaning{}) && cut > 0 {
		p.add(l, word[:cut])
		p.add(l, word[cut+1:])
		return
	}
	t, n, after := m.terms, m.notes, m.next
	switch {
	case p.last == 0:
	case p.last == afterHave && isArticle(word):
		after = afterArticle
	case p.last == afterOn && string(word) == "or":
		n = 0 // "on or after" lists nothing
	default:
		t = p.joined(word, t)
	}
	p.last = after
	if p.first == 0 {
		p.first = t & subjects
	}
	p.terms |= t
	p.notes |= n
	p.words++
}
