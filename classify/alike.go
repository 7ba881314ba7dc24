package classify

import "bytes"

// Alike tells which URLs differ only in numbers that no profile names, so that records of calls to them are placed alike: by one
// Provider, Environment, Phase and Endpoint, other things being equal. It is immutable.
type Alike struct {
	numbers map[string]bool // segments of paths that are numbers and named by a profile
}

// NewAlike reads which numbers the profiles name.
func NewAlike(profiles Profiles) *Alike {
	a := &Alike{numbers: map[string]bool{}}
	for _, p := range profiles {
		if p == nil {
			continue
		}
		for i := range p.Scopes {
			a.keep(p.Scopes[i].Path)
		}
		for i := range p.Environments {
			for _, u := range p.Environments[i].TokenEndpoints {
				a.keep(u)
			}
		}
	}
	return a
}

func (a *Alike) keep(path string) {
	for _, segment := range bytes.FieldsFunc([]byte(path), func(c rune) bool { return c == '/' || c == '?' || c == '#' }) {
		if isNumber(segment) {
			a.numbers[string(segment)] = true
		}
	}
}

func isNumber(segment []byte) bool {
	for _, c := range segment {
		if c-'0' > 9 {
			return false
		}
	}
	return len(segment) > 0
}

// maxAlike is how long a URL may be, in bytes, whose numbers are left out: longer ones are cut by who places them.
const maxAlike = 1 << 10

// AppendURL appends a URL without its numbers: the same bytes for URLs that are alike. A NUL, which no URL has, stands for each.
func (a *Alike) AppendURL(out, url []byte) []byte {
	start := pathStart(url)
	if start < 0 || len(url) > maxAlike {
		return append(out, url...)
	}
	out = append(out, url[:start]...)
	for path := url[start:]; len(path) > 0; {
		end := 1
		for end < len(path) && path[end] != '/' {
			if path[end] == '?' || path[end] == '#' {
				return append(out, path...)
			}
			end++
		}
		if segment := path[1:end]; isNumber(segment) && !a.numbers[string(segment)] {
			out = append(out, '/', 0)
		} else {
			out = append(out, path[:end]...)
		}
		path = path[end:]
	}
	return out
}

// pathStart is where the path of a URL begins that is written in the usual way; -1 for any other.
func pathStart(url []byte) int {
	rest := url
	for _, scheme := range [...]string{"https://", "http://"} {
		if bytes.HasPrefix(url, []byte(scheme)) {
			rest = url[len(scheme):]
			break
		}
	}
	path := bytes.IndexByte(rest, '/')
	if path < 0 || len(rest) == len(url) && path != 0 || bytes.IndexByte(rest[:path], '?') >= 0 || bytes.IndexByte(rest[:path], '#') >= 0 || bytes.Contains(rest, []byte("://")) {
		return -1
	}
	return len(url) - len(rest) + path
}
