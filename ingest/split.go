package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
)

// A part is one record in a body, or why there is none at that place.
type part struct {
	raw     []byte         // JSON text of the record
	outline *outline       // of raw, if it is known; good until the next part is asked for
	isLine  bool           // raw is a line of the body, and was scanned
	form    *callForm      // of raw, which then needed no scan
	access  []lineField    // of a line of an access log in text, of which raw was made
	members map[string]any // of a log record that a shipper's protocol brought, in the place of raw, or the same as it
	fault   *fault
	refused *problem   // in the place of a record: why the whole body is refused
	room    *batchRoom // for the record; nil: it has memory of its own
}

// parts takes a body of JSON objects apart while it is read; one of more than most records is refused.
func parts(body []byte, most int) iter.Seq[part] {
	return newSplitter(body).parts(most)
}

func (s *splitter) parts(most int) iter.Seq[part] {
	return func(yield func(part) bool) {
		for n := 0; ; n++ {
			p, more := s.next()
			if more && n == most {
				p, more = part{refused: tooManyRecords(most)}, false
				yield(p)
			}
			if !more || !yield(p) {
				return
			}
		}
	}
}

// A splitter cuts a body into records: one object, an array, NDJSON, concatenated or pretty-printed objects. A
// malformed record costs itself only: outside an array reading goes on at the next line, inside one after the element's closing bracket, or
// at the next line if there is none.
type splitter struct {
	body    []byte
	pos     int
	inArray bool
	outline outline
	forms   *forms // of lines that need no scan; nil for none
	rescan  int    // bytes that may still be read twice while looking for the next good line, which keeps hostile bodies linear
}

func newSplitter(body []byte) *splitter {
	s := &splitter{}
	s.begin(body)
	return s
}

// begin is for the next body.
func (s *splitter) begin(body []byte) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	s.body, s.pos, s.inArray, s.rescan = body, 0, false, 8*len(body)+1<<20
}

// next returns the next part; more is false at the end of the body.
func (s *splitter) next() (p part, more bool) {
	if s.skipToRecord(); s.pos == len(s.body) {
		return part{}, false
	}
	if p, ok := s.textLine(); ok {
		return p, true
	}
	start := s.pos
	rest := s.body[start:]
	if !s.inArray { // where elements are no lines
		if form, length := s.forms.find(rest); form != nil {
			s.pos += length
			return part{raw: rest[:length], outline: &form.outline, form: form}, true
		}
	}
	if length, ok := scanObject(rest, &s.outline); ok {
		s.pos += length
		return part{raw: rest[:length], outline: &s.outline, isLine: s.isLine(start)}, true
	}
	raw, read, err := readOne(rest) // which tells what is wrong with it, if anything is
	if err == nil && len(raw) <= maxRecord {
		s.pos += read
		return part{raw: raw}, true
	}
	if err == nil || errors.Is(err, errTooLong) {
		s.pos = s.afterLarge(start, read)
		return part{fault: recordTooLarge()}, true
	}
	s.pos = s.afterBroken(start, read)
	if s.pos == len(s.body) && errors.Is(err, io.ErrUnexpectedEOF) {
		return part{fault: &fault{code: "cut_off", detail: "the body ends in the middle of this record"}}, true
	}
	return part{fault: notJSON()}, true
}

// opensArray says whether the bracket here begins an array of records. A line of text may begin with one as well, and would take those after it along.
func (s *splitter) opensArray() bool {
	if s.inArray {
		return false
	}
	inside := bytes.TrimLeft(s.body[s.pos+1:], " \t\r\n")
	if len(inside) == 0 || inside[0] == '{' || inside[0] == ']' {
		return true
	}
	if !s.beginsLine(s.pos) {
		return false
	}
	line, _, _ := bytes.Cut(s.body[s.pos:], []byte("\n"))
	return json.Valid(line)
}

// beginsLine says whether a line begins there. What is looked at once a line keeps hostile bodies linear.
func (s *splitter) beginsLine(pos int) bool { return pos == 0 || s.body[pos-1] == '\n' }

// isLine is true for a record from start to here that is a line of the body.
func (s *splitter) isLine(start int) bool {
	return !s.inArray && s.beginsLine(start) && (s.pos == len(s.body) || s.body[s.pos] == '\n')
}

// textLine takes a line of an access log in text as a record that has it for its message.
func (s *splitter) textLine() (p part, ok bool) {
	if s.inArray || s.body[s.pos] == '{' || !s.beginsLine(s.pos) {
		return part{}, false
	}
	end := len(s.body)
	if n := bytes.IndexByte(s.body[s.pos:], '\n'); n >= 0 {
		end = s.pos + n
	}
	if p.raw, p.access = lineMembers(s.body[s.pos:end]); p.raw == nil {
		return part{}, false
	}
	s.pos = end
	return p, true
}

// skipToRecord goes over what stands between records, brackets of arrays among it.
func (s *splitter) skipToRecord() {
	for ; s.pos < len(s.body); s.pos++ {
		switch c := s.body[s.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0x1e: // 0x1e: RFC 7464 record separator
		case c == ',' && s.inArray:
		case c == '[' && s.opensArray():
			s.inArray = true
		case c == ']' && s.inArray:
			s.inArray = false
		default:
			return
		}
	}
}

var errTooLong = errors.New("record too long")

// readOne reads one JSON value at the start of data and returns how far it read, also when the value is broken.
func readOne(data []byte) (raw []byte, read int, err error) {
	window := data
	if len(window) > maxRecord+1 {
		window = window[:maxRecord+1]
	}
	dec := json.NewDecoder(bytes.NewReader(window))
	var value json.RawMessage
	err = dec.Decode(&value)
	if err == nil {
		end := int(dec.InputOffset())
		return data[:end], end, nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if len(window) < len(data) {
			return nil, len(window), errTooLong
		}
		return nil, len(window), err
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return nil, min(int(syntax.Offset), len(window)), err
	}
	return nil, len(window), err
}

// afterBroken says where reading goes on after a broken record at start of which read bytes were looked at.
func (s *splitter) afterBroken(start, read int) int {
	if s.inArray {
		if end, ok := closing(s.body, start); ok {
			return end
		}
		if start+read == len(s.body) {
			return len(s.body)
		}
		s.inArray, read = false, len(s.body)-start // it was none
	}
	from := start
	if read > s.rescan {
		from = start + read
	} else {
		s.rescan -= read
	}
	if from >= len(s.body) {
		return len(s.body)
	}
	if n := bytes.IndexByte(s.body[from:], '\n'); n >= 0 {
		return from + n + 1
	}
	return len(s.body)
}

// afterLarge says where reading goes on after a record at start that is too large: behind it, where others follow in its
// line, as concatenated ones do.
func (s *splitter) afterLarge(start, read int) int {
	line := s.body[start:]
	if n := bytes.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	if n, ok := balanced(line); ok && !s.inArray {
		return start + n
	}
	return s.afterBroken(start, read)
}

// balanced finds the end of the object that data begins with.
func balanced(data []byte) (length int, ok bool) {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return i + 1, true
			}
		}
	}
	return 0, false
}

// closing finds the end of a broken element of an array: the comma or bracket that follows its own closing bracket.
func closing(data []byte, start int) (end int, ok bool) {
	depth, quoted := 0, false
	for i := start; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '\n': // which no string holds
			quoted = false
		case quoted:
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 0:
			depth--
		case (c == ',' || c == ']') && depth == 0:
			return i, true
		}
	}
	return 0, false
}
