package api

import (
	"slices"
	"strings"

	"authwatch/classify"
)

// Bounds of the texts that a cause page shows: the busiest causes have hundreds.
const (
	maxTextSystems = 12
	maxSystemTexts = 3
)

// A textsView is what systems are documented to say when they meet a cause.
type textsView struct {
	Systems []systemTexts
	Left    int // texts that are left out
}

// systemTexts are the texts of one system.
type systemTexts struct {
	System string
	Texts  []textView
}

// A textView is one documented text. Also are the other causes of the same text; Shared says that this cause is one of those.
type textView struct {
	Text   string
	Shared bool
	Also   []causeRef
	Source referenceView
	Quoted bool // in a thread: nobody saw it in the source
}

// textsOf groups the texts by system, in the order in which the cause's own texts come first.
func textsOf(texts []classify.Text, cause classify.Code) textsView {
	var out textsView
	for _, t := range texts {
		at := slices.IndexFunc(out.Systems, func(s systemTexts) bool { return s.System == t.System })
		if at < 0 && len(out.Systems) < maxTextSystems {
			at = len(out.Systems)
			out.Systems = append(out.Systems, systemTexts{System: t.System})
		}
		if at < 0 || len(out.Systems[at].Texts) == maxSystemTexts {
			out.Left++
			continue
		}
		out.Systems[at].Texts = append(out.Systems[at].Texts, textOf(t, cause))
	}
	return out
}

func textOf(t classify.Text, cause classify.Code) textView {
	view := textView{Text: shown(t.Text, 4*valueLength), Shared: t.Cause != cause, Source: sourceOf(t.Source), Quoted: !t.Verbatim}
	for _, other := range append([]classify.Code{t.Cause}, t.Also...) {
		if other != cause && other != classify.Unclassified {
			view.Also = append(view.Also, causeOf(other))
		}
	}
	return view
}

// sourceOf links a source: an https URL, or owner/name:path of a public repository. Anything else is only named.
func sourceOf(source string) referenceView {
	if strings.HasPrefix(source, "https://") && !strings.Contains(source, " ") {
		return referenceView{Title: strings.TrimPrefix(source, "https://"), URL: source}
	}
	if repository, path, ok := strings.Cut(source, ":"); ok && strings.Count(repository, "/") == 1 && !strings.ContainsAny(source, " ?#") {
		return referenceView{Title: source, URL: "https://github.com/" + repository + "/blob/HEAD/" + path}
	}
	return referenceView{Title: source}
}

// An Example is a recorded failure of a cause with the engine's verdict.
type Example struct {
	Verifier string // the software that answered, with its version
	Record   *classify.Record
	Profile  *classify.Profile
	Verdict  classify.Verdict
}

// An exampleView is an example as the cause page shows it.
type exampleView struct {
	Verifier string
	Place    string
	Record   recordView
	Verdict  verdictView
}

func exampleOf(e Example) *exampleView {
	return &exampleView{
		Verifier: e.Verifier, Place: placeOf(e.Verdict.Provider, e.Verdict.Environment),
		Record: recordViewOf(*e.Record), Verdict: verdictOf(e.Verdict, e.Record, e.Profile),
	}
}
