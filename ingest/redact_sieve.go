package ingest

import "strings"

// Sieves: one look at a text that says which nets could catch something in it. Nearly every text of a log passes all of
// them, so the nets, which look closely, are kept for the few that do not. A sieve may hold back too much, never too little.

// traces are what a text holds that a net looks for.
type traces uint16

const (
	traceJSON       traces = 1 << iota // a bracket
	traceQuote                         // a double quote
	tracePercent                       // %
	traceAssignment                    // = or :
	traceEncoded                       // a run of minEncoded characters of base64
	traceShape                         // something that the last net would look at
)

// The classes of bytes that sieves tell apart.
const (
	byteRun      = 1 << iota // of base64 in either alphabet, padding or a dot: runs of these hold tokens and keys
	byteDot                  // .
	byteEquals               // =
	byteBlank                // what may stand between a scheme and its credential
	byteOther                // has a trace of its own
	byteDash                 // -
	byteVendor               // one of these is in every prefix of vendorPrefixes
	byteFirst                // begins one of vendorPrefixes
	byteSecond               // comes second in one
	byteBase64               // of base64 in either alphabet
	byteID                   // of identifiers in hexadecimal
	byteOddInURL             // that url looks at closely, apart from the slash and what has a trace of its own
)

// byteClasses is a value of its own so that looking a byte up costs no call. Above the classes of a byte is what it stands for in base64.
type byteClasses [256]uint32

const byteSextet = 16 // where that begins

func newByteClasses() *byteClasses {
	var out byteClasses
	for i := range out {
		c := byte(i)
		out[i] = uint32(sextet(c)) << byteSextet
		if isBase64Byte(c) || c == '.' || c == '=' {
			out[i] |= byteRun
		}
		switch c {
		case '.':
			out[i] |= byteDot
		case '=':
			out[i] |= byteEquals
		case ' ', '\t', ':', '+', '%':
			out[i] |= byteBlank
		}
		switch c {
		case '{', '[', '"', '%', ':':
			out[i] |= byteOther
		case '-':
			out[i] |= byteDash | byteVendor
		case '_', '.', 'A':
			out[i] |= byteVendor
		}
		if isBase64Byte(c) {
			out[i] |= byteBase64
		}
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c == '-' {
			out[i] |= byteID
		}
		switch c {
		case '+', '@', '#', '?', '\\', ' ', '\t', '\r', '\n':
			out[i] |= byteOddInURL
		}
	}
	for _, prefix := range vendorPrefixes() {
		out[prefix[0]] |= byteFirst
		out[prefix[1]] |= byteSecond
	}
	return &out
}

// traces looks at a text once.
func (r *Redactor) traces(s string) traces {
	var found traces
	classes := r.classes
	for i := 0; i < len(s); {
		c := s[i]
		class := classes[c]
		if class&byteRun == 0 {
			if class&byteOther != 0 {
				found |= traceOf(c)
			}
			i++
			continue
		}
		start, all := i, class
		for i++; i < len(s) && classes[s[i]]&byteRun != 0; i++ {
			all |= classes[s[i]]
		}
		if all&byteEquals != 0 {
			found |= traceAssignment
		}
		if i-start >= minShape {
			found |= r.runTraces(s, start, i, all)
		}
		blank := all&byteBlank != 0 || i < len(s) && classes[s[i]]&byteBlank != 0
		if blank && found&traceShape == 0 && mayEndScheme(s, start, i) {
			found |= traceShape
		}
	}
	return found
}

func traceOf(c byte) traces {
	switch c {
	case '"':
		return traceQuote
	case '%':
		return tracePercent
	case ':':
		return traceAssignment
	}
	return traceJSON
}

// minShape is the shortest run in which a token or a maker's key can be.
const minShape = 9

// runTraces looks at the run from start to end.
func (r *Redactor) runTraces(s string, start, end int, all uint32) traces {
	var found traces
	run := s[start:end]
	if len(run) >= minEncoded {
		found |= traceEncoded
	}
	switch {
	case len(run) >= wrapWidth && beginsLineBreak(s[end:]): // a token may begin at its end, a key go on
		return found | traceShape
	case all&byteDash != 0 && strings.Contains(run, "-----"), len(run) >= minBareKey && holdsBareKey(run): // in armour, or bare
		return found | traceShape
	case len(run) >= minVendorKey && all&byteVendor != 0 && r.holdsVendorKey(run), all&byteDot != 0 && mayHoldToken(run):
		return found | traceShape
	}
	return found
}

func beginsLineBreak(s string) bool {
	return s != "" && (s[0] == '\r' || s[0] == '\n' || len(s) > 1 && s[0] == '\\' && strings.IndexByte("\\nr", s[1]) >= 0)
}

// holdsBareKey asks of each stretch of base64 in a run what bareKeys asks.
func holdsBareKey(run string) bool {
	for len(run) >= minBareKey {
		end := strings.IndexAny(run, ".=")
		if end < 0 {
			end = len(run)
		}
		if end >= minBareKey && bareKeyType(run[:end]) != "" {
			return true
		}
		run = run[min(end+1, len(run)):]
	}
	return false
}

func mayHoldToken(run string) bool {
	for at := 0; at+4 <= len(run); at++ {
		switch run[at] {
		case 'e', 'I', 'C', 'D':
			if mayStartObject(run[at:]) {
				return true
			}
		}
	}
	return false
}

// minVendorKey is the shortest key that vendorKeys replaces: a prefix of three and twelve more.
const minVendorKey = 15

// holdsVendorKey is one pass for all prefixes: nearly every text has none of them, and looking for each in each text
// was a tenth of the work on a record.
func (r *Redactor) holdsVendorKey(s string) bool {
	seen, classes := 0, r.classes
	for i := 0; i+minVendorKey <= len(s); i++ {
		if classes[s[i]]&byteFirst == 0 || classes[s[i+1]]&byteSecond == 0 || !mayBeginVendorKey(s[i], s[i+1]) {
			continue
		}
		for _, prefix := range r.vendors {
			if !strings.HasPrefix(s[i:], prefix) {
				continue
			}
			if seen++; seen > maxLooks || isVendorKey(s[i:vendorKeyEnd(s, i+len(prefix))], prefix) {
				return true
			}
		}
	}
	return false
}

// maxLooks is how many prefixes of keys or names of schemes in one text are looked at closely before it is left to the
// net: each look can go to the end of the text.
const maxLooks = 8

// mayEndScheme is true when a run from start to end, or a part of it before a plus, ends with the name of a scheme
// and is followed by what could be a credential.
func mayEndScheme(s string, start, end int) bool {
	seen := 0
	for i := start; i <= end; i++ {
		if i < end && s[i] != '+' {
			continue
		}
		word := i
		for word > start && isLetter(s[word-1]) {
			word--
		}
		if !isTextScheme(s[word:i]) {
			continue
		}
		from, to := credentialAfter(s, i)
		if seen++; seen > maxLooks || to > from && mayBeCredential(s[word:i], s[from:to]) {
			return true
		}
	}
	return false
}

func mayBeCredential(scheme, credential string) bool {
	return strings.EqualFold(scheme, "basic") || len(credential) >= minCredential && isRandom(credential)
}

// isPlainID is true for an identifier in hexadecimal, such as a UUID, in which no net would catch anything: it has neither the
// letters nor the marks of what they look for, and is too short for a bare key.
func (r *Redactor) isPlainID(s string) bool { return isPlainID(r.classes, s) }

func isPlainID[T string | []byte](classes *byteClasses, s T) bool {
	if len(s) >= minBareKey {
		return false
	}
	dashes := 0
	for i := 0; i < len(s); i++ {
		class := classes[s[i]]
		if class&byteID == 0 {
			return false
		}
		dashes += int(class / byteDash & 1)
	}
	return dashes < len("-----") && (len(s) < minEncoded || !mayEncodeText(classes, s))
}

// isPlainDate is true for the Date of an answer, as RFC 9110 has it: nothing in it is anything else, whatever its digits say.
func isPlainDate(s []byte) bool {
	const form, days, months = "Mon, 00 Jan 0000 00:00:00 GMT", "MonTueWedThuFriSatSun", "JanFebMarAprMayJunJulAugSepOctNovDec"
	if len(s) != len(form) || strings.Index(days, string(s[:3]))%3 != 0 || strings.Index(months, string(s[8:11]))%3 != 0 {
		return false
	}
	for i := 3; i < len(form); i++ {
		if c := form[i]; (i < 8 || i >= 11) && (c == '0' && s[i]-'0' > 9 || c != '0' && s[i] != c) {
			return false
		}
	}
	return true
}

// isPlainValue is true for a date or an identifier in which no net would catch anything, be it read as running text or as an address.
func isPlainValue(classes *byteClasses, s []byte) bool {
	return isPlainDate(s) || isPlainID(classes, s)
}

// isPlainURL is true for an address of short segments, with neither query nor anything encoded, in which no net would catch anything.
func (w *walk) isPlainURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https:")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http:"); !ok {
			return false
		}
	}
	if !strings.HasPrefix(rest, "//") || !w.hasShortSegments(rest) {
		return false
	}
	found := w.traces(rest)
	return found == 0 || found == traceEncoded && w.base64Encoded(rest[len("//"):], true) == rest[len("//"):] && !w.failed && len(w.found) == 0
}

// hasShortSegments is true for a path whose segments could hold nothing encoded.
func (r *Redactor) hasShortSegments(path string) bool {
	length, classes := 0, r.classes
	for i := 0; i < len(path); i++ {
		c := path[i]
		length++
		if c == '/' {
			length = 0
		}
		if length >= minEncoded || classes[c]&byteOddInURL != 0 {
			return false
		}
	}
	return true
}
