package ingest

import (
	"encoding/hex"
	"strings"
	"unicode"
)

// privateKeys replaces private keys: PEM, also with literal \n and cut off, and DER in base64 or hexadecimal without armour.
// Certificates and public keys stay.
func (w *walk) privateKeys(s string) string {
	return w.bareKeys(pemKeys(s))
}

func pemKeys(s string) string {
	const begin, dashes = "-----BEGIN", "-----"
	if !strings.Contains(s, begin) {
		return s
	}
	var out strings.Builder
	for {
		start := strings.Index(s, begin)
		if start < 0 {
			break
		}
		labelEnd := strings.Index(s[start+len(begin):], dashes)
		label := s[start+len(begin):]
		body := ""
		if labelEnd >= 0 {
			label, body = label[:labelEnd], label[labelEnd+len(dashes):]
		}
		if len(label) > 64 && labelEnd >= 0 || !strings.Contains(strings.ToUpper(label), "PRIVATE") {
			out.WriteString(s[:start+len(begin)])
			s = s[start+len(begin):]
			continue
		}
		out.WriteString(s[:start])
		end := strings.Index(body, "-----END")
		if end < 0 {
			return out.String() + "[private key, " + keyType(label) + ", cut]"
		}
		out.WriteString("[private key, " + keyType(label) + "]")
		s = body[end+len("-----END"):]
		if tail := strings.Index(s, dashes); tail >= 0 && tail <= 64 {
			s = s[tail+len(dashes):]
		}
	}
	return out.String() + s
}

func keyType(label string) string {
	label = strings.ToUpper(label)
	switch {
	case strings.Contains(label, "ENCRYPTED"):
		return "encrypted"
	case strings.Contains(label, "RSA"):
		return "PKCS#1"
	case strings.Contains(label, "EC "):
		return "SEC1"
	case strings.Contains(label, "DSA"):
		return "DSA"
	case strings.Contains(label, "OPENSSH"):
		return "OpenSSH"
	case strings.Contains(label, "PGP"):
		return "OpenPGP"
	}
	return "PKCS#8"
}

// minBareKey is the shortest stretch of base64 or hexadecimal that is looked at for a key.
const minBareKey = 40

// bareKeys replaces DER private keys that stand in a text as base64 or hexadecimal.
func (w *walk) bareKeys(s string) string {
	if !strings.Contains(s, "M") && !strings.Contains(s, "30") {
		return s
	}
	var out strings.Builder
	last := 0
	for i := 0; i < len(s); {
		if !isBase64Byte(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isBase64Byte(s[end]) {
			end++
		}
		kind := ""
		if end-i >= minBareKey {
			kind = bareKeyType(s[i:end])
		}
		if kind != "" {
			for end < len(s) && s[end] == '=' {
				end++
			}
			end = wrapEnd(s, end)
			out.WriteString(s[last:i] + "[private key, " + kind + "]")
			last = end
		}
		i = end
	}
	return out.String() + s[last:]
}

// bareKeyType looks at the first bytes only: SEQUENCE, version, then what tells the formats apart.
func bareKeyType(run string) string {
	if hexed := strings.TrimPrefix(run, "0x"); strings.HasPrefix(hexed, "30") {
		if der, err := hex.DecodeString(hexed[:min(len(hexed), 64)/2*2]); err == nil {
			if kind := derKeyType(der); kind != "" {
				return kind
			}
		}
	}
	// A key may stand behind a path or a label of the same alphabet, so each M is a possible start; 16 are enough for a text.
	tries := 0
	for at := 0; at+40 <= len(run) && tries < 16; at++ {
		if run[at] != 'M' {
			continue
		}
		tries++
		if der, err := decodeBase64(run[at : at+40]); err == nil {
			if kind := derKeyType(der); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// derKeyType names the private key whose DER starts like that, or "" (RFC 5208, RFC 8017 appendix A.1.2, RFC 5915).
func derKeyType(der []byte) string {
	rest, ok := derEnter(der, 0x30)
	if !ok {
		return ""
	}
	if inner, ok := derEnter(rest, 0x30); ok {
		// EncryptedPrivateKeyInfo starts with the algorithm, whose OID is one of PKCS #5 or #12: 1.2.840.113549.1.5 or .12.
		if len(inner) > 10 && inner[0] == 6 && string(inner[2:9]) == "\x2a\x86\x48\x86\xf7\x0d\x01" && (inner[9] == 5 || inner[9] == 12) {
			return "encrypted"
		}
		return ""
	}
	if len(rest) < 4 || rest[0] != 2 || rest[1] != 1 || rest[2] > 1 {
		return ""
	}
	switch after := rest[3:]; {
	case after[0] == 0x30:
		return "PKCS#8"
	case after[0] == 0x04:
		return "SEC1"
	case after[0] == 0x02 && len(after) > 1 && (after[1] >= 0x80 || after[1] >= 0x20):
		return "PKCS#1"
	}
	return ""
}

func derEnter(der []byte, tag byte) (inner []byte, ok bool) {
	if len(der) < 2 || der[0] != tag {
		return nil, false
	}
	skip := 2
	if der[1]&0x80 != 0 {
		skip += int(der[1] & 0x7f)
	}
	if skip > 6 || skip > len(der) {
		return nil, false
	}
	return der[skip:], true
}

// wrapEnd extends the end of a base64 text over the lines that continue it.
func wrapEnd(s string, end int) int {
	for {
		next, ok := afterLineBreak(s, end)
		if !ok {
			return end
		}
		line := next
		for line < len(s) && (isBase64Byte(s[line]) || s[line] == '=') {
			line++
		}
		if line == next {
			return end
		}
		end = line
	}
}

// afterLineBreak steps over one line break, real or the two characters \n, and the indentation after it.
func afterLineBreak(s string, i int) (next int, ok bool) {
	start := i
	for i < len(s) && s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == 'n' || s[i+1] == 'r') {
		if s[i+1] == '\\' {
			i++
			continue
		}
		i += 2
	}
	for i < len(s) && (s[i] == '\r' || s[i] == '\n') {
		i++
	}
	if i == start {
		return start, false
	}
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i, true
}

// credentials replaces opaque credentials in running text: after a scheme, in Basic encoding, or with their maker's prefix.
func (w *walk) credentials(s string) string {
	if len(s) < 12 {
		return s
	}
	return w.vendorKeys(w.afterScheme(s))
}

// afterScheme replaces what follows the name of a scheme, where it is no word of a sentence.
func (w *walk) afterScheme(s string) string {
	var out strings.Builder
	last := 0
	for i := 0; i < len(s); {
		if !isLetter(s[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(s) && isLetter(s[end]) {
			end++
		}
		glued := i > 0 && (isBase64Byte(s[i-1]) && s[i-1] != '/' && s[i-1] != '+' && s[i-1] != '-')
		if !glued && isTextScheme(s[i:end]) {
			from, to := credentialAfter(s, end)
			if !w.spend(to - from) {
				return ""
			}
			library := strings.HasPrefix(s[to:], ":") && isPackage(s[from:to+1])
			if marker, ok := w.schemeCredential(s[i:end], s[from:to]); ok && !library {
				out.WriteString(s[last:from] + marker)
				last, end = to, to
			}
		}
		i = end
	}
	if last == 0 {
		return s
	}
	return out.String() + s[last:]
}

// credentialAfter finds the word of credential characters after a scheme that ends at i, through blanks, colons, quotes and their encodings.
func credentialAfter(s string, i int) (from, to int) {
	start := i
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == ':' || s[i] == '+' || strings.HasPrefix(s[i:], "%20")) {
		if s[i] == '%' {
			i += 2
		}
		i++
	}
	if i == start {
		return i, i
	}
	for i < len(s) && (s[i] == '"' || s[i] == '\'' || s[i] == '\\') {
		i++
	}
	to = i
	for to < len(s) && (isBase64Byte(s[to]) || s[to] == '.' || s[to] == '~' || s[to] == '=') {
		to++
	}
	return i, to
}

func isTextScheme(s string) bool {
	switch len(s) {
	case 3:
		return strings.EqualFold(s, "jwt")
	case 4:
		return strings.EqualFold(s, "dpop")
	case 5:
		return strings.EqualFold(s, "token") || strings.EqualFold(s, "oauth") || strings.EqualFold(s, "basic")
	case 6:
		return strings.EqualFold(s, "bearer") || strings.EqualFold(s, "apikey")
	}
	return false
}

// minCredential is the shortest word after a scheme that is taken for a credential.
const minCredential = 16

func (w *walk) schemeCredential(scheme, credential string) (marker string, ok bool) {
	if strings.EqualFold(scheme, "basic") {
		user, ok := basicUser(credential)
		if !ok {
			return "", false
		}
		return "[" + w.userName(user) + ":set]", true
	}
	if len(credential) < minCredential || !isRandom(credential) || w.patterns.uuid.MatchString(credential) {
		return "", false
	}
	return w.opaque(credential), true
}

// vendorPrefixes are what the makers of keys put before them so that scanners find them; ours is among them.
func vendorPrefixes() []string {
	return []string{
		"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hvs.", "hvb.", "hvr.", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-",
		"sk_", "rk_", "sk-", "AKIA", "ASIA", "AIza", "ya29.", "npm_", "pypi-", "dop_v1_", "shpat_", "SG.", "aw_",
	}
}

// mayBeginVendorKey knows the first two letters of what vendorPrefixes lists.
func mayBeginVendorKey(first, second byte) bool {
	switch uint16(first)<<8 | uint16(second) {
	case 'g'<<8 | 'h', 'g'<<8 | 'i', 'g'<<8 | 'l', 'h'<<8 | 'v', 'x'<<8 | 'o', 's'<<8 | 'k', 's'<<8 | 'h', 'r'<<8 | 'k', 'A'<<8 | 'K', 'A'<<8 | 'S',
		'A'<<8 | 'I', 'y'<<8 | 'a', 'n'<<8 | 'p', 'p'<<8 | 'y', 'd'<<8 | 'o', 'S'<<8 | 'G', 'a'<<8 | 'w':
		return true
	}
	return false
}

// vendorKeys replaces keys that carry their maker's prefix.
func (w *walk) vendorKeys(s string) string {
	if !w.holdsVendorKey(s) {
		return s
	}
	for _, prefix := range w.vendors {
		if !strings.Contains(s, prefix) {
			continue
		}
		var out strings.Builder
		for {
			at := strings.Index(s, prefix)
			if at < 0 {
				break
			}
			end := vendorKeyEnd(s, at+len(prefix))
			key := s[at:end]
			out.WriteString(s[:at])
			if isVendorKey(key, prefix) {
				key = w.opaque(key)
			}
			out.WriteString(key)
			s = s[end:]
		}
		s = out.String() + s
	}
	return s
}

func vendorKeyEnd(s string, i int) int {
	for i < len(s) && (isBase64Byte(s[i]) && s[i] != '+' && s[i] != '/' || s[i] == '.') {
		i++
	}
	return i
}

func isVendorKey(key, prefix string) bool {
	return len(key) >= len(prefix)+12 && isRandom(key[len(prefix):])
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isBase64Byte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '+' || c == '/'
}

func isTokenText(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isBase64Byte(s[i]) {
			return false
		}
	}
	return true
}

func isPrintable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r' }) < 0
}
