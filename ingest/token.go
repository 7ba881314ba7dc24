package ingest

import (
	"encoding/json"

	"authwatch/classify"
)

// token reads a decoded token, or a raw one, given in the field of that name.
func (m *fields) token(name string) *classify.JWT {
	switch v := m.members[name].(type) {
	case nil:
	case string:
		m.name = name
		m.secret(secretToken, v, 0) // a raw token is found there and placed like any other
		m.name = ""
	case map[string]any:
		return m.decodedToken(v)
	default:
		m.wrong(name, `an object with "header" and "claims"`)
	}
	return nil
}

// decodedToken reads {"header","claims"}; "payload" is what many decoders call claims. What is no object is a
// diagnosis, not a wrong record. A signature that the sender claims to have checked is not believed.
func (w *walk) decodedToken(members map[string]any) *classify.JWT {
	t := classify.JWT{}
	t.Malformed, _ = members["malformed"].(string)
	claims, ok := members["claims"]
	if !ok {
		claims = members["payload"]
	}
	var headerOK, claimsOK bool
	t.Header, headerOK = asObject(members["header"])
	t.Claims, claimsOK = asObject(claims)
	t.Malformed = malformedToken(t.Malformed, headerOK, claimsOK)
	return w.token(t)
}

// malformedToken says what is wrong with a decoded token, unless somebody has said so.
func malformedToken(said string, headerOK, claimsOK bool) string {
	switch {
	case said != "":
		return said
	case !headerOK:
		return "header is not a JSON object"
	case !claimsOK:
		return "payload is not a JSON object"
	}
	return ""
}

func asObject(v any) (classify.Object, bool) {
	if v == nil {
		return nil, true
	}
	members, ok := v.(map[string]any)
	return classify.ObjectOf(members), ok
}

// place puts the raw tokens that were found into the record's fields, where those were not given already: the best
// placed one of each kind. A token that the server issued was not presented by the client and goes nowhere.
func (w *walk) place(rec *classify.Record) {
	var assertion, access foundToken
	var assertionRank, accessRank int
	for _, t := range w.found {
		isAssertion, rank := t.placement(rec)
		switch {
		case isAssertion && rank > assertionRank:
			assertion, assertionRank = t, rank
		case !isAssertion && rank > accessRank:
			access, accessRank = t, rank
		}
	}
	if assertionRank > 0 && rec.ClientAssertion == nil {
		rec.ClientAssertion = w.presented(assertion, rec)
	}
	if accessRank > 0 && rec.AccessToken == nil {
		rec.AccessToken = w.presented(access, rec)
	}
}

// presented is a raw token as the record keeps it: checked while it is whole, then redacted.
func (w *walk) presented(t foundToken, rec *classify.Record) *classify.JWT {
	token := w.token(t.jwt)
	if w.verifier != nil && t.kind == kindJWT && !t.cut {
		token.Signature = w.verifier.check(rec, t.rawToken)
	}
	return token
}

// placement says which of the record's two tokens a raw token is; the best rank wins and 0 is neither.
func (t foundToken) placement(rec *classify.Record) (isAssertion bool, rank int) {
	if t.kind == kindMalformed && (t.cut || t.name == "") {
		return false, 0 // in running text it may have been the logger that broke it
	}
	if t.side == sideResponse && (rec.Response == nil || rec.Response.Status < 400) {
		return false, 0
	}
	base := 0
	if t.side != sideResponse {
		base = 10 // what the client sent, before what the server quotes
	}
	switch t.name {
	case "clientassertion":
		return true, base + 5
	case "accesstoken":
		return false, base + 5
	case "authorization":
		return false, base + 4
	case "assertion":
		return true, base + 3
	case "refreshtoken", "idtoken", "idtokenhint", "subjecttoken", "actortoken", "logouttoken", "request", "requestobject",
		"dpop", "proxyauthorization", "samlresponse", "samlrequest", "registrationtoken", "devicetoken", "clientsecret":
		return false, 0
	}
	return looksLikeAssertion(t.jwt), base + 1
}

// finish lays the last net over a record as it will be stored, and returns it so too. It fails closed: of a record that
// could not be redacted only its time and status stay.
func (w *walk) finish(rec *classify.Record) (*classify.Record, []byte) {
	if !w.failed {
		e := encoder{b: make([]byte, 0, 1536), ok: true, last: w.Redactor}
		if e.record(rec); e.ok && !e.hold {
			return rec, e.b
		}
		stored := encodeRecord(rec)
		last := &walk{Redactor: w.Redactor}
		text := string(stored)
		scanned := last.shapes(text)
		if !last.failed && scanned == text {
			return rec, stored
		}
		again := &classify.Record{}
		if !last.failed && json.Unmarshal([]byte(scanned), again) == nil {
			return again, encodeRecord(again)
		}
	}
	closed := &classify.Record{Time: rec.Time, Error: "redaction_failed"}
	if rec.Response != nil {
		closed.Response = &classify.Response{Status: rec.Response.Status}
	}
	return closed, encodeRecord(closed)
}

// encodeRecord writes a record as it is stored.
func encodeRecord(r *classify.Record) []byte {
	if out, ok := appendRecord(make([]byte, 0, 1536), r); ok {
		return out
	}
	return encode(r)
}
