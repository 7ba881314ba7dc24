package store

import (
	"slices"

	"authwatch/classify"
)

const (
	mostChecks  = 2_000   // remembered at once
	mostLists   = 500     // of texts
	partsMemory = 1 << 20 // bytes of what is known of parts and forms; when it is full, all is forgotten
	longestPart = 4 << 10 // longer ones are written whole
	partMark    = 0x01    // begins a part that is written in brief; no JSON holds it
)

// Most of a verdict are checks and steps that others share. In brief, such a part is a mark and the number of its template, and behind
// them its words, a comma after each. What two verdicts are in brief is cut into the same words as they are, and if it has the same
// template, so have they: a verdict that was met before in other words is packed without most of its text.
type verdictParts struct {
	cutter  *cutter
	checks  map[*classify.Check]string // in brief
	lists   map[*string]knownList      // by their first text
	numbers map[string]int             // of the templates of parts
	forms   map[string]*template       // of whole verdicts, by the template of what they are in brief
	bytes   int

	template, words []byte // room for one
}

// A knownList is a list of texts that came before.
type knownList struct {
	texts []string
	brief string
}

func newVerdictParts() *verdictParts {
	p := &verdictParts{cutter: newCutter()}
	p.forget()
	return p
}

func (p *verdictParts) forget() {
	p.checks, p.lists = map[*classify.Check]string{}, map[*string]knownList{}
	p.numbers, p.forms, p.bytes = map[string]int{}, map[string]*template{}, 0
}

// makeRoom forgets what is too much: before a verdict is written in brief, so that its parts keep their numbers until its form is kept.
func (p *verdictParts) makeRoom() {
	if p.bytes > partsMemory {
		p.forget()
	}
	if len(p.checks) > mostChecks {
		clear(p.checks)
	}
	if len(p.lists) > mostLists {
		clear(p.lists)
	}
}

// brief is what stands for the text of a part.
func (p *verdictParts) brief(text []byte) (brief string, ok bool) {
	if len(text) > longestPart {
		return "", false
	}
	p.template, p.words = p.cutter.outline(text, p.template[:0], append(p.words[:0], partMark, 0, 0, 0))
	number, known := p.numbers[string(p.template)]
	if !known {
		number = len(p.numbers)
		p.numbers[string(p.template)] = number
		p.bytes += len(p.template) + 64
	}
	for i := range 3 { // in bytes that no word holds
		p.words[1+i] = 0x80 | byte(number>>(7*i))
	}
	return string(p.words), true
}

// list is what stands for a list that came before from the same place.
func (p *verdictParts) list(texts []string) (brief string, known bool) {
	l, known := p.lists[&texts[0]]
	return l.brief, known && slices.Equal(l.texts, texts)
}

func (p *verdictParts) keepList(texts []string, brief string) {
	p.lists[&texts[0]] = knownList{slices.Clone(texts), brief}
}

// form is the template of the verdict whose template in brief is shape, if a failure of today may name it.
func (p *verdictParts) form(shape []byte, today int64) *template {
	if one := p.forms[string(shape)]; one != nil && one.day >= today {
		return one
	}
	return nil
}

func (p *verdictParts) keepForm(shape []byte, one *template) {
	p.forms[string(shape)] = one
	p.bytes += len(shape) + 64
}
