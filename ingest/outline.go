package ingest

import "bytes"

// A leaf is where a member's value stands in the text of a record.
type leaf struct {
	from, to uint32
	kind     leafKind
}

type leafKind uint8

const (
	leafAbsent leafKind = iota
	leafNull
	leafBool
	leafNumber
	leafString // of plain ASCII without escapes: its bytes are its text
	leafText   // a string that the parser has to decode
	leafObject
	leafArray
)

// of returns the text of the value in the record that was scanned.
func (l leaf) of(data []byte) []byte { return data[l.from:l.to] }

// inner returns what a plain string holds.
func (l leaf) inner(data []byte) []byte { return data[l.from+1 : l.to-1] }

func (l leaf) isScalar() bool { return l.kind < leafObject }

// given is true for a value that counts as one: neither absent nor null.
func (l leaf) given() bool { return l.kind > leafNull }

// An outline is what one pass over the text of a record notes of it: where the members of a native record stand that
// say whether it is a success, and for whom.
type outline struct {
	time, id, provider, environment, service, clientID        leaf
	requestID, traceID, clientIP, userAgent, errorText        leaf
	clientAssertion, accessToken, request, response           leaf
	method, url, uri, requestHeaders, requestBody             leaf
	authorization, host, contentType                          leaf
	status, responseHeaders, responseBody, authenticate, date leaf
	assertionParts, accessParts                               tokenOutline
	odd                                                       bool // a name that had to be decoded, or a known one twice: for the parser to read
}

// A tokenOutline is where the members of a decoded token stand.
type tokenOutline struct{ header, claims, payload, malformed leaf }

func (t *tokenOutline) member(name []byte) *leaf {
	switch string(name) {
	case "header":
		return &t.header
	case "claims":
		return &t.claims
	case "payload":
		return &t.payload
	case "malformed":
		return &t.malformed
	}
	return nil
}

// name says where the value of a member goes and what the names in it mean.
func (s *scanner) name(in scanLevel, name []byte, plain bool) (scanLevel, *leaf) {
	if !plain {
		s.out.odd = true
		return levelOther, nil
	}
	switch in {
	case levelRecord:
		return s.out.recordMember(name)
	case levelRequest:
		return s.out.requestMember(name)
	case levelAssertion:
		return levelOther, s.out.assertionParts.member(name)
	case levelAccess:
		return levelOther, s.out.accessParts.member(name)
	case levelResponse:
		switch string(name) {
		case "status":
			return levelOther, &s.out.status
		case "headers":
			return levelResponseHeaders, &s.out.responseHeaders
		case "body":
			return levelOther, &s.out.responseBody
		}
	case levelRequestHeaders:
		switch {
		case len(name) == len("authorization") && isFoldedName(name, "authorization"):
			return levelOther, &s.out.authorization
		case len(name) == len("host") && isFoldedName(name, "host"):
			return levelOther, &s.out.host
		case len(name) == len("content-type") && isFoldedName(name, "content-type"):
			return levelOther, &s.out.contentType
		}
	case levelResponseHeaders:
		switch {
		case len(name) == len("www-authenticate") && isFoldedName(name, "www-authenticate"):
			return levelOther, &s.out.authenticate
		case len(name) == len("date") && isFoldedName(name, "date"):
			return levelOther, &s.out.date
		}
	}
	return levelOther, nil
}

func isFoldedName(name []byte, folded string) bool {
	return bytes.EqualFold(name, []byte(folded))
}

func (o *outline) recordMember(name []byte) (scanLevel, *leaf) {
	switch string(name) {
	case "time":
		return levelOther, &o.time
	case "id":
		return levelOther, &o.id
	case "provider":
		return levelOther, &o.provider
	case "environment":
		return levelOther, &o.environment
	case "service":
		return levelOther, &o.service
	case "client_id":
		return levelOther, &o.clientID
	case "request_id":
		return levelOther, &o.requestID
	case "trace_id":
		return levelOther, &o.traceID
	case "client_ip":
		return levelOther, &o.clientIP
	case "user_agent":
		return levelOther, &o.userAgent
	case "error":
		return levelOther, &o.errorText
	case "client_assertion":
		return levelAssertion, &o.clientAssertion
	case "access_token":
		return levelAccess, &o.accessToken
	case "request":
		return levelRequest, &o.request
	case "response":
		return levelResponse, &o.response
	}
	return levelOther, nil
}

func (o *outline) requestMember(name []byte) (scanLevel, *leaf) {
	switch string(name) {
	case "method":
		return levelOther, &o.method
	case "url":
		return levelOther, &o.url
	case "uri":
		return levelOther, &o.uri
	case "headers":
		return levelRequestHeaders, &o.requestHeaders
	case "body":
		return levelOther, &o.requestBody
	}
	return levelOther, nil
}
