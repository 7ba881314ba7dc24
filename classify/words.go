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
	case "before":
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
	case "scope", "scopes", "scp", "scp's":
		return tScope
	case "role", "roles", "permission", "permissions", "privilege", "privileges", "group", "groups", "entitlement", "entitlements", "authorities", "authority", "policy", "rbac":
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
		"unavailable", "timeout", "upstream", "timedout", "tls", "eproto", "gateway", "econnaborted", "enetunreach", "und_err_connect_timeout", "unresolvable", "outage", "maintenance", "eof", "deadline":
		return tNetwork
	case "connection", "connect", "fetch", "fetching", "fetched", "retrieve", "retrieving", "retrieved", "obtain", "http", "response", "download", "host", "reach", "contact", "hang":
		return tConnect
	case "pem", "pkcs1", "pkcs8", "pkcs#1", "pkcs#8", "pkcs#12", "pkcs12", "asn1", "asn.1", "der", "openssl", "decoder", "keydata", "spki", "passphrase", "privatekey",
		"secretorprivatekey", "err_ossl_unsupported", "secretorpublickey", "private_key", "begin", "bad_base64_decode", "rsaprivatekey", "ecprivatekey":
		return tKeyFile
	case "private":
		return tPrivate
	case "revoked", "inactive", "revocation", "blacklisted", "denylisted", "blocklisted", "logged", "invalidated", "terminated", "session", "disabled":
		return tRevoked
	case "segments", "segment", "compact", "base64", "base64url", "decode", "decoded", "decoding", "malformed", "parse", "parsed", "parsing", "unparsable",
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
	case "number", "string", "integer", "numeric", "format", "characters", "character", "int", "seconds", "array", "syntax_error", "separated", "delimited", "numericdate", "timestamp_format":
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
type notes uint32

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
	dated bool // the word before was "issued"
}

// subjects are the terms that a clause can be about.
const subjects = tAudience | tIssuer | tSub | tExpiry | tNotBefore | tIssuedAt | tJTI | tKID | tKey | tSignature | tAlgorithm |
	tScope | tGrant | tAssertionType | tAssertion | tClient | tHeader | tTarget | tContentType

func (p *phrase) add(word string) {
	t := termOf(word)
	if t == 0 && strings.IndexByte(word, '_') > 0 {
		for more := true; more; {
			var part string
			part, word, more = strings.Cut(word, "_")
			p.add(part)
		}
		return
	}
	if p.dated && word == "by" { // "issued by another provider" is no date
		p.terms = p.terms&^tIssuedAt | tIssuer
		p.first = tIssuer
	}
	p.dated = word == "issued"
	if p.first == 0 {
		p.first = t & subjects
	}
	p.terms |= t
	p.notes |= noteOf(word)
	p.words++
}
