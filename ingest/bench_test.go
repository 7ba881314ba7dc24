package ingest

import (
	"fmt"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	red := testRedactor(b)
	for name, body := range map[string][]byte{
		"decoded token": []byte(apiCall(1, "x", 401, "j", second(100))),
		"raw token":     vectors(b)[0].Record,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				Decode(body, red)
			}
		})
	}
}

// Successes of one client, of which each has ids of its own and a grant its own assertion.
func BenchmarkQuickSuccess(b *testing.B) {
	i := quickIngester(b)
	for name, record := range map[string]func(n int) string{
		"call": func(n int) string { return apiCall(1, fmt.Sprintf("c-%d", n), 200, "j", second(100)) },
		"grant": func(n int) string {
			return tokenRequest(1, fmt.Sprintf("g-%d", n), 200, `,"client_assertion":`+assertionAt(1, fmt.Sprintf("%022x", n), tokenEndpoint))
		},
	} {
		b.Run(name, func(b *testing.B) {
			parts := make([]part, 1000)
			for n := range parts {
				parts[n], _ = newSplitter([]byte(record(n))).next()
			}
			in := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, ok := i.quickSuccess(&in, parts[n%len(parts)]); !ok {
					b.Fatal("not read quickly")
				}
			}
		})
	}
}
