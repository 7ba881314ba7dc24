package classify

import (
	"strings"
	"testing"
)

func TestKnowledge_Find(t *testing.T) {
	k := NewKnowledge([]Text{
		{System: "a", Phase: APICall, Text: `"aud" claim is {aud}, expected {expected}`, Cause: WrongAudience},
		{System: "a", Phase: APICall, Text: "expected {expected}", Cause: InvalidClaim},
		{System: "b", Phase: APICall, Text: "token is expired", Cause: TokenExpired},
		{System: "b", Phase: APICall, Text: "token is expired or revoked", Cause: RevokedToken},
		{System: "c", Phase: APICall, Text: "token rejected by policy", Cause: Unclassified},
		{System: "d", Phase: APICall, Text: "gone", Cause: RevokedToken},
		{System: "e", Phase: APICall, Text: "XYZ12345: whatever it says", Cause: WrongAlgorithm},
	})
	for _, tt := range []struct {
		name, text string
		want       Code
	}{
		{"placeholders", `"aud" claim is https://a.test/x, expected y`, WrongAudience},
		{"case and other quotes", `'AUD' Claim is [a, b], EXPECTED c`, WrongAudience},
		{"escapes of JSON in a header", `\"aud\" claim is x, expected y`, WrongAudience},
		{"escapes by number", `\u0022aud\u0022 claim is x\nexpected y`, WrongAudience},
		{"HTML entities", `&quot;aud&quot; claim is&nbsp;x, expected &#39;y&#39;`, WrongAudience},
		{"an empty placeholder", `"aud" claim is , expected`, WrongAudience},
		{"the longest wins over its part", "401: token is expired or revoked", RevokedToken},
		{"the last wins over the one before", "token is expired or revoked: token is expired", TokenExpired},
		{"a text that stands for everything does not", "token is expired. token rejected by policy", TokenExpired},
		{"a number is enough", "XYZ12345: another wording", WrongAlgorithm},
		{"one everyday word alone", "gone", RevokedToken},
		{"one everyday word among others", "the order is gone", ""},
		{"parts in another order", "y expected: claim is x aud", ""},
		{"half a word", "token is expiredness", ""},
		{"too far apart", `"aud" claim is ` + strings.Repeat("word ", 60) + "expected y", ""},
		{"nothing", "", ""},
		{"unfinished escapes", `\`, ""},
		{"an unfinished entity", `&quot`, ""},
		{"an unfinished number", `\u00`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Code
			if m, _ := k.find(tt.text, APICall); m.pattern != nil {
				got = m.pattern.readings.at(APICall).cause
			}
			if got != tt.want {
				t.Errorf("%s: found %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestKnowledge_Nil(t *testing.T) {
	var k *Knowledge
	if m, _ := k.find("token is expired", APICall); m.pattern != nil || k.Of(TokenExpired) != nil {
		t.Error("a nil Knowledge knows something")
	}
}

// The rarest pair of words must lead to few patterns, or a hostile text could make every word expensive.
func TestKnowledge_AnchorsAreRare(t *testing.T) {
	k := NewKnowledge(DocumentedTexts())
	for _, at := range k.places {
		if list := k.anchors[at.from:at.to]; len(list) > 24 {
			p := k.patterns[list[0].pattern]
			t.Errorf("%d patterns behind one anchor, %d words long", len(list), p.literal)
		}
	}
}

// Words that several systems share: what most mean is the reading, the others stay beside it; a tie with a text that stands for
// everything accuses nobody.
func TestSettle(t *testing.T) {
	text := func(phase Phase, cause Code, also ...Code) Text { return Text{Phase: phase, Cause: cause, Also: also} }
	for _, tt := range []struct {
		name  string
		texts []Text
		phase Phase
		want  Code
	}{
		{"the majority", []Text{text(APICall, MalformedJWT), text(APICall, TokenExpired), text(APICall, TokenExpired)}, APICall, TokenExpired},
		{"a tie with everything", []Text{text(APICall, MissingToken), text(APICall, Unclassified, TokenExpired)}, APICall, Unclassified},
		{"a tie that the others' second thoughts break", []Text{text(APICall, MalformedJWT, InvalidSignature), text(APICall, InvalidSignature)}, APICall, InvalidSignature},
		{"what was documented for the phase", []Text{text(APICall, TokenExpired), text(APICall, TokenExpired), text(TokenRequest, ClockSkew)}, TokenRequest, ClockSkew},
		{"a library's text at a token endpoint", []Text{text(APICall, TokenExpired)}, TokenRequest, AssertionExpired},
		{"two names of one fault", []Text{text(TokenRequest, InvalidSignature, KeyMismatch)}, TokenRequest, KeyMismatch},
	} {
		settled := readingsOf(tt.texts, true)
		if got := settled.at(tt.phase); got.cause != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.cause, tt.want)
		}
	}
}

// What lists everything, or stands for faults of three sorts, decides nothing when a stranger says it; the system that documents it may.
func TestRecognise_WordsForEverything(t *testing.T) {
	texts := []Text{
		{System: "one", Phase: APICall, Text: "Given token not valid for any token type", Cause: TokenExpired, Also: []Code{InvalidSignature, MalformedJWT}, Source: "test"},
		{System: "two", Phase: TokenRequest, Text: "The client is not known, sent no credentials, or sent two of them.", Cause: UnknownClient, Also: []Code{InvalidTokenRequest}, Source: "test"},
		{System: "three", Phase: TokenRequest, Text: "no known key validated it", Cause: InvalidSignature, Also: []Code{UnknownKey}, Source: "test"},
		{System: "four", Phase: APICall, Text: "unexpected {claim} claim value", Cause: InvalidClaim, Also: []Code{WrongAudience}, Source: "test"},
	}
	for _, tt := range []struct {
		phase          Phase
		provider, said string
		want           Code
	}{
		{APICall, "", texts[0].Text, ""},
		{APICall, "one", texts[0].Text, TokenExpired},
		{TokenRequest, "", texts[1].Text, ""},
		{TokenRequest, "two", texts[1].Text, UnknownClient},
		{TokenRequest, "", texts[2].Text, KeyMismatch},
		{TokenRequest, "three", texts[2].Text, InvalidSignature},
		{APICall, "", `unexpected "aud" claim value`, WrongAudience},
	} {
		w := words{knowledge: NewKnowledge(texts), provider: tt.provider}
		w.listen(tt.said, "", tt.phase)
		if w.strength < 2 {
			w.cause = ""
		}
		if w.cause != tt.want {
			t.Errorf("%q at %q: %q, want %q", tt.said, tt.provider, w.cause, tt.want)
		}
	}
}
