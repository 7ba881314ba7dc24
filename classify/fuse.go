package classify

import (
	"slices"
	"strings"
)

// A judgement is what the witnesses agree on.
type judgement struct {
	cause      Code
	confidence Confidence
	finding    *finding // the decisive one; nil when words or status decided
	detail     string   // why, when no finding decided
	witness    Witness  // of detail
	path       string   // of detail
	others     []Alternative
}

// A candidate is one cause with what speaks for it.
type candidate struct {
	cause   Code
	score   int
	finding *finding
	detail  string  // why, without a finding
	witness Witness // whose detail it is; empty: the token's
	path    string
}

// The scores order the kinds of reasons; within one kind precedence decides.
const (
	scoreDemonstrated = 4000
	scoreLikely       = 3000
	scoreNamed        = 2500
	scoreHinted       = 2200
	scorePossible     = 2000
	scoreResidual     = 1000
	scoreVague        = 900
	scoreOpen         = 800 // worth mentioning, not worth a verdict
)

// judge fuses the votes. What the server complains about decides which findings can explain it; of those the best demonstrated
// and most particular one is the cause. Without an understood complaint all findings compete, and two demonstrated faults that
// have nothing to do with each other leave the cause open unless the provider's check order settles it.
func (x *examination) judge() judgement {
	x.weighWords()
	about := x.words.subject
	if x.words.strength < 2 {
		about = 0
	}
	list := x.desk.candidates[:0]
	explained := false
	for i := range x.findings {
		f := &x.findings[i]
		c := candidate{cause: f.cause, finding: f, score: x.findingScore(f)}
		if about != 0 && !x.fits(f) {
			c.score = scoreResidual/2 + f.trait.rank // a fault, but not the one the server speaks of
		} else if f.weight >= likely {
			explained = true
		}
		if about != 0 && x.complaints(f)&about == 0 {
			c.score-- // of two that fit, the one that the words are plainly about
		}
		list = append(list, c)
	}
	list = x.spoken(list)
	if x.doubted.cause != "" {
		list = append(list, candidate{cause: x.doubted.cause, score: scoreVague})
	}
	list = append(list, x.residual(explained)...)
	x.desk.candidates = list
	slices.SortStableFunc(list, func(a, b candidate) int {
		if a.score != b.score {
			return b.score - a.score
		}
		return strings.Compare(string(a.cause), string(b.cause))
	})
	if len(list) == 0 || list[0].score < scoreResidual-99 {
		return judgement{cause: Unclassified, confidence: Inferred, others: alternatives(list, Unclassified, x)}
	}
	best := list[0]
	j := judgement{cause: best.cause, finding: best.finding, detail: best.detail, witness: best.witness, path: best.path, confidence: x.confidence(best, list, about)}
	j.others = alternatives(list, best.cause, x)
	return j
}

func wordScore(strength int) int {
	switch strength {
	case 3:
		return scoreNamed
	case 2:
		return scoreHinted
	}
	return scoreVague
}

func (x *examination) findingScore(f *finding) int {
	rank := f.trait.rank
	if x.words.subject == 0 && f.weight == demonstrated {
		if i := slices.Index(x.Profile.CheckOrder, f.trait.group); i >= 0 {
			rank += 100 * (len(x.Profile.CheckOrder) - i) // this server would have met it first
		}
	}
	if x.words.cause == f.cause {
		rank += 50 // the server names it too
	}
	switch f.weight {
	case demonstrated:
		return scoreDemonstrated + rank
	case likely:
		return scoreLikely + rank
	}
	if x.words.cause == f.cause && x.words.strength >= 2 {
		return wordScore(x.words.strength) + rank // the words name it, the finding shows where
	}
	return scorePossible + rank
}

// confidence says how the winner is known. Proven needs a demonstrated fault that the server's words, if they were understood, do
// not contradict, and no second demonstrated fault that could be the reason as well.
func (x *examination) confidence(best candidate, list []candidate, about subject) Confidence {
	f := best.finding
	if f == nil {
		if x.named(best.cause) {
			return Stated
		}
		return Inferred
	}
	named := x.named(best.cause)
	if f.weight != demonstrated {
		if named {
			return Stated
		}
		return Inferred
	}
	if about != 0 && !x.fits(f) {
		return Inferred
	}
	if named {
		return Proven
	}
	for _, other := range list[1:] {
		if other.finding == nil || other.finding.weight != demonstrated || other.cause == best.cause || other.score < scoreDemonstrated {
			continue
		}
		if about == 0 && !x.ordered(best.cause, other.cause) {
			return Inferred
		}
	}
	if x.overruled || x.doubtful(best.cause) {
		return Inferred
	}
	return Proven
}

// ordered reports whether the provider's check order settles which of two faults was met.
func (x *examination) ordered(first, second Code) bool {
	i, j := slices.Index(x.Profile.CheckOrder, x.trait(first).group), slices.Index(x.Profile.CheckOrder, x.trait(second).group)
	return i >= 0 && j > i
}

// doubtful reports whether the status speaks against the cause: a refusal to do something (403) is no failure to know the client,
// and a server error may have reasons of its own.
func (x *examination) doubtful(cause Code) bool {
	if x.words.strength >= 2 {
		return false
	}
	status := x.status()
	if status == 403 && x.Phase == APICall {
		return x.trait(cause).group != "scope" && cause != ProofOfPossession
	}
	return status >= 500 || status == 429 || status == 404 || status == 409 || status == 422
}

func alternatives(list []candidate, chosen Code, x *examination) []Alternative {
	var room [5]Alternative
	out := room[:0]
	add := func(cause Code, c Confidence) {
		if cause != chosen && cause != "" && len(out) < cap(out) && !slices.ContainsFunc(out, func(a Alternative) bool { return a.Cause == cause }) {
			out = append(out, Alternative{Cause: cause, Confidence: c})
		}
	}
	for _, c := range list {
		confidence := Inferred
		if c.finding == nil && (x.named(c.cause) || x.doubted.cause == c.cause) {
			confidence = Stated
		}
		add(c.cause, confidence)
	}
	for _, cause := range lookAlikes(chosen, x) {
		add(cause, Inferred)
	}
	return x.desk.alternatives(out)
}

// lookAlikes are the causes that nothing in the record can tell from the chosen one.
func lookAlikes(chosen Code, x *examination) [5]Code {
	switch chosen {
	case KeyMismatch:
		return [5]Code{UnknownKey, KeyReusedAcrossEnvironments}
	case InvalidSignature:
		return [5]Code{UnknownKey, ProviderUnavailable}
	case ClockSkew:
		if x.assertion {
			return [5]Code{AssertionExpired}
		}
		return [5]Code{NotYetValid}
	case AssertionExpired:
		return [5]Code{ClockSkew}
	case UnknownKey:
		return [5]Code{WrongEnvironment}
	case InsufficientPermissions:
		return [5]Code{ScopeGap, AccountAccessDenied}
	case RevokedToken:
		return [5]Code{ExpiredMidSession, TokenExpired}
	case Unclassified:
		if x.Phase == TokenRequest {
			return [5]Code{KeyMismatch, UnknownClient, WrongAudience, AssertionExpired, JTIReuse}
		}
		return [5]Code{TokenExpired, InvalidSignature, WrongAudience, WrongIssuer, RevokedToken}
	}
	return [5]Code{}
}
