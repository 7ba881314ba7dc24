package classify

import (
	_ "embed"
	"slices"
	"strings"
)

// texts.tsv holds documented error texts of real systems, one a line: system, phase, where, text, cause, also, source, certainty.
// Adding a text is adding a line.
//
//go:embed texts.tsv
var textsTSV string

// A Text is one documented error text: what a system says, and what made it say so.
type Text struct {
	System   string
	Phase    Phase
	Where    string // code, body.error, body.error_description, body.message, www_authenticate, or log: wherever the application puts it
	Text     string // as the source has it; {x} is a variable part
	Cause    Code   // the most likely one; Unclassified for a text that stands for everything
	Also     []Code // other causes of the same text, likeliest first
	Source   string // URL, or owner/name:path of a public repository
	Verbatim bool   // seen in the source or the vendor's documentation; else quoted in a thread
}

// DocumentedTexts are the texts that authwatch knows, in the order of the file.
func DocumentedTexts() []Text {
	var out []Text
	var codes shelf[Code]
	header := true
	for line := range strings.Lines(textsTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if header || len(f) != 8 {
			header = false
			continue
		}
		t := Text{System: f[0], Phase: Phase(f[1]), Where: f[2], Text: f[3], Cause: Code(f[4]), Source: f[6], Verbatim: f[7] == "verbatim"}
		for also := range strings.SplitSeq(f[5], ",") {
			if code := Code(strings.TrimSpace(also)); code != "" && code != Unclassified && code != t.Cause {
				t.Also = append(t.Also, code)
			}
		}
		out = append(out, t)
	}
	for round := range 2 {
		for i := range out {
			out[i].Also = codes.lay(out[i].Also, round)
		}
	}
	return slices.Clip(out)
}

// A Knowledge recognises documented texts in what servers say. It is immutable; any number of goroutines may share it. A nil
// Knowledge knows nothing.
type Knowledge struct {
	traits   map[Code]*trait
	lexicon  lexicon // of what nobody documented
	texts    []Text
	patterns []pattern
	anchors  []anchor             // those of one hash side by side
	places   map[uint64]anchorage // of them, by hash
	sieve    [1 << 10]uint64      // a bit for each anchor's hash: nearly every word of a text misses, and a bit is cheaper than the map
}

// NewKnowledge prepares texts for matching. It takes some ten milliseconds: do it once.
func NewKnowledge(texts []Text) *Knowledge {
	k := &Knowledge{traits: newTraits(), lexicon: newLexicon(), texts: texts}
	rows := map[string][]Text{}
	var order []string
	for _, t := range texts {
		for _, form := range k.formsOf(t) {
			key := form.key()
			if key == "" {
				continue
			}
			if rows[key] == nil {
				order = append(order, key)
				k.patterns = append(k.patterns, form)
			}
			rows[key] = append(rows[key], t)
		}
	}
	for i, key := range order {
		k.patterns[i].readings = readingsOf(rows[key], false)
		k.patterns[i].speakers = speakersOf(rows[key])
	}
	k.index()
	k.gather()
	return k
}

// Of lists the texts that a cause is known to come out as: those that mean it first, then those that it shares with others.
func (k *Knowledge) Of(cause Code) []Text {
	if k == nil {
		return nil
	}
	var own, shared []Text
	for _, t := range k.texts {
		switch {
		case t.Cause == cause:
			own = append(own, t)
		case slices.Contains(t.Also, cause):
			shared = append(shared, t)
		}
	}
	return append(own, shared...)
}

// vocabulary is made for every text where there is no Knowledge: only for a text or two.
func (k *Knowledge) vocabulary() lexicon {
	if k == nil {
		return newLexicon()
	}
	return k.lexicon
}
