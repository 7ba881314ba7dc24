package classify

import (
	"cmp"
	"slices"
	"strings"
)

// sortFindings makes the order of the checks immaterial.
func (x *examination) sortFindings() {
	slices.SortFunc(x.findings, func(a, b finding) int {
		if a.weight != b.weight {
			return int(b.weight - a.weight)
		}
		if d := x.trait(b.cause).rank - x.trait(a.cause).rank; d != 0 {
			return d
		}
		return cmp.Or(strings.Compare(string(a.cause), string(b.cause)), strings.Compare(a.path, b.path), strings.Compare(a.detail, b.detail))
	})
	if x.unsorted {
		slices.SortFunc(x.checks, func(a, b Check) int { return compareChecks(&a, &b) })
	}
}

func compareChecks(a, b *Check) int {
	if a.Check != b.Check {
		return displayOrder(a.Check) - displayOrder(b.Check)
	}
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Detail, b.Detail))
}

// displayOrder is the order in which a page shows the checks: the request first, then the token from the outside in.
func displayOrder(check string) int {
	switch check {
	case "authorization_header":
		return 0
	case "content_type":
		return 1
	case "grant_type":
		return 2
	case "assertion_type":
		return 3
	case "client_authentication":
		return 4
	case "parameters":
		return 5
	case "requested_scope":
		return 6
	case "requested_audience":
		return 7
	case "structure":
		return 8
	case "token_type":
		return 9
	case "algorithm":
		return 10
	case "key_id":
		return 11
	case "signature":
		return 12
	case "required_claims":
		return 13
	case "claim_types":
		return 14
	case "identity":
		return 15
	case "client":
		return 16
	case "issuer":
		return 17
	case "audience":
		return 18
	case "expiry":
		return 19
	case "not_before":
		return 20
	case "issued_at":
		return 21
	case "lifetime":
		return 22
	case "jti":
		return 23
	case "scope":
		return 24
	case "account":
		return 25
	case "proof_of_possession":
		return 26
	}
	return -1
}
