package classify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// declaredCodes reads the constants of type Code from cause.go, so that a new one without a row cannot be forgotten.
func declaredCodes(t *testing.T) []Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "cause.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, Code(text))
		}
		return true
	})
	return codes
}

// The rows stand in the order of the constants, which is that of the design's table.
func TestCatalogue_HasEveryCode(t *testing.T) {
	var got []Code
	for _, c := range Catalogue() {
		got = append(got, c.Code)
	}
	if want := declaredCodes(t); len(want) < 40 || !slices.Equal(got, want) {
		t.Errorf("catalogue has\n%v\ndeclared are\n%v", got, want)
	}
}

func TestCatalogue_RowsAreComplete(t *testing.T) {
	groups := []string{"credentials", "time", "claims", "keys", "replay", "environment", "token request", "authorization", "not the client"}
	faults := Faults()
	codes := declaredCodes(t)
	titles := map[string]Code{}
	for _, c := range Catalogue() {
		t.Run(string(c.Code), func(t *testing.T) {
			if c.Group == "" != (c.Code == Unclassified) || c.Group != "" && !slices.Contains(groups, c.Group) {
				t.Errorf("group %q", c.Group)
			}
			if !slices.Contains(faults, c.Fault) {
				t.Errorf("fault %q", c.Fault)
			}
			if twin, taken := titles[c.Title]; taken || c.Title == "" {
				t.Errorf("title %q is empty or also that of %s", c.Title, twin)
			}
			titles[c.Title] = c.Code
			for name, text := range map[string]string{"summary": c.Summary, "happened": c.Happened, "recognised": c.Recognised} {
				checkSentence(t, name, text)
			}
			checkSteps(t, "fix", c.Fix)
			checkConfusions(t, c, codes)
			checkFixAt(t, c.FixAt)
			checkReferences(t, c.References)
		})
	}
}

func checkConfusions(t *testing.T, c Cause, codes []Code) {
	t.Helper()
	if len(c.ConfusedWith) == 0 {
		t.Error("is confused with nothing")
	}
	seen := map[Code]bool{}
	for _, other := range c.ConfusedWith {
		if other.Code == c.Code || seen[other.Code] || !slices.Contains(codes, other.Code) {
			t.Errorf("confused with %q: itself, named twice or unknown", other.Code)
		}
		seen[other.Code] = true
		checkSentence(t, "confused with "+string(other.Code), other.How)
	}
}

func checkFixAt(t *testing.T, at []FixAt) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range at {
		if f.Provider == "" || seen[f.Provider] {
			t.Errorf("fix at %q: empty or twice", f.Provider)
		}
		seen[f.Provider] = true
		checkSteps(t, "fix at "+f.Provider, f.Steps)
	}
}

func checkReferences(t *testing.T, refs []Reference) {
	t.Helper()
	if len(refs) == 0 {
		t.Error("no references")
	}
	for _, r := range refs {
		if u, err := url.Parse(r.URL); err != nil || u.Scheme != "https" || u.Host == "" || r.Title == "" {
			t.Errorf("reference %+v", r)
		}
	}
}

func checkSteps(t *testing.T, name string, steps []string) {
	t.Helper()
	if len(steps) == 0 {
		t.Errorf("%s: no steps", name)
	}
	for _, s := range steps {
		if strings.TrimSpace(s) != s || s == "" {
			t.Errorf("%s: step %q", name, s)
		}
	}
}

func checkSentence(t *testing.T, name, text string) {
	t.Helper()
	if !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") {
		t.Errorf("%s is not a sentence: %q", name, text)
	}
}

func TestLookup(t *testing.T) {
	for _, want := range Catalogue() {
		if got, ok := Lookup(want.Code); !ok || got.Title != want.Title {
			t.Errorf("Lookup(%s) = %q, %v", want.Code, got.Title, ok)
		}
	}
	if _, ok := Lookup("no_such_cause"); ok {
		t.Error("Lookup finds a cause that does not exist")
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Lookup(RateLimited)
	}
}
