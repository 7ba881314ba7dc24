package api

import (
	"slices"
	"strings"
)

// A diffLine is a line of a comparison. Sign is "+", "-", " " or "…" where lines that are the same are left out.
type diffLine struct {
	Sign, Text, Class string
}

// diffAround is how many lines that are the same stand around those that differ.
const diffAround = 3

// diffOf compares two texts line by line; it is empty when they are the same. Line numbers are not its concern.
func diffOf(was, now string) []diffLine {
	a, b := diffLines(was), diffLines(now)
	all := mergeLines(a, b)
	if !slices.ContainsFunc(all, diffLine.differs) {
		return nil
	}
	var out []diffLine
	for n, l := range all {
		near := slices.ContainsFunc(all[max(0, n-diffAround):min(len(all), n+diffAround+1)], diffLine.differs)
		switch {
		case near:
			out = append(out, l)
		case len(out) == 0 || out[len(out)-1].Sign != "…":
			out = append(out, diffLine{Sign: "…"})
		}
	}
	return out
}

func (l diffLine) differs() bool { return l.Sign == "+" || l.Sign == "-" }

func diffLines(text string) []string {
	list := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for n := range list {
		list[n] = shown(list[n], 4*valueLength)
	}
	return list
}

// maxCells bounds the table of a comparison: texts with more lines that may differ are shown as replaced.
const maxCells = 4 << 20

// mergeLines finds a longest common subsequence between what is the same at the beginning and at the end.
func mergeLines(a, b []string) []diffLine {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	same := func(list []string) (out []diffLine) {
		for _, text := range list {
			out = append(out, diffLine{" ", text, ""})
		}
		return out
	}
	middle := mergeMiddle(a[head:len(a)-tail], b[head:len(b)-tail])
	return slices.Concat(same(a[:head]), middle, same(a[len(a)-tail:]))
}

func mergeMiddle(a, b []string) (out []diffLine) {
	removed := func(text string) { out = append(out, diffLine{"-", text, "check-fail"}) }
	added := func(text string) { out = append(out, diffLine{"+", text, "check-pass"}) }
	i, j := 0, 0
	if len(a)*len(b) <= maxCells {
		longest := commonLengths(a, b)
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				out = append(out, diffLine{" ", a[i], ""})
				i, j = i+1, j+1
			case longest[i+1][j] >= longest[i][j+1]:
				removed(a[i])
				i++
			default:
				added(b[j])
				j++
			}
		}
	}
	for _, text := range a[i:] {
		removed(text)
	}
	for _, text := range b[j:] {
		added(text)
	}
	return out
}

// commonLengths holds at [i][j] the length of the longest common subsequence of a[i:] and b[j:].
func commonLengths(a, b []string) [][]int32 {
	table := make([][]int32, len(a)+1)
	for i := range table {
		table[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}
