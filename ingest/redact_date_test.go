package ingest

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

func TestIsPlainDate_IsWhatRedactionLeavesAlone(t *testing.T) {
	w := walk{Redactor: testRedactor(t)}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		text := time.Unix(rng.Int64N(8e9), 0).UTC().Format(http.TimeFormat)
		if !isPlainDate([]byte(text)) {
			t.Fatalf("%q is no date", text)
		}
		if out := w.headerText("date", text); out != text || len(w.found) > 0 || w.failed {
			t.Fatalf("%q becomes %q", text, out)
		}
		other := []byte(text)
		if at := rng.IntN(len(other)); at > 2 && at < 8 || at > 10 { // no letter of a name
			if other[at] ^= 0x40; isPlainDate(other) {
				t.Fatalf("%q is taken for a date", other)
			}
		}
	}
	for _, text := range []string{"", "onT, 23 Nov 2026 02:00:00 GMT", "Mon, 23 anF 2026 02:00:00 GMT", "Mon, 23 Nov 2026 02:00:00 UTC", "Mon, 23 Nov 2026 02:00:00 GMT ", "abc, 23 Nov 2026 02:00:00 GMT"} {
		if isPlainDate([]byte(text)) {
			t.Errorf("%q is taken for a date", text)
		}
	}
}
