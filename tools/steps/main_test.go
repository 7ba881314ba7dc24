package main

import (
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

func lineOf(text, start string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, start) {
			return strings.TrimRight(line, "\n")
		}
	}
	return ""
}
