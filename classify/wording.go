package classify

import (
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// wordingLength bounds the text that is compared, in runes.
const wordingLength = 400

// Wording is a text without what is of one occasion only: identifiers, numbers, times, addresses and quoted values become
// placeholders, so that the same words of a server compare as the same. Codes such as AADSTS50013 and E-17 stay.
func Wording(text string) string {
	if isPlainWording(text) {
		return text
	}
	if runes := []rune(text); len(runes) > wordingLength {
		text = string(runes[:wordingLength])
	}
	fields := strings.Fields(withoutValues(text))
	for n, field := range fields {
		fields[n] = placeholderOf(field)
	}
	return strings.Join(fields, " ")
}

// isPlainWording is true for words in which nothing can be of one occasion only, as most answers have them.
func isPlainWording(text string) bool {
	run := 0 // letters in a row
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			if run++; run >= 24 {
				return false
			}
			continue
		case c == ' ':
			if i == 0 || i == len(text)-1 || text[i+1] == ' ' {
				return false
			}
		case c == ':':
			if i < len(text)-1 && text[i+1] != ' ' {
				return false
			}
		case strings.IndexByte("_-.,;!?()", c) < 0:
			return false
		}
		run = 0
	}
	return len(text) <= wordingLength
}

// withoutValues replaces what stands in quotes, and what redaction put in a credential's place.
func withoutValues(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for n := 0; n < len(runes); n++ {
		end := closing(runes, n)
		switch {
		case end < 0:
			b.WriteRune(runes[n])
		case runes[n] == '[' && !isMark(string(runes[n+1:end])):
			b.WriteRune(runes[n])
		case runes[n] == '[':
			b.WriteString("‹removed›")
			n = end
		default:
			b.WriteString("‹value›")
			n = end
		}
	}
	return b.String()
}

// closing is where what opens at n closes, or -1 where nothing opens: an apostrophe in a word does not.
func closing(runes []rune, n int) int {
	close := closer(runes[n])
	if close == 0 || n > 0 && (unicode.IsLetter(runes[n-1]) || unicode.IsDigit(runes[n-1])) {
		return -1
	}
	for end := n + 1; end < len(runes); end++ {
		inWord := end+1 < len(runes) && unicode.IsLetter(runes[end+1])
		if runes[end] == close && !(close == '\'' && inWord) {
			return end
		}
	}
	return -1
}

// closer is what closes what a rune opens, or 0.
func closer(open rune) rune {
	switch open {
	case '"', '\'', '`':
		return open
	case '“':
		return '”'
	case '‘':
		return '’'
	case '«':
		return '»'
	case '[':
		return ']'
	}
	return 0
}

// isMark knows what redaction leaves in brackets.
func isMark(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	switch word {
	case "jwt", "jwe", "opaque", "secret", "code", "redacted", "set", "signature", "private", "malformed:":
		return true
	}
	return false
}

// placeholderOf replaces a word, without the punctuation around it.
func placeholderOf(word string) string {
	const opening, ending = `([{<"'=:,`, `)]}>.,;:!?"'`
	core := strings.TrimRight(strings.TrimLeft(word, opening), ending)
	if core == "" || strings.HasPrefix(core, "‹") || isPlainWording(core) {
		return word
	}
	start := strings.Index(word, core)
	return word[:start] + placeholder(core) + word[start+len(core):]
}

func placeholder(core string) string {
	switch {
	case strings.Contains(core, "://"):
		return "‹url›"
	case strings.Contains(core, "@") && strings.Contains(core, "."), isAddress(core):
		return "‹address›"
	case looksLikeTime(core):
		return "‹time›"
	case strings.Trim(core, "0123456789.,+-%") == "" && strings.ContainsAny(core, "0123456789"):
		return "‹n›"
	case isUUID(core):
		return "‹id›"
	}
	return placeholders(core)
}

func isAddress(text string) bool {
	if !strings.ContainsAny(text, ".:") {
		return false
	}
	_, err := netip.ParseAddr(text)
	if err != nil {
		_, err = netip.ParseAddrPort(text)
	}
	return err == nil
}

func looksLikeTime(text string) bool {
	if len(text) < len("5:04:05") || text[0] < '0' || text[0] > '9' { // an error of time.Parse costs more than all else here
		return false
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly, time.TimeOnly, "15:04:05Z"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

func isUUID(text string) bool {
	return len(text) == 36 && strings.Count(text, "-") == 4 && isHex(strings.ReplaceAll(text, "-", ""))
}

func isHex(text string) bool { return strings.Trim(strings.ToLower(text), "0123456789abcdef") == "" }

// placeholders looks at each run of letters and digits of a word by itself: exp=1732240000 is exp=‹n›.
func placeholders(core string) string {
	var b strings.Builder
	before := "" // the run before the separator
	for core != "" {
		end := strings.IndexFunc(core, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		switch {
		case end < 0:
			end = len(core)
		case end == 0:
			_, end = utf8.DecodeRuneInString(core)
			if core[:end] != "-" {
				before = ""
			}
			b.WriteString(core[:end])
			core = core[end:]
			continue
		}
		b.WriteString(placeholderOfRun(core[:end], before))
		before, core = core[:end], core[end:]
	}
	return b.String()
}

// placeholderOfRun replaces a run of letters and digits. before is the run that a hyphen joins it to: E-17 is a code.
func placeholderOfRun(run, before string) string {
	digits, changes, last := 0, 0, -1
	upper, lower := false, false
	for _, r := range run {
		kind := 0
		if unicode.IsDigit(r) {
			kind = 1
			digits++
		}
		if last >= 0 && kind != last {
			changes++
		}
		last = kind
		upper, lower = upper || unicode.IsUpper(r), lower || unicode.IsLower(r)
	}
	isCode := before != "" && len(before) <= 8 && strings.ToUpper(before) == before && strings.IndexFunc(before, unicode.IsDigit) < 0
	switch {
	case digits == len(run) && isCode && digits <= 6:
		return run
	case digits == len(run):
		return "‹n›"
	case digits > 0 && len(run) >= 8 && isHex(run):
		return "‹hex›"
	case digits == 0 && len(run) >= 24 && upper && lower:
		return "‹id›"
	case changes == 1 && last == 1 && lower && !upper && digits >= 4:
		return strings.TrimRight(run, "0123456789") + "‹n›"
	case changes >= 2 && len(run) >= 8:
		return "‹id›"
	}
	return run
}
