package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"authwatch/ingest"
)

// maxLine is how long a line may be; the server takes records of a quarter of it.
const maxLine = 1 << 20

var errLineTooLong = fmt.Errorf("a line may hold at most %d KiB", maxLine>>10)

// A logFile reads a log line by line and knows where it is in it.
type logFile struct {
	path    string
	file    *os.File
	content io.ReadCloser // unpacked
	in      *bufio.Reader
	partial []byte // of a line whose end is not written yet
	tooLong bool   // the line in hand is dropped
	mark    mark   // of what was answered for
	offset  int64  // of what was read as lines
	line    int
	head    []byte
	tail    []byte // of what ends at offset
}

// openLog opens a log where an earlier run came to; with again, at its start.
func openLog(path string, marks *markFile, again bool) (*logFile, error) {
	f := &logFile{path: path}
	if err := f.rewind(); err != nil {
		return nil, err
	}
	if again {
		return f, nil
	}
	head, err := f.in.Peek(maxSample)
	if err != nil && !errors.Is(err, io.EOF) {
		f.close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	head = bytes.Clone(head)
	for _, m := range marks.candidates(path, head) {
		ok, err := f.resume(m, head)
		if err != nil {
			f.close()
			return nil, err
		}
		if ok {
			return f, nil
		}
	}
	return f, f.rewind()
}

// rewind opens the file at its start.
func (f *logFile) rewind() error {
	f.close()
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	content, err := decompress(f.path, file)
	if err != nil {
		return err
	}
	*f = logFile{path: f.path, file: file, content: content, in: bufio.NewReaderSize(content, 64<<10)}
	return nil
}

// resume moves to the offset of a mark; ok is false when what stands before it is not what was sent.
func (f *logFile) resume(m mark, head []byte) (ok bool, err error) {
	if err := f.rewind(); err != nil {
		return false, err
	}
	before := m.Offset - int64(m.Tail.Length)
	if f.packed() {
		if _, err := io.CopyN(io.Discard, f.in, before); err != nil {
			return false, ignoreEOF(err)
		}
	} else if _, err := f.file.Seek(before, io.SeekStart); err != nil {
		return false, fmt.Errorf("read %s: %w", f.path, err)
	}
	tail := make([]byte, m.Tail.Length)
	if _, err := io.ReadFull(f.in, tail); err != nil {
		return false, ignoreEOF(err)
	}
	if sampleOf(tail) != m.Tail {
		return false, nil
	}
	f.mark, f.offset, f.line, f.head, f.tail = m, m.Offset, m.Line, head[:min(int64(len(head)), m.Offset)], tail
	return true, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func (f *logFile) packed() bool {
	return strings.HasSuffix(f.path, ".gz") || strings.HasSuffix(f.path, ".zst")
}

// next returns the next line without its end, or io.EOF. A last line without an end is only given when nothing more
// can come: it may still be being written. A line that is too
// long is errLineTooLong; reading goes on after it.
func (f *logFile) next(final bool) (line []byte, err error) {
	for {
		part, err := f.in.ReadSlice('\n')
		f.consumed(part)
		if f.tooLong || len(f.partial)+len(part) > maxLine {
			f.partial, f.tooLong = nil, true
		} else {
			f.partial = append(f.partial, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (!final || len(f.partial) == 0 && !f.tooLong):
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read %s: %w", f.path, err)
		}
		line, tooLong := f.partial, f.tooLong
		f.partial, f.tooLong = nil, false
		f.line++
		if tooLong {
			return nil, errLineTooLong
		}
		return bytes.TrimSpace(line), nil
	}
}

// consumed keeps the samples and the offset of what was read.
func (f *logFile) consumed(part []byte) {
	f.offset += int64(len(part))
	if room := maxSample - len(f.head); room > 0 {
		f.head = append(f.head, part[:min(room, len(part))]...)
	}
	f.tail = append(f.tail, part[max(0, len(part)-maxSample):]...)
	if extra := len(f.tail) - maxSample; extra > 0 {
		f.tail = append(f.tail[:0], f.tail[extra:]...)
	}
}

// here is the mark of everything up to the last whole line.
func (f *logFile) here() mark {
	kept := len(f.tail) - min(len(f.partial), len(f.tail))
	offset := f.offset - int64(len(f.partial))
	return mark{
		Path: f.path, Head: sampleOf(f.head[:min(int64(len(f.head)), offset)]), Tail: sampleOf(f.tail[:kept]), Offset: offset, Line: f.line,
	}
}

// document returns the records of a log that is one JSON document: an array, or an object on several lines. ok is
// false for a log of lines, of which nothing is read then.
func (f *logFile) document() (records []element, ok bool, err error) {
	start, err := f.in.Peek(256)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("read %s: %w", f.path, err)
	}
	text := bytes.TrimLeft(start, "\ufeff \t\r\n")
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if f.offset > 0 || !beginsDocument(bytes.TrimSpace(first)) {
		return nil, false, nil
	}
	all, err := io.ReadAll(io.LimitReader(f.in, maxDocument+1))
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", f.path, err)
	}
	if len(all) > maxDocument {
		return nil, false, fmt.Errorf("%s is one JSON document of more than %d MiB: write one record a line instead", f.path, maxDocument>>20)
	}
	f.consumed(all)
	f.line += bytes.Count(all, []byte("\n"))
	return elements(all), true, nil
}

// An element is one record of a document, on one line, or why it is none.
type element struct {
	line []byte
	bad  *ingest.RecordError
}

// elements cuts a document into its records as the server would. A broken one costs only itself.
func elements(data []byte) (out []element) {
	for text, bad := range ingest.Cut(data) {
		var line bytes.Buffer
		if bad == nil && json.Compact(&line, text) != nil {
			bad = &ingest.RecordError{Code: "not_json", Detail: "the record is not valid JSON"}
		}
		out = append(out, element{line.Bytes(), bad})
	}
	return out
}

func (f *logFile) close() {
	if f.content != nil {
		f.content.Close() // it was only read
		f.content = nil
	}
}
