package classify

import (
	"encoding/json"
	"strings"
)

// Bounds of what is read of a body: servers put the reason early, and hostile ones put in anything.
const (
	maxBody  = 64 << 10 // bytes
	maxTexts = 48       // strings
	maxDepth = 8
	maxText  = 2 << 10 // bytes of one string
)

// A bodyReader walks the strings and numbers of a JSON value without building it: a response is read once, for a few of its members.
type bodyReader struct {
	data  []byte
	pos   int
	count int
	each  func(path string, key, value string)
}

// readBody calls each with every string and number of the body, in document order, with the nearest member name and the dotted
// path. A body that is text is one value with an empty key; text that holds JSON is opened once.
func readBody(body Body, each func(path, key, value string)) {
	if len(body) == 0 {
		return
	}
	data := []byte(body)
	if data[0] == '"' {
		text := stringAt(data)
		if len(text) > maxBody {
			text = text[:maxBody]
		}
		trimmed := strings.TrimSpace(text)
		if !strings.HasPrefix(trimmed, "{") || !json.Valid([]byte(trimmed)) {
			each("response.body", "", text)
			return
		}
		data = []byte(trimmed)
	}
	if len(data) > maxBody {
		data = data[:maxBody]
	}
	r := bodyReader{data: data, each: each}
	r.value("response.body", "", 0)
}

func stringAt(data []byte) string {
	end := stringEnd(data, 0)
	raw := data[1 : max(end, 2)-1]
	if strings.IndexByte(string(raw), '\\') < 0 {
		return string(raw)
	}
	var text string
	if json.Unmarshal(data[:end], &text) != nil {
		return string(raw)
	}
	return text
}

// stringEnd returns the index after the closing quote of the string that begins at pos.
func stringEnd(data []byte, pos int) int {
	for i := pos + 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

func (r *bodyReader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.pos++
		default:
			return
		}
	}
}

func (r *bodyReader) value(path, key string, depth int) {
	r.space()
	if r.pos >= len(r.data) || r.count >= maxTexts {
		r.pos = len(r.data)
		return
	}
	switch c := r.data[r.pos]; {
	case c == '{' || c == '[':
		r.pos++
		r.members(path, key, depth, c == '{')
	case c == '"':
		r.give(path, key, r.text())
	default:
		start := r.pos
		for r.pos < len(r.data) && strings.IndexByte(",]} \t\r\n", r.data[r.pos]) < 0 {
			r.pos++
		}
		if c == '-' || (c >= '0' && c <= '9') {
			r.give(path, key, string(r.data[start:r.pos]))
		}
		if r.pos == start {
			r.pos++
		}
	}
}

func (r *bodyReader) members(path, key string, depth int, object bool) {
	for {
		r.space()
		if r.pos >= len(r.data) {
			return
		}
		if c := r.data[r.pos]; c == '}' || c == ']' {
			r.pos++
			return
		}
		name, inner := key, path
		if object {
			if r.data[r.pos] != '"' {
				r.pos = len(r.data)
				return
			}
			name = r.text()
			inner = memberPath(path, name)
		}
		if depth >= maxDepth {
			r.pos = len(r.data)
			return
		}
		r.value(inner, name, depth+1)
	}
}

// memberPath is the path of a member. The usual ones are spelt out, since nearly every answer has them.
func memberPath(path, name string) string {
	if path == "response.body" {
		switch name {
		case "error":
			return "response.body.error"
		case "error_description":
			return "response.body.error_description"
		case "message":
			return "response.body.message"
		case "code":
			return "response.body.code"
		}
	}
	return path + "." + clip(name)
}

func (r *bodyReader) text() string {
	end := stringEnd(r.data, r.pos)
	raw := r.data[r.pos:end]
	r.pos = end
	if len(raw) > maxText {
		raw = raw[:maxText]
		return strings.ToValidUTF8(string(raw[1:]), "")
	}
	return stringAt(raw)
}

func (r *bodyReader) give(path, key, value string) {
	r.count++
	r.each(path, key, value)
}

// isHTML tells a page from a sentence.
func isHTML(text string) bool {
	head := text
	if len(head) > 512 {
		head = head[:512]
	}
	return strings.Contains(head, "<") && containsFold(head, "<html", "<!doctype", "<body", "<head", "<h1", "<title")
}

func containsFold(text string, words ...string) bool {
	lower := strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(lower, w) {
			return true
		}
	}
	return false
}

// pageText is the text of an HTML page without markup, scripts and styles, bounded to maxText bytes.
func pageText(page string) string {
	var b strings.Builder
	for page != "" && b.Len() < maxText {
		i := strings.IndexByte(page, '<')
		if i < 0 {
			b.WriteString(page)
			break
		}
		b.WriteString(page[:i])
		page = page[i:]
		for _, element := range [...]string{"script", "style"} {
			if len(page) > len(element)+1 && strings.EqualFold(page[1:1+len(element)], element) {
				if end := strings.Index(strings.ToLower(page), "</"+element); end > 0 {
					page = page[end:]
				}
			}
		}
		end := strings.IndexByte(page, '>')
		if end < 0 {
			break
		}
		b.WriteByte('\n')
		page = page[end+1:]
	}
	text := b.String()
	if len(text) > maxText {
		text = text[:maxText]
	}
	return unescapeHTML(text)
}

// unescapeHTML undoes the entities that matter to matching; the result is compared, never shown as HTML.
func unescapeHTML(text string) string {
	if strings.IndexByte(text, '&') < 0 {
		return text
	}
	return strings.NewReplacer("&quot;", `"`, "&#34;", `"`, "&#39;", "'", "&#x27;", "'", "&apos;", "'", "&lt;", "<", "&gt;", ">", "&nbsp;", " ", "&amp;", "&").Replace(text)
}
