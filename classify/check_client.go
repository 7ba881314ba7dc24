package classify

import (
	"slices"
	"strings"
)

func clientNamed(p *Profile, id string) *Client {
	for i := range p.Clients {
		if p.Clients[i].ID == id {
			return &p.Clients[i]
		}
	}
	return nil
}

// checkIdentity compares iss, sub and client_id of a client's own assertion, RFC 7523 section 3.
func checkIdentity(x *examination) {
	const check = demandIdentity
	if !x.assertion || !x.readable(check) {
		return
	}
	if x.form.known && !x.form.has("client_assertion") && x.form.has("assertion") {
		x.skip(check, x.claimPath("sub"), "an authorization grant's sub is its user")
		return
	}
	if r := x.Profile.Assertion; r != nil && r.DistinctSubject {
		x.skip(check, x.claimPath("sub"), "at this provider iss and sub name two parties")
		return
	}
	iss, sub, id := textOf(x.claims.iss), textOf(x.claims.sub), x.form.text("client_id")
	f := finding{cause: ClientIdentityMismatch, weight: demonstrated}
	switch {
	case iss == "" || sub == "":
		x.skip(check, x.claimsPath(), "iss or sub is missing")
	case id != "" && sub != id:
		f.path, f.observed, f.expected = x.claimPath("sub"), clip(sub), clip(id)
		f.detail = "sub is " + clip(sub) + ", client_id of the request is " + clip(id)
		f.repairs = []Edit{{Op: "replace", Path: "request.body.client_id", Value: clip(sub)}, {Op: "replace", Path: x.claimPath("sub"), Value: clip(id)}}
		x.report(check, f)
	case iss != sub:
		f.path, f.observed, f.expected = x.claimPath("iss"), clip(iss), clip(sub)
		if x.words.subject&aboutSub != 0 {
			f.path, f.observed, f.expected = x.claimPath("sub"), clip(sub), clip(iss)
		}
		f.detail = "iss is " + clip(iss) + ", sub is " + clip(sub) + "; both must be the client id"
		f.repairs = []Edit{{Op: "replace", Path: x.claimPath("iss"), Value: clip(sub)}, {Op: "replace", Path: x.claimPath("sub"), Value: clip(iss)}}
		if f.path == x.claimPath("sub") {
			slices.Reverse(f.repairs)
		}
		x.report(check, f)
	default:
		x.pass(check, x.claimPath("sub"), "iss, sub and client_id agree")
	}
}

// checkClient asks whether the client is registered, and here.
func checkClient(x *examination) {
	const check = demandClient
	id := x.ClientID
	if x.Phase != TokenRequest || id == "" {
		return
	}
	path := "client_id"
	if x.token != nil && x.unreadable == "" && textOf(x.claims.iss) != "" {
		id, path = textOf(x.claims.iss), x.claimPath("iss")
	}
	client := clientNamed(x.Profile, id)
	f := finding{cause: UnknownClient, weight: demonstrated, path: path}
	switch {
	case client == nil && len(x.Profile.Clients) > 0 && x.seenAccepted(FactClient, id):
		x.pass(check, path, "this client was accepted here before")
		return
	case client == nil && len(x.Profile.Clients) > 0:
		f.detail = x.unregistered(id)
	case client != nil && len(client.Environments) > 0 && x.Environment != "" && environmentNamed(x.Profile, x.Environment) != nil && !contains(client.Environments, x.Environment):
		f.cause, f.expected = WrongEnvironment, client.Environments
		f.detail = "the client " + clip(id) + " is registered in " + strings.Join(client.Environments, ", ") + ", not in " + x.Environment
	case client != nil:
		x.pass(check, path, "the client is registered")
		return
	case x.seenAccepted(FactClient, id):
		x.pass(check, path, "this client was accepted here before")
		return
	case x.seenAccepted(FactClient, anyName) && !x.seenAccepted(FactClient, id) && x.borrowedKey():
		f.weight, f.witness, f.detail = likely, WitnessHistory, "the client "+clip(id)+" was never accepted here; its key was, for another client"
	case x.seenElsewhere(FactClient, id) && x.Environment != "":
		f.cause, f.weight, f.witness = WrongEnvironment, possible, WitnessHistory
		f.detail = "the client " + clip(id) + " was accepted in another environment and never in " + x.Environment
		if x.words.subject&aboutClient != 0 {
			f.weight = likely
		}
	default:
		x.skip(check, path, "which clients are registered is not known")
		return
	}
	f.observed = clip(id)
	x.report(check, f)
}

// unregistered says so, with the registered client that was probably meant.
func (x *examination) unregistered(id string) string {
	detail := "the client " + clip(id) + " is not registered"
	for i := range x.Profile.Clients {
		if near := nearMiss(id, x.Profile.Clients[i].ID); near != "" {
			detail += "; " + x.Profile.Clients[i].ID + " is: " + near
		}
	}
	return detail
}
