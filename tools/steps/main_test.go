package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const profile = `authwatch 71 
	    5547b runtime.memmove
	    5547a authwatch/store.takeApart[go.shape.string]
	    5547c authwatch/store.(*Store).Pack
	    5547d authwatch/ingest.(*Ingester).judgeAhead
	    5547e net/http.(*conn).serve

authwatch 71 
	    5547b runtime.scanObject
	    5547a runtime.gcAssistAlloc
	    5547d authwatch/ingest.(*Ingester).judgeAhead

authwatch 71 
	ffffffff81 walChecksumBytes
	         0 [unknown]

bench 72 
	    5547b main.split

authwatch 71 
	    5547b runtime.mallocgc
	    5547b authwatch/store.(*Tx).AddFailures
	    5547b authwatch/store.callSafely.func1
`
	var out strings.Builder
	if err := run(strings.NewReader(profile), &out); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"pack failures", "collect garbage", inC, "the writer's turn in Go"} {
		if line := lineOf(out.String(), step); !strings.HasSuffix(line, " 25.0 %") {
			t.Errorf("%q of\n%s", line, out.String())
		}
	}
	if line := lineOf(out.String(), "samples"); !strings.HasSuffix(line, " 4") || strings.Contains(out.String(), "72") {
		t.Errorf("%s", out.String())
	}
	if err := run(strings.NewReader("bench 72 \n\t5547b main.split\n"), &out); err == nil {
		t.Error("a profile without the server is taken")
	}
}

// TestSteps_Declared holds the names of the product's functions to its source: a step whose function was renamed would count
// nothing and give its share to the next one out.
func TestSteps_Declared(t *testing.T) {
	declared := map[string][]string{"ingest": functions(t, "ingest"), "store": functions(t, "store")}
	for _, s := range steps() {
		for _, begin := range s.begin {
			all, ours := declared[strings.SplitN(begin, ".", 2)[0]]
			if ours && !slices.ContainsFunc(all, func(name string) bool { return strings.HasPrefix(name, begin) }) {
				t.Errorf("%s: no function begins with %s", s.name, begin)
			}
		}
	}
}

// functions are the functions that a package declares, as a profile names them.
func functions(t *testing.T, pkg string) []string {
	files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no source: %v", pkg, err)
	}
	var names []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
			case f.Recv == nil:
				names = append(names, pkg+"."+f.Name.Name)
			default:
				of := types.ExprString(f.Recv.List[0].Type)
				if strings.HasPrefix(of, "*") {
					of = "(" + of + ")"
				}
				names = append(names, pkg+"."+of+"."+f.Name.Name)
			}
		}
	}
	return names
}

func lineOf(text, start string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, start) {
			return strings.TrimRight(line, "\n")
		}
	}
	return ""
}
