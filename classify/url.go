package classify

import "strings"

// An address is the part of a URL that tells where a request went. It is cut by hand because log lines hold half URLs
// ("/v1/orders", "api.example.com:8443/v1") that a strict parser refuses.
type address struct {
	scheme string // lower case, "" when absent
	host   string // lower case, without port and user
	path   string // begins with "/" or is empty; without query and fragment
}

func addressOf(url string) address {
	if e, plain := plainEndpoint(url); plain {
		return e.address
	}
	return cutAddress(url)
}

// cutAddress is addressOf for any URL.
func cutAddress(url string) address {
	if len(url) > 4096 {
		url = url[:4096]
	}
	var a address
	if i := strings.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := strings.IndexByte(url, '#'); i >= 0 {
		url = url[:i]
	}
	if i := strings.Index(url, "://"); i >= 0 {
		a.scheme, url = strings.ToLower(url[:i]), url[i+3:]
	} else if strings.HasPrefix(url, "/") {
		a.path = url
		return a
	}
	authority := url
	if i := strings.IndexByte(url, '/'); i >= 0 {
		authority, a.path = url[:i], url[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		authority = authority[:i]
	}
	a.host = strings.TrimSuffix(strings.ToLower(authority), ".")
	return a
}

// hostOf is the host that a request was sent to: the URL's, else the Host field's.
func hostOf(r *Record) string {
	if r.Request == nil {
		return ""
	}
	if a := addressOf(r.Request.URL); a.host != "" {
		return a.host
	}
	return addressOf(r.Request.Headers.Get("host")).host
}

// sameURL compares two URLs as an audience check that forgives nothing but letter case of scheme and host does.
func sameURL(a, b string) bool {
	if a == b {
		return true
	}
	x, y := addressOf(a), addressOf(b)
	return x.host != "" && x == y && !strings.ContainsAny(a+b, "?#@")
}

// nearMiss says how two values that ought to be equal differ when the difference is a classic slip, else "".
func nearMiss(got, want string) string {
	switch {
	case got == want:
		return ""
	case strings.TrimSpace(got) == want:
		return "it has white space around it"
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		if strings.HasSuffix(want, "/") {
			return "the trailing slash is missing"
		}
		return "it has a trailing slash too many"
	case strings.EqualFold(got, want):
		return "only the letter case differs"
	}
	g, w := addressOf(got), addressOf(want)
	switch {
	case g.host == "" || g.host != w.host:
		return ""
	case g.path == w.path && g.scheme != w.scheme:
		return "only the scheme differs"
	case g.path != w.path:
		return "the host is right, the path is not"
	}
	return ""
}

// matchesPath reports whether path fits a pattern with {name} segments; a trailing slash does not matter.
func matchesPath(pattern, path string) bool {
	pattern, path = strings.Trim(pattern, "/"), strings.Trim(path, "/")
	for {
		p, pattern1, moreP := strings.Cut(pattern, "/")
		s, path1, moreS := strings.Cut(path, "/")
		variable := len(p) > 2 && p[0] == '{' && p[len(p)-1] == '}' && s != ""
		if (p != s && !variable) || moreP != moreS {
			return false
		}
		if !moreP {
			return true
		}
		pattern, path = pattern1, path1
	}
}

// appendFolded appends a path with {id} for the segments that vary from call to call, so that endpoints can be counted.
func appendFolded(out []byte, path string) []byte {
	start := len(out)
	for n := 0; path != "" && len(out)-start < 120; n++ {
		path = strings.TrimPrefix(path, "/")
		segment, rest, more := strings.Cut(path, "/")
		out = append(out, '/')
		switch {
		case n >= 8:
			return append(out, "…"...)
		case variableSegment(segment):
			out = append(out, "{id}"...)
		default:
			out = append(out, segment...)
		}
		if path = rest; more && rest == "" {
			break
		}
	}
	return out
}

// variableSegment tells an identifier from a word: numbers, UUIDs, long or digit-heavy strings, anything escaped.
func variableSegment(segment string) bool {
	if segment == "" {
		return false
	}
	digits, odd := 0, false
	for i := 0; i < len(segment); i++ {
		switch c := segment[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.', c == '~':
		default:
			odd = true
		}
	}
	version := (segment[0] == 'v' || segment[0] == 'V') && digits > 0 && len(segment) <= 8
	switch {
	case odd, len(segment) > 40:
		return true
	case version:
		return false
	}
	return digits == len(segment) || digits >= 3 || (digits > 0 && len(segment) >= 8 && digits*4 >= len(segment))
}

// methodName keeps the methods of RFC 9110 and 5789 and folds the rest, so that endpoints stay a small set.
func methodName(method string) string {
	switch method {
	case "GET", "POST": // nearly all
		return method
	}
	switch m := strings.ToUpper(method); m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	case "":
		return "GET"
	}
	return "OTHER"
}

// nameEndpoint says where a request went: "POST api.example.com/v1/orders/{id}".
func (e *Exchange) nameEndpoint(method, host string, known *endpoints) {
	if host == "" && e.path == "" {
		return
	}
	method, host = methodName(method), host[:min(len(host), 100)]
	var buffer [256]byte
	name := append(append(append(buffer[:0], method...), ' '), host...)
	start := len(name)
	if len(e.routes) > 0 {
		name = append(name, e.routes[0].Path...)
	}
	if len(name) == start {
		name = appendFolded(name, e.path)
	}
	e.Endpoint = known.name(name)
}
