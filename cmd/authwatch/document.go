package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxDocument is how much of the input is held at once: a line, or a whole input that is one JSON document.
const maxDocument = 32 << 20

// A document is a piece of input that stands for itself: a line of NDJSON, or the whole input.
type document struct {
	text    []byte
	line    int  // where it starts, from 1
	whole   bool // it is the whole input: an array, or an object on several lines
	tooLong bool // the line was longer than maxDocument and is dropped
}

// A documentReader cuts an input into documents, so that a file of any length needs the memory of one line.
type documentReader struct {
	in   *bufio.Reader
	line int
}

func newDocumentReader(in io.Reader) *documentReader {
	return &documentReader{in: bufio.NewReaderSize(in, 64<<10)}
}

// next returns the next document that is not blank, or io.EOF. Its text is in the room, if there is enough.
func (r *documentReader) next(room []byte) (document, error) {
	for {
		doc, err := r.readLine(room)
		if err != nil {
			return document{}, err
		}
		text := bytes.TrimSpace(bytes.TrimPrefix(doc.text, []byte("\ufeff")))
		switch {
		case len(text) == 0 && !doc.tooLong:
			continue
		case opensDocument(text):
			return r.rest(doc)
		}
		return doc, nil
	}
}

// pauses is true when the next document may be long in coming.
func (r *documentReader) pauses() bool { return r.in.Buffered() == 0 }

// opensDocument says whether a line begins a value that goes on in later lines. NDJSON never has such a line: in it a broken line costs only itself.
func opensDocument(text []byte) bool {
	return beginsDocument(text) && !bytes.HasSuffix(text, []byte("]"))
}

// beginsDocument says whether a line begins an array of objects, or an object on several lines. A line of text may begin with a bracket as well.
func beginsDocument(text []byte) bool {
	inside, isArray := bytes.CutPrefix(text, []byte("["))
	if !isArray {
		return bytes.Equal(text, []byte("{"))
	}
	inside = bytes.TrimSpace(inside)
	return len(inside) == 0 || inside[0] == '{'
}

func (r *documentReader) readLine(room []byte) (document, error) {
	doc := document{line: r.line + 1, text: room[:0]}
	for {
		part, err := r.in.ReadSlice('\n')
		if len(doc.text)+len(part) > maxDocument {
			doc.text, doc.tooLong = nil, true
		}
		if !doc.tooLong {
			doc.text = append(doc.text, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(part) == 0 && len(doc.text) == 0 && !doc.tooLong:
			return document{}, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return document{}, err
		}
		r.line++
		return doc, nil
	}
}

func (r *documentReader) rest(first document) (document, error) {
	rest, err := io.ReadAll(io.LimitReader(r.in, maxDocument))
	if err != nil {
		return document{}, err
	}
	if len(first.text)+len(rest) > maxDocument {
		return document{}, fmt.Errorf("one JSON document of more than %d MiB: write one record a line instead", maxDocument>>20)
	}
	first.text = append(first.text, rest...)
	first.whole = true
	return first, nil
}

// decompress unpacks a file by its name's ending and closes both together.
func decompress(path string, file *os.File) (io.ReadCloser, error) {
	var unpacked io.Reader
	var err error
	switch {
	case strings.HasSuffix(path, ".gz"):
		unpacked, err = gzip.NewReader(file)
	case strings.HasSuffix(path, ".zst"):
		unpacked, err = zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	default:
		return file, nil
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, file}, nil
}
