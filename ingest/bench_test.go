package ingest

import "testing"

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
