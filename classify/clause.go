package classify

import "strings"

// A phraseReader cuts a text into clauses and gives the terms of each. Examples in parentheses and URLs are skipped: they name things
// that did not go wrong. CamelCase codes such as TokenExpiredError are read as words.
type phraseReader struct {
	lexicon lexicon
	text    string
	pos     int
	clause  phrase
	word    [48]byte // longer words are in no lexicon
	n       int
}

func (r *phraseReader) letter(c byte) {
	if r.n < len(r.word) {
		r.word[r.n] = c
		r.n++
	}
}

func (r *phraseReader) endWord() {
	if r.n > 0 && !r.quotedNothing() {
		r.clause.add(r.lexicon, r.word[:r.n])
	}
	r.n = 0
}

// quotedNothing reports whether the word that ends here is a printed value, as in "ValidIssuer: 'null'", which says of nothing that it is missing.
func (r *phraseReader) quotedNothing() bool {
	switch string(r.word[:r.n]) {
	case "null", "undefined", "nil", "none":
	default:
		return false
	}
	start := r.pos - r.n - 1
	return start >= 0 && r.pos < len(r.text) && strings.IndexByte("'\"`", r.text[start]) >= 0 && r.text[start] == r.text[r.pos]
}

// next reads one clause that holds a term; ok is false at the end of the text.
func (r *phraseReader) next() (clause phrase, ok bool) {
	for r.pos < len(r.text) {
		ends := endsClause(r.text, r.pos)
		r.step()
		r.pos++
		if ends && r.clause.speaks() {
			break
		}
		if ends {
			r.clause = phrase{}
		}
	}
	r.endWord()
	clause, r.clause = r.clause, phrase{}
	return clause, clause.speaks()
}

// speaks reports whether a clause holds a notion of its own.
func (p *phrase) speaks() bool { return p.terms != 0 || p.notes.any(nJSON) }

// step reads the character at pos, or the URL or the example that begins there.
func (r *phraseReader) step() {
	text, i := r.text, r.pos
	switch c := text[i]; {
	case c >= 'A' && c <= 'Z':
		if i > 0 && (isLower(text, i-1) && !oneWord(r.word[:r.n]) || endsAcronym(text, i) && string(r.word[:r.n]) != "id") {
			r.endWord()
		}
		r.letter(c + 'a' - 'A')
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '#', c == '-' && r.n > 0:
		r.letter(c)
	case c == '\'' && r.n > 0 && i+1 < len(text) && text[i+1] >= 'a' && text[i+1] <= 'z', c == '/' && string(r.word[:r.n]) == "application":
		r.letter(c) // isn't, application/x-www-form-urlencoded
	case c == ':' && strings.HasPrefix(text[i:], "://"):
		r.n = 0
		for r.pos+1 < len(text) && strings.IndexByte(" \t\r\n\"'<>),", text[r.pos+1]) < 0 {
			r.pos++
		}
	case c == '!' && strings.HasPrefix(text[i:], "!="):
		r.endWord()
		r.clause.add(r.lexicon, []byte("mismatch"))
		r.pos++
	case c == ',':
		r.endWord()
		r.clause.parts++
	case c == '{' && i > 0:
		r.endWord()
		r.pos += quotedToken(text[i:])
	case c == '(' && (strings.HasPrefix(text[i:], "(e.g") || strings.HasPrefix(text[i:], "(tried")):
		r.endWord()
		r.pos += max(0, strings.IndexByte(text[i:], ')'))
	default:
		r.endWord()
	}
}

// quotedToken is the length, less one, of the JSON object that a text begins with if that is a token's header or claims, which some
// servers repeat behind their reason: data, not words. An object that holds the reason itself is left to be read.
func quotedToken(text string) int {
	if strings.Contains(text, `"error`) || strings.Contains(text, `"message`) {
		return 0
	}
	object, rest, whole := strings.Cut(text, "}")
	for _, member := range [...]string{`"alg`, `"iss`, `"aud`, `"exp`, `"iat`, `"jti`} {
		switch {
		case !strings.Contains(object, member):
		case !whole:
			return len(text) - 1 // it was cut off
		default:
			return len(object) + 1 + strings.LastIndexByte(rest, '}')
		}
	}
	return 0
}

// endsClause reports whether the character at i ends a clause; a dot inside a name and a colon inside a time do not.
func endsClause(text string, i int) bool {
	switch text[i] {
	case '\n', ';', '|':
		return true
	case '!':
		return i+1 == len(text) || text[i+1] != '='
	case '.', ':':
		return i+1 == len(text) || strings.IndexByte(" \n\"", text[i+1]) >= 0
	}
	return false
}

// endsAcronym reports whether the capital at i begins a word behind one in capitals: the S of JWTSignature, not that of JWTs.
func endsAcronym(text string, i int) bool {
	before := text[i-1]
	return before >= 'A' && before <= 'Z' && isLower(text, i+1) && isLower(text, i+2)
}

func isLower(text string, i int) bool { return i < len(text) && text[i] >= 'a' && text[i] <= 'z' }

// oneWord lists beginnings of capitalised words that are not two: maxAge, DPoP.
func oneWord(start []byte) bool { return string(start) == "max" || string(start) == "dpo" }
