package classify

import "testing"

// BenchmarkKnowledge finds a documented text in an answer of usual length among all that are known. It must not allocate.
func BenchmarkKnowledge(b *testing.B) {
	const said = "IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '11/20/2026 14:03:20', Current time (UTC): '11/20/2026 14:05:00'."
	k := NewKnowledge(DocumentedTexts())
	b.ReportAllocs()
	for b.Loop() {
		if m, _ := k.find(said, APICall); m.pattern == nil {
			b.Fatal("not found")
		}
	}
}

// BenchmarkNewKnowledge is what a start pays for the texts.
func BenchmarkNewKnowledge(b *testing.B) {
	texts := DocumentedTexts()
	b.ReportAllocs()
	for b.Loop() {
		NewKnowledge(texts)
	}
}
