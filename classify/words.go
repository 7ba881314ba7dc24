package classify

import "strings"

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

// termOf is the lexicon: lower-case words without inflection rules, because verifiers' vocabulary is small.
func termOf(word string) terms {
	switch word {
	case "aud", "audience", "audiences":
		return tAudience
	case "iss", "issuer", "issuers":
		return tIssuer
	case "sub", "subject":
		return tSub
	case "exp", "expiry", "expiration", "expires", "expire":
		return tExpiry
	case "expired", "expiring", "stale":
		return tExpired
	case "nbf", "notbefore", "immature", "immaturesignature":
		return tNotBefore
	case "before", "prior":
		return tBefore
	case "iat", "issued", "issuance", "issuedat":
		return tIssuedAt
	case "maxage", "max_age", "old", "older", "age":
		return tAge
	case "lifetime", "lived", "ttl":
		return tLifetime
	case "jti", "jwtid":
		return tJTI
	case "reuse", "reused", "replay", "replayed", "replays":
		return tReplay
	case "kid", "keyid", "x5t":
		return tKID
	case "key", "keys", "jwk", "jwks", "certificate", "certificates", "thumbprint", "jsonwebkey", "keyset":
		return tKey
	case "signature", "signatures", "signed", "sig", "integrity", "hmac", "jws_signature":
		return tSignature
	case "alg", "algorithm", "algorithms", "enc", "unsecured", "unsigned":
		return tAlgorithm
	case "signing", "sign":
		return tSigning
	case "method", "methods", "mechanism", "mechanisms", "private_key_jwt", "client_secret_jwt", "client_secret_post", "client_secret_basic", "token_endpoint_auth_method", "auth_method":
		return tMethod
	case "typ", "type", "token_use", "tokenuse":
		return tType
	case "id_token", "idtoken":
		return tIDToken
	case "claim", "claims":
		return tClaim
	case "scope", "scopes", "scp", "scp's", "metascopes", "higher": // "higher privileges than provided by the access token", RFC 6750
		return tScope
	case "permission", "permissions", "role", "roles", "privilege", "privileges", "group", "groups", "entitlement", "entitlements", "authorities", "authority", "policy", "rbac":
		return tRole
	case "account", "accounts", "tenant", "tenants", "organization", "organisation", "company", "merchant", "subaccount", "workspace":
		return tAccount
	case "dpop", "cnf", "mtls", "dpop-bound", "proof", "htm", "htu", "ath", "certificate-bound", "sender-constrained", "possession", "jkt":
		return tPossession
	case "acr", "mfa", "step-up", "multi-factor", "multifactor", "reauthenticate", "reauthentication", "acr_values", "2fa":
		return tStepUp
	case "content-type", "contenttype", "mime", "media":
		return tContentType
	case "urlencoded", "x-www-form-urlencoded", "application/x-www-form-urlencoded", "form-urlencoded":
		return tContentType | tForm
	case "content":
		return tBody
	case "grant_type", "granttype", "grant":
		return tGrant
	case "client_assertion_type", "assertion_type":
		return tAssertionType
	case "client_assertion", "assertion", "assertions":
		return tAssertion
	case "client", "client_id", "clientid", "application", "app", "consumer", "clients", "integration":
		return tClient
	case "authorization", "authorisation", "header", "credentials", "credential":
		return tHeader
	case "scheme", "schema":
		return tScheme
	case "bearer":
		return tBearer
	case "token", "tokens", "jwt", "jws", "jwts", "access_token", "authentication", "authenticated", "id-token":
		return tToken
	case "resource", "target", "invalid_target":
		return tTarget
	case "throttled", "throttle", "throttling", "quota", "ratelimit", "rate-limit", "rate_limit", "limit_exceeded", "requests", "rate", "limit":
		return tRate
	case "nginx", "cloudflare", "akamai", "akamaighost", "cloudfront", "openresty", "varnish", "haproxy", "incapsula", "imperva",
		"modsecurity", "mod_security", "waf", "firewall", "big-ip", "awselb", "blocked", "ip", "fastly", "sucuri", "fortiweb", "barracuda", "administrative", "squid", "proxy":
		return tGateway
	case "econnrefused", "enotfound", "etimedout", "econnreset", "eai_again", "ehostunreach", "getaddrinfo", "dial", "dns", "unreachable",
		"unavailable", "timeout", "readtimeout", "opentimeout", "upstream", "timedout", "tls", "eproto", "gateway", "econnaborted", "enetunreach", "und_err_connect_timeout", "unresolvable", "outage", "maintenance", "eof", "deadline":
		return tNetwork
	case "connection", "connect", "fetch", "fetching", "fetched", "retrieve", "retrieving", "retrieved", "obtain", "http", "response", "download", "host", "reach", "contact", "hang", "retrieval", "accessing", "query":
		return tConnect
	case "pem", "pem-formatted", "pkcs1", "pkcs8", "pkcs#1", "pkcs#8", "pkcs#12", "pkcs12", "asn1", "asn.1", "der", "openssl", "decoder", "keydata", "spki", "passphrase", "privatekey",
		"secretorprivatekey", "err_ossl_unsupported", "secretorpublickey", "private_key", "begin", "bad_base64_decode", "rsaprivatekey", "ecprivatekey":
		return tKeyFile
	case "private":
		return tPrivate
	case "revoked", "inactive", "revocation", "blacklisted", "denylisted", "blocklisted", "logged", "invalidated", "terminated", "session", "disabled":
		return tRevoked
	case "segments", "segment", "compact", "base64", "base64url", "decode", "decoded", "decoding", "malformed", "parse", "parsed", "parsing", "unparsable", "unterminated",
		"illegal", "protected", "dots", "deserialize", "unmarshal", "syntax", "structure", "corrupt", "corrupted", "components", "well-formed", "serialization", "padding", "parts", "part", "sections", "delimiter", "delimiters", "undecodable", "unreadable":
		return tShape
	case "body", "parameter", "parameters", "params", "param", "payload", "field", "form":
		return tBody
	}
	return predicateOf(word)
}

func predicateOf(word string) terms {
	switch word {
	case "missing", "required", "absent", "empty", "lacks", "lacking", "without", "omitted", "blank", "requires", "expected_claim_missing", "mandatory", "null", "undefined", "nil", "specified", "supplied":
		return pMissing
	case "provided", "set", "defined", "provide", "present":
		return pSet
	case "unknown", "unregistered", "nonexistent", "unrecognised", "unrecognized", "no", "any":
		return pUnknown
	case "found", "find", "exist", "exists", "matching", "applicable", "registered", "resolve", "locate", "match", "matches", "matched", "correspond":
		return pFound
	case "invalid", "unexpected", "incorrect", "bad", "wrong", "mismatch", "mismatched", "unacceptable", "disallowed", "unsupported", "inconsistent", "differs", "different", "untrusted", "disagree", "ill-formed", "improper", "conflict":
		return pInvalid
	case "not", "isn't", "doesn't", "cannot", "unable", "didn't", "can't", "couldn't", "wasn't", "never", "neither", "nor", "aren't", "hasn't", "non", "failed_to":
		return pNot
	case "past", "elapsed", "ago", "late", "too_old":
		return pPast
	case "future", "yet", "early", "premature", "ahead", "prematurely":
		return pFuture
	case "long", "exceeds", "exceed", "exceeded", "maximum", "max", "longer", "far", "greater", "beyond", "maximal", "many":
		return pTooMuch
	case "failed", "failure", "verify", "verification", "verified", "validate", "validation", "rejected", "error", "check", "fails":
		return pFailed
	case "number", "string", "integer", "numeric", "format", "characters", "character", "int", "seconds", "array", "boolean", "u64", "i64", "syntax_error", "separated", "delimited", "numericdate", "timestamp_format":
		return pKindOf
	case "insufficient", "denied", "forbidden", "permitted", "unauthorized", "unauthorised", "allowed", "accessdenied", "prohibited", "authorized", "grants", "entitled", "insufficient_scope":
		return pDenied
	case "twice", "once", "already", "duplicate", "duplicated", "repeated", "unique", "previously":
		return pTwice
	case "requested", "whitelisted", "request", "requesting", "granted", "asked":
		return pRequested
	case "active":
		return pActive
	case "must", "should", "shall", "needs", "need":
		return pMust
	case "time", "timestamp", "clock", "date", "skew":
		return tTime
	}
	return 0
}

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

func noteOf(word string) notes {
	switch word {
	case "or":
		return nOr
	case "match", "matches", "matched", "correspond", "equal":
		return nMatch
	case "multiple", "several", "two", "more":
		return nMultiple
	case "used":
		return nUsed
	case "user", "users", "username", "principal", "user's":
		return nUser
	case "jwt":
		return nJWT
	case "authorization", "authentication":
		return nAuthorization
	case "access":
		return nAccess
	case "have", "has", "contain", "contains", "include", "includes", "included", "bear", "contained":
		return nHave
	case "mismatch", "mismatched":
		return nMismatch
	case "jwks", "jwk", "jwkset", "jwks_uri":
		return nKeySet | nJWT
	case "set", "keyset":
		return nKeySet
	case "find", "found", "locate", "resolve":
		return nFind
	case "inactive":
		return nInactive
	case "typ", "token_use", "tokenuse":
		return nTyp
	case "will":
		return nWill
	case "unmarshal", "deserialize":
		return nRead
	case "value", "type":
		return nWord
	case "json", "looking", "column", "utf-8", "utf8", "unterminated":
		return nJSON
	case "number", "numeric", "integer", "int", "int64", "u64", "i64", "u32", "numericdate", "numerical":
		return nNumber
	case "literal":
		return nJSON
	case "payload":
		return nPayload
	case "no":
		return nNo
	case "signed":
		return nSigned
	case "header", "headers":
		return nHeader
	case "hs", "rs", "rsa", "ecdsa", "ec", "hmac", "jws", "cryptographic", "crypto", "eddsa":
		return nCrypto
	case "load", "loading", "loaded", "read", "reading":
		return nLoad
	case "metadata", "configuration", "discovery", "openid-configuration", "document", "well-known":
		return nMetadata
	case "only":
		return nOnly
	case "permission", "permissions":
		return nPermission
	case "insufficient":
		return nInsufficient
	case "any":
		return nAny
	case "credentials", "credential":
		return nWhoever
	case "late":
		return nLate
	case "seconds", "milliseconds", "epoch":
		return nSeconds
	case "character", "expecting", "expected":
		return nStopped
	}
	return 0
}

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

func neighbourOf(word string) neighbour {
	switch word {
	case "issued":
		return afterIssued
	case "intended":
		return afterIntended
	case "no":
		return afterNo
	case "key":
		return afterKey
	case "jwt", "token":
		return afterToken
	case "not":
		return afterNot
	case "have", "contain", "contains", "has", "include", "includes", "bear":
		return afterHave
	case "timed":
		return afterTimed
	case "execution":
		return afterExecution
	case "connection":
		return afterConnection
	case "json":
		return afterJSON
	case "on":
		return afterOn
	}
	return 0
}

// joined is what a word means behind its neighbour, where that is another thing than it means alone.
func (p *phrase) joined(word string, t terms) terms {
	switch {
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

// drop takes back what the word before seemed to mean.
func (p *phrase) drop(t terms) {
	p.terms &^= t
	p.first &^= t
}

// subjects are the terms that a clause can be about.
const subjects = tAudience | tIssuer | tSub | tExpiry | tNotBefore | tIssuedAt | tJTI | tKID | tKey | tSignature | tAlgorithm |
	tScope | tGrant | tAssertionType | tAssertion | tClient | tHeader | tTarget | tContentType

func (p *phrase) add(word string) {
	t, n := termOf(word), noteOf(word)
	if cut := strings.IndexByte(word, '_'); t == 0 && n == 0 && cut > 0 {
		p.add(word[:cut])
		p.add(word[cut+1:])
		return
	}
	after := neighbourOf(word)
	switch {
	case p.last == 0:
	case p.last == afterHave && (word == "a" || word == "an" || word == "any"):
		after = afterArticle
	case p.last == afterOn && word == "or":
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
