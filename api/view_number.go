package api

import (
	"math"
	"strconv"
	"strings"
)

// count writes 13,020.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// counted writes "1 failure" or "412 failures".
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// percent writes part of whole as "3.1 %". What is not nothing never reads as 0 %, and what is not all never as 100 %.
func percent(part, whole int64) string {
	switch {
	case whole <= 0 || part <= 0:
		return "0 %"
	case part >= whole:
		return "100 %"
	}
	share := 100 * float64(part) / float64(whole)
	switch {
	case share < 0.1:
		return "< 0.1 %"
	case share > 99.9:
		return "> 99.9 %"
	case share < 10:
		return strconv.FormatFloat(share, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(math.Min(math.Round(share), 99), 'f', 0, 64) + " %"
	}
}

// A change says how a figure compares with the same time earlier. Trend is "worse", "better" or "same": more is worse.
type change struct {
	Words string
	Trend string
}

// compare puts now against before in words; then names the earlier time, such as "last week".
func compare(now, before int64, then string) change {
	switch {
	case now == 0 && before == 0:
		return change{"none " + then + " either", "same"}
	case before == 0:
		return change{"none " + then, "worse"}
	case now == 0:
		return change{count(before) + " " + then, "better"}
	}
	ratio := float64(now) / float64(before)
	was := then + " (" + count(before) + ")"
	switch {
	case ratio >= 1.95:
		return change{factor(ratio) + "× " + was, "worse"}
	case ratio > 1.05:
		return change{strconv.Itoa(int(math.Round((ratio-1)*100))) + " % more than " + was, "worse"}
	case ratio >= 0.95:
		return change{"about the same as " + was, "same"}
	default:
		return change{strconv.Itoa(max(1, int(math.Round((1-ratio)*100)))) + " % fewer than " + was, "better"}
	}
}

// compareShare puts two shares against each other; both are part and whole.
func compareShare(part, whole, partThen, wholeThen int64, then string) change {
	if wholeThen == 0 {
		return change{"no requests " + then, "same"}
	}
	words := percent(partThen, wholeThen) + " " + then
	now, before := ratioOf(part, whole), ratioOf(partThen, wholeThen)
	switch {
	case now > before*1.05:
		return change{"up from " + words, "worse"}
	case now < before*0.95:
		return change{"down from " + words, "better"}
	default:
		return change{words + " too", "same"}
	}
}

func ratioOf(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// factor writes 2.4 below ten and 38 above.
func factor(ratio float64) string {
	if ratio < 9.95 {
		return strings.TrimSuffix(strconv.FormatFloat(ratio, 'f', 1, 64), ".0")
	}
	return count(int64(math.Round(ratio)))
}
