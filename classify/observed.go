package classify

import "strings"

// observedCause corrects the plain reading of a comparison by the value that the server printed: an empty one means that the claim
// was missing, an impossible date that it was not in seconds.
func observedCause(text string, plain Code) Code {
	switch plain {
	case WrongAudience, WrongIssuer, ClientIdentityMismatch:
		if observedNothing(text) {
			return MissingClaim
		}
	case TokenExpired, AssertionExpired:
		if strings.Contains(text, "0001-01-01") { // the zero time of Go and .NET
			return MissingClaim
		}
	case NotYetValid, ClockSkew, LifetimeTooLong:
		if farYear(text) {
			return TimestampUnits
		}
	}
	return plain
}

// observedNothing finds the value that was met printed as none: "got ”", "received: []", "issuer undefined does not match …". A server
// prints what it expects as well, which is some value, or none in a text about its own configuration.
func observedNothing(text string) bool {
	lower := strings.ToLower(text)
	for _, verb := range [...]string{"got", "received", "found", "actual", "was"} {
		rest := lower
		for {
			i := strings.Index(rest, verb)
			if i < 0 {
				break
			}
			letterBefore := i > 0 && rest[i-1] >= 'a' && rest[i-1] <= 'z'
			rest = rest[i+len(verb):]
			if !letterBefore && startsEmpty(strings.TrimLeft(rest, ": =")) {
				return true
			}
		}
	}
	return comparesNothing(lower)
}

// comparesNothing finds a comparison whose left side is no value: "audience claim undefined does not match expected audience: api".
func comparesNothing(lower string) bool {
	for _, comparison := range [...]string{" does not match", " doesn't match", " did not match", " is not ", " != ", " does not equal", " mismatch"} {
		left, _, found := strings.Cut(lower, comparison)
		if i := strings.LastIndexByte(left, ' '); found && i >= 0 && startsEmpty(left[i+1:]) && !strings.Contains(left, "expected") {
			return true
		}
	}
	return false
}

func startsEmpty(text string) bool {
	for _, nothing := range [...]string{"''", `""`, "[]", "null", "nil", "<nil>", "<none>", "(null)", "undefined", "none"} {
		if rest, ok := strings.CutPrefix(text, nothing); ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}

// farYear finds a date beyond the year 9999, as in 58861-10-05: milliseconds that were read as seconds.
func farYear(text string) bool {
	digits := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && digits >= 5 && digits <= 6 && i+3 < len(text) && text[i+3] == '-':
			return true
		default:
			digits = 0
		}
	}
	return false
}
