package classify

import "strings"

// A meaning is what a word is to the rules: its notion, a side notion, and what it does to the word behind it.
type meaning struct {
	terms terms
	notes notes
	next  neighbour
}

// A lexicon knows words in lower case, without inflection rules, because verifiers' vocabulary is small. It is made once.
type lexicon map[string]meaning

func newLexicon() lexicon {
	l := lexicon{}
	for _, rows := range [...][]lexiconRow{subjectWords(), predicateWords(), sideWords(), neighbourWords()} {
		for _, r := range rows {
			for word := range strings.FieldsSeq(r.words) {
				m := l[word]
				m.terms |= r.terms
				m.notes |= r.notes
				m.next = max(m.next, r.next) // no word has two
				l[word] = m
			}
		}
	}
	return l
}

// A lexiconRow gives words, with spaces between them, the same meaning.
type lexiconRow struct {
	terms terms
	notes notes
	next  neighbour
	words string
}

// subjectWords are what a complaint can be about.
func subjectWords() []lexiconRow {
	return []lexiconRow{
		{terms: tAudience, words: "aud audience audiences"},
		{terms: tIssuer, words: "iss issuer issuers"},
		{terms: tSub, words: "sub subject"},
		{terms: tExpiry, words: "exp expiry expiration expires expire"},
		{terms: tExpired, words: "expired expiring stale"},
		{terms: tNotBefore, words: "nbf notbefore immature immaturesignature"},
		{terms: tBefore, words: "before prior"},
		{terms: tIssuedAt, words: "iat issued issuance issuedat"},
		{terms: tAge, words: "maxage max_age old older age"},
		{terms: tLifetime, words: "lifetime lived ttl"},
		{terms: tJTI, words: "jti jwtid"},
		{terms: tReplay, words: "reuse reused replay replayed replays"},
		{terms: tKID, words: "kid keyid x5t"},
		{terms: tKey, words: "key keys jwk jwks certificate certificates thumbprint jsonwebkey keyset"},
		{terms: tSignature, words: "signature signatures signed sig integrity hmac jws_signature"},
		{terms: tAlgorithm, words: "alg algorithm algorithms enc unsecured unsigned"},
		{terms: tSigning, words: "signing sign"},
		{terms: tMethod, words: "method methods mechanism mechanisms private_key_jwt client_secret_jwt client_secret_post client_secret_basic " +
			"token_endpoint_auth_method auth_method"},
		{terms: tType, words: "typ type token_use tokenuse"},
		{terms: tIDToken, words: "id_token idtoken"},
		{terms: tClaim, words: "claim claims"},
		{terms: tScope, words: "scope scopes scp scp's metascopes higher"},
		{terms: tRole, words: "permission permissions role roles privilege privileges group groups entitlement entitlements authorities authority policy rbac"},
		{terms: tAccount, words: "account accounts tenant tenants organization organisation company merchant subaccount workspace"},
		{terms: tPossession, words: "dpop cnf mtls dpop-bound proof htm htu ath certificate-bound sender-constrained possession jkt"},
		{terms: tStepUp, words: "acr mfa step-up multi-factor multifactor reauthenticate reauthentication acr_values 2fa"},
		{terms: tContentType, words: "content-type contenttype mime media"},
		{terms: tContentType | tForm, words: "urlencoded x-www-form-urlencoded application/x-www-form-urlencoded form-urlencoded"},
		{terms: tBody, words: "content"},
		{terms: tGrant, words: "grant_type granttype grant"},
		{terms: tAssertionType, words: "client_assertion_type assertion_type"},
		{terms: tAssertion, words: "client_assertion assertion assertions"},
		{terms: tClient, words: "client client_id clientid application app consumer clients integration"},
		{terms: tHeader, words: "authorization authorisation header credentials credential"},
		{terms: tScheme, words: "scheme schema"},
		{terms: tBearer, words: "bearer"},
		{terms: tToken, words: "token tokens jwt jws jwts access_token authentication authenticated id-token"},
		{terms: tTarget, words: "resource target invalid_target"},
		{terms: tRate, words: "throttled throttle throttling quota ratelimit rate-limit rate_limit limit_exceeded requests rate limit"},
		{terms: tGateway, words: "nginx cloudflare akamai akamaighost cloudfront openresty varnish haproxy incapsula imperva modsecurity mod_security waf firewall " +
			"big-ip awselb blocked ip fastly sucuri fortiweb barracuda administrative squid proxy"},
		{terms: tNetwork, words: "econnrefused enotfound etimedout econnreset eai_again ehostunreach getaddrinfo dial dns unreachable unavailable timeout " +
			"readtimeout opentimeout upstream timedout tls eproto gateway econnaborted enetunreach und_err_connect_timeout unresolvable outage " +
			"maintenance eof deadline"},
		{terms: tConnect, words: "connection connect fetch fetching fetched retrieve retrieving retrieved obtain http response download host reach contact hang " +
			"retrieval accessing query"},
		{terms: tKeyFile, words: "pem pem-formatted pkcs1 pkcs8 pkcs#1 pkcs#8 pkcs#12 pkcs12 asn1 asn.1 der openssl decoder keydata spki passphrase privatekey " +
			"secretorprivatekey err_ossl_unsupported secretorpublickey private_key begin bad_base64_decode rsaprivatekey ecprivatekey"},
		{terms: tPrivate, words: "private"},
		{terms: tRevoked, words: "revoked inactive revocation blacklisted denylisted blocklisted logged invalidated terminated session disabled"},
		{terms: tShape, words: "segments segment compact base64 base64url decode decoded decoding malformed parse parsed parsing unparsable unterminated illegal " +
			"protected dots deserialize unmarshal syntax structure corrupt corrupted components well-formed serialization padding parts part " +
			"sections delimiter delimiters undecodable unreadable"},
		{terms: tBody, words: "body parameter parameters params param payload field form"},
	}
}

// predicateWords say what is wrong with it.
func predicateWords() []lexiconRow {
	return []lexiconRow{
		{terms: pMissing, words: "missing required absent empty lacks lacking without omitted blank requires expected_claim_missing mandatory null undefined nil " +
			"specified supplied"},
		{terms: pSet, words: "provided set defined provide present"},
		{terms: pUnknown, words: "unknown unregistered nonexistent unrecognised unrecognized no any"},
		{terms: pFound, words: "found find exist exists matching applicable registered resolve locate match matches matched correspond"},
		{terms: pInvalid, words: "invalid unexpected incorrect bad wrong mismatch mismatched unacceptable disallowed unsupported inconsistent differs different " +
			"untrusted disagree ill-formed improper conflict"},
		{terms: pNot, words: "not isn't doesn't cannot unable didn't can't couldn't wasn't never neither nor aren't hasn't non failed_to"},
		{terms: pPast, words: "past elapsed ago late too_old"},
		{terms: pFuture, words: "future yet early premature ahead prematurely"},
		{terms: pTooMuch, words: "long exceeds exceed exceeded maximum max longer far greater beyond maximal many"},
		{terms: pFailed, words: "failed failure verify verification verified validate validation rejected error check fails"},
		{terms: pKindOf, words: "number string integer numeric format characters character int seconds array boolean u64 i64 syntax_error separated delimited " +
			"numericdate timestamp_format"},
		{terms: pDenied, words: "insufficient denied forbidden permitted unauthorized unauthorised allowed accessdenied prohibited authorized grants entitled " +
			"insufficient_scope"},
		{terms: pTwice, words: "twice once already duplicate duplicated repeated unique previously"},
		{terms: pRequested, words: "requested whitelisted request requesting granted asked"},
		{terms: pActive, words: "active"},
		{terms: pMust, words: "must should shall needs need"},
		{terms: tTime, words: "time timestamp clock date skew"},
	}
}

// sideWords tell look-alikes apart.
func sideWords() []lexiconRow {
	return []lexiconRow{
		{notes: nOr, words: "or"},
		{notes: nMatch, words: "match matches matched correspond equal"},
		{notes: nMultiple, words: "multiple several two more"},
		{notes: nUsed, words: "used"},
		{notes: nUser, words: "user users username principal user's"},
		{notes: nJWT, words: "jwt"},
		{notes: nAuthorization, words: "authorization authentication"},
		{notes: nAccess, words: "access"},
		{notes: nHave, words: "have has contain contains include includes included bear contained"},
		{notes: nMismatch, words: "mismatch mismatched"},
		{notes: nKeySet | nJWT, words: "jwks jwk jwkset jwks_uri"},
		{notes: nKeySet, words: "set keyset"},
		{notes: nFind, words: "find found locate resolve"},
		{notes: nInactive, words: "inactive"},
		{notes: nTyp, words: "typ token_use tokenuse"},
		{notes: nWill, words: "will"},
		{notes: nRead, words: "unmarshal deserialize"},
		{notes: nWord, words: "value type"},
		{notes: nJSON, words: "json looking column utf-8 utf8 unterminated"},
		{notes: nNumber, words: "number numeric integer int int64 u64 i64 u32 numericdate numerical"},
		{notes: nJSON, words: "literal"},
		{notes: nPayload, words: "payload"},
		{notes: nNo, words: "no"},
		{notes: nSigned, words: "signed"},
		{notes: nHeader, words: "header headers"},
		{notes: nCrypto, words: "hs rs rsa ecdsa ec hmac jws cryptographic crypto eddsa"},
		{notes: nLoad, words: "load loading loaded read reading"},
		{notes: nMetadata, words: "metadata configuration discovery openid-configuration document well-known"},
		{notes: nOnly, words: "only"},
		{notes: nPermission, words: "permission permissions"},
		{notes: nInsufficient, words: "insufficient"},
		{notes: nAny, words: "any"},
		{notes: nWhoever, words: "credentials credential"},
		{notes: nLate, words: "late"},
		{notes: nSeconds, words: "seconds milliseconds epoch"},
		{notes: nStopped, words: "character expecting expected"},
	}
}

// neighbourWords change what the next word means.
func neighbourWords() []lexiconRow {
	return []lexiconRow{
		{next: afterIssued, words: "issued"},
		{next: afterIntended, words: "intended"},
		{next: afterNo, words: "no"},
		{next: afterKey, words: "key"},
		{next: afterToken, words: "jwt token"},
		{next: afterNot, words: "not"},
		{next: afterHave, words: "have contain contains has include includes bear"},
		{next: afterTimed, words: "timed"},
		{next: afterExecution, words: "execution"},
		{next: afterConnection, words: "connection"},
		{next: afterJSON, words: "json"},
		{next: afterOn, words: "on"},
	}
}
