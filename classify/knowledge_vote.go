package classify

import "slices"

// A reading is what a pattern means in one phase.
type reading struct {
	cause Code   // Unclassified for a text that stands for everything
	also  []Code // other causes of the same words, likeliest first
}

func (r reading) has(cause Code) bool { return r.cause == cause || slices.Contains(r.also, cause) }

// Readings are the readings of a pattern, one for each of phases.
type readings [3]reading

// kinds counts the sorts of faults that a reading allows: three causes about the key are one.
func (k *Knowledge) kinds(r reading) int {
	n := 0
	var seen [8]string
	for _, cause := range append([]Code{r.cause}, r.also...) {
		kind := k.trait(cause).group
		switch {
		case cause == WrongEnvironment || cause == Unclassified:
			continue // comes out as any of the others
		case kind == "signature":
			kind = "key"
		case kind == "":
			kind = string(cause)
		}
		if n < len(seen) && !slices.Contains(seen[:n], kind) {
			seen[n] = kind
			n++
		}
	}
	return n
}

func phases() [3]Phase { return [...]Phase{TokenRequest, APICall, ClientSide} }

// phaseIndex is the place of a phase in phases.
func phaseIndex(phase Phase) int {
	switch phase {
	case TokenRequest:
		return 0
	case APICall:
		return 1
	}
	return 2
}

func (r *readings) at(phase Phase) reading { return r[phaseIndex(phase)] }

// readingsOf settles what the same words of several systems mean. What was documented for the phase itself counts; where nothing
// was, library texts are translated.
func readingsOf(texts []Text, known bool) readings {
	var out readings
	for i, phase := range phases() {
		own := make([]Text, 0, len(texts))
		for _, t := range texts {
			if t.Phase == phase {
				own = append(own, t)
			}
		}
		if len(own) == 0 {
			own = texts
		}
		out[i] = settle(own, phase, known)
	}
	return out
}

// settle takes the cause that most systems mean, and keeps what the others mean beside it. Words that stand for everything at one
// system and for something at as many others are no reason to accuse.
func settle(texts []Text, phase Phase, known bool) reading {
	own, all := map[Code]int{}, map[Code]int{}
	var order []Code // by first mention: also is in the order of likelihood
	count := func(cause Code, n int) {
		if _, known := all[cause]; !known {
			order = append(order, cause)
		}
		own[cause] += n
		all[cause]++
	}
	for _, t := range texts {
		count(t.causeAt(phase, known), 1)
	}
	for _, t := range texts {
		for _, also := range t.Also {
			count(t.translate(also, phase, known), 0)
		}
	}
	best := order[0]
	for _, cause := range order {
		switch {
		case own[cause] > own[best],
			own[cause] == own[best] && cause == Unclassified,
			own[cause] == own[best] && best != Unclassified && all[cause] > all[best]:
			best = cause
		}
	}
	r := reading{cause: best}
	for _, cause := range order {
		if cause != best && cause != Unclassified {
			r.also = append(r.also, cause)
		}
	}
	return r
}

// causeAt is the cause in the terms of the phase where the words are met: of two names of one fault that a text lists, the phase's own.
func (t Text) causeAt(phase Phase, known bool) Code {
	if own := atPhase(t.Cause, phase); slices.Contains(t.Also, own) {
		return own
	}
	return t.translate(t.Cause, phase, known)
}

// translate leaves what was documented for the phase itself. Said by a stranger at a token endpoint, a signature and an issuer are those of
// the client's assertion, though the system that documents the words takes tokens of others there.
func (t Text) translate(cause Code, phase Phase, known bool) Code {
	foreign := !known && phase == TokenRequest && (cause == InvalidSignature || cause == WrongIssuer)
	if t.Phase == phase && !foreign || cause == WrongTokenType {
		return cause
	}
	return atPhase(cause, phase)
}

// recognise lets a documented text speak before the lexicon, which reads words one by one: it knows what the text meant where it was
// found. heard is the lexicon's own reading of the same value; the result is the complaint to keep.
func (w *words) recognise(value string, phase Phase, heard complaint) complaint {
	m, total := w.knowledge.find(value, phase)
	if m.pattern == nil {
		return heard
	}
	w.speaks = w.speaks || m.pattern.numbered
	r, known := m.pattern.readingBy(w.provider, w.title, phase)
	more := heard.strength >= 2 && heard.cause != m.pattern.alone[phaseIndex(phase)]
	unsaid := total - (m.to - m.from) // words that the text has beyond the documented ones
	switch {
	case r.cause == Unclassified && more:
		return heard // what fills the placeholder of a text that stands for everything is the reason
	case r.cause == Unclassified:
		w.mayBe = r.also
		return complaint{}
	case m.pattern.everyday && m.pattern.alone[phaseIndex(phase)] == "" && !known:
		w.mayBe = append([]Code{r.cause}, r.also...)
		return heard // what one system means by such words is no clue to what the next one means
	case !known && !more && phase != ClientSide && !m.pattern.tells(heard, w.knowledge.kinds(r), r):
		w.mayBe = append([]Code{r.cause}, r.also...)
		return complaint{} // words that stand for so different things name none of them
	case more && r.has(heard.cause) && len(r.also) > 0:
		return heard // what stands beside the documented words narrows them
	case more && heard.strength == 3 && (m.pattern.template() || m.pattern.alone[phaseIndex(phase)] == "" && m.pattern.filled() && !m.pattern.numbered), heard.strength == 3 && unsaid > m.pattern.literal && (more || r.has(heard.cause)):
		return heard // what fills the placeholder, or most of the text, is something else
	}
	c := complaint{subject: w.knowledge.trait(r.cause).usual, cause: r.cause, strength: 3, standing: ofDocument}
	if known || m.pattern.numbered {
		c.standing = ofOwn
	}
	if heard.strength >= 2 && r.has(heard.cause) {
		c.subject |= heard.subject
	}
	if len(r.also) == 0 {
		return c
	}
	if heard.cause == r.cause && heard.strength == 3 {
		return c // the words name it; that they fit other causes too is for the token to show
	}
	c.strength, c.also = 2, r.also
	return c
}

// named reports whether the words themselves name the cause.
func (x *examination) named(cause Code) bool {
	return x.words.cause == cause && x.words.strength >= 2 && len(x.words.also) == 0
}

// spoken are the causes that the words allow. Of a documented text that several causes share, the likeliest that no check speaks
// against stands for all; the causes of a text that stands for everything are only worth mentioning.
func (x *examination) spoken(list []candidate) []candidate {
	w := &x.words
	if w.subject == 0 || w.cause == "" {
		return x.mentioned(list, w.mayBe, "")
	}
	chosen := w.cause
	if len(w.also) > 0 && !x.open(chosen) {
		if i := slices.IndexFunc(w.also, x.open); i >= 0 {
			chosen = w.also[i]
		}
	}
	list = append(list, candidate{cause: chosen, score: wordScore(w.strength)})
	return x.mentioned(list, w.also, chosen)
}

// open reports whether no check speaks against the cause.
func (x *examination) open(cause Code) bool { return !x.passed(x.trait(cause).check) }

// mentioned appends those causes, but for the chosen one, that no check speaks against.
func (x *examination) mentioned(list []candidate, causes []Code, chosen Code) []candidate {
	for i, cause := range causes {
		if cause != chosen && x.open(cause) {
			list = append(list, candidate{cause: cause, score: scoreResidual/2 - 10*i})
		}
	}
	return list
}

// tells reports whether the words mean something whoever says them: they neither list what may be wrong nor stand for faults of three
// sorts, unless they name the fault themselves, or what fills a placeholder does.
func (p *pattern) tells(heard complaint, kinds int, r reading) bool {
	if p.enumerates && kinds >= 2 {
		return false
	}
	return kinds < 3 || heard.strength == 3 && (heard.cause == r.cause || p.filled())
}

func (p *pattern) filled() bool { return len(p.parts) > 1 || p.openStart || p.openEnd }

// template reports whether the words are few around a placeholder, so that what fills it says as much.
func (p *pattern) template() bool {
	return p.literal <= 2 && (len(p.parts) > 1 || p.openStart || p.openEnd)
}

// speakersOf are the systems of texts with the same words, each with its own readings.
func speakersOf(texts []Text) []speaker {
	var out []speaker
	for i, t := range texts {
		same := func(other Text) bool { return other.System == t.System }
		if slices.IndexFunc(texts, same) < i {
			continue // this system is there
		}
		var own []Text
		for _, other := range texts[i:] {
			if same(other) {
				own = append(own, other)
			}
		}
		out = append(out, speaker{name: nameOf(t.System), readings: readingsOf(own, true)})
	}
	return out
}

// readingBy is what a provider of that id or title means. known reports whether it is one of the speakers; else the reading is that of
// them all.
func (p *pattern) readingBy(provider, title string, phase Phase) (r reading, known bool) {
	var room [2][8]uint64
	id, long := appendName(room[0][:0], provider), appendName(room[1][:0], title)
	for i := range p.speakers {
		if s := &p.speakers[i]; holdsName(s.name, id) || holdsName(s.name, long) {
			return s.readings.at(phase), true
		}
	}
	return p.readings.at(phase), false
}

// everydayWord reports whether a word is one of those that every refusal is made of. A text of nothing else ("client authentication
// failed") has a meaning at the system that documents it, and another one at the next.
func everydayWord(word string) bool {
	switch word {
	case "a", "access", "an", "and", "are", "assertion", "authenticate", "authentication", "authorization", "bad",
		"bearer", "client", "could", "credential", "credentials", "denied", "error", "failed", "failure", "for", "forbidden",
		"given", "grant", "in", "invalid", "is", "jwt", "no", "not", "of", "or", "please", "provided", "registration",
		"rejected", "request", "specified", "supplied", "the", "this", "to", "token", "unable", "unauthorized", "unknown",
		"unrecognizable", "user", "valid", "validate", "validating", "validation", "verify", "verification", "was", "wrong",
		"x":
		return true
	}
	return false
}
