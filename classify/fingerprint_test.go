package classify

import (
	"strconv"
	"strings"
	"testing"
)

// What is taken for plain is what strconv.AppendQuote leaves as it is, wherever in a text the byte stands.
func TestAppendQuoted_EachByte(t *testing.T) {
	for c := range 256 {
		for before := range 9 {
			for after := range 9 {
				text := strings.Repeat("a", before) + string([]byte{byte(c)}) + strings.Repeat("~", after)
				if got, want := string(appendQuoted(nil, text)), strconv.Quote(text); got != want {
					t.Fatalf("%q is quoted as %s, want %s", text, got, want)
				}
			}
		}
	}
}
