package classify

import (
	"strings"
	"testing"
)

// A server may call its keys what it likes: what it did not find is a key when it names it by the token's own kid.
func TestWords_NameTheKID(t *testing.T) {
	sound := strings.Replace(tokenCall(`{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795183690,"scope":"a"}`, "%"), `"kid":"as-1"`, `"kid":"orders-2019-03"`, 1)
	for words, want := range map[string]Code{
		`no JWT authority orders-2019-03 found for trust domain`: UnknownKey,
		`Unable to find a signer that matches orders-2019-03`:    UnknownKey,
		`no JWT authority found for trust domain`:                InsufficientPermissions,
	} {
		if v := judgeStory(t, strings.Replace(sound, "%", words, 1)); v.Cause != want {
			t.Errorf("%s: %s (%s), want %s", words, v.Cause, v.Summary, want)
		}
	}
}

// 403 speaks of what the client may do, not of who it is (RFC 9110 section 15.5.4): a sound assertion is not refused for its key so.
func TestResidual_ForbiddenGrant(t *testing.T) {
	forbidden := strings.Replace(tokenRequest(soundHeader, soundClaims("", "")), `"response":{"status":401,"body":{"error":"invalid_client"}}`, `"response":{"status":403,"body":{"detail":"Forbidden"}}`, 1)
	asking := strings.Replace(forbidden, `"client_assertion":"[jwt]"`, `"client_assertion":"[jwt]","scope":"orders.read admin"`, 1)
	if v := judgeStory(t, asking); v.Cause != ScopeGap || v.Confidence != Inferred {
		t.Errorf("asked for scopes: %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
	if v := judgeStory(t, forbidden); v.Cause == ScopeGap {
		t.Errorf("asked for none: %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
}
