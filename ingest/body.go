package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// readBody reads and inflates the body of a request. What it keeps in memory is held in the share before it is allocated,
// and a body is never larger in memory than it is: one that does not fit is measured without being kept, so that a bomb
// costs no more than what was sent. Content-Type is not looked at: shippers send JSON under any. max is of the inflated body.
func readBody(w http.ResponseWriter, r *http.Request, max int, s *share) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	plain := encoding == "" || encoding == "identity"
	limit := min(maxCompressed, max)
	if plain {
		limit = max
	} else if !isEncoding(encoding) {
		return nil, unsupportedEncoding()
	}
	sent, err := readSent(w, r, limit, s)
	if err != nil || plain {
		return sent, err
	}
	body, err := inflateWithin(encoding, sent, max, s)
	s.giveBack(sent)
	if err != nil {
		return nil, bodyProblem(err)
	}
	return body, nil
}

// firstRead is how much is read of a body before its Content-Length is believed.
const firstRead = 64 << 10

// readSent reads a body as it is sent.
func readSent(w http.ResponseWriter, r *http.Request, limit int, s *share) ([]byte, error) {
	from := http.MaxBytesReader(w, newPatientReader(w, r.Body), int64(limit))
	said := int(min(r.ContentLength, int64(limit))) // -1: not said
	size := firstRead
	if said >= 0 {
		size = min(size, said)
	}
	var body []byte
	for {
		if !s.hold(len(body) + bufferSize(size+1)) { // what was read is held on while it is copied
			return nil, overloaded()
		}
		larger := append(s.buffer(size+1), body...)
		s.giveBack(body)
		body = larger
		if !s.hold(cap(body)) {
			return nil, overloaded()
		}
		for len(body) < cap(body) { // one byte more than is expected shows the end
			n, err := from.Read(body[len(body):cap(body)])
			body = body[:len(body)+n]
			if err == io.EOF {
				return body, nil
			}
			if err != nil {
				return nil, bodyProblem(err)
			}
		}
		if size = max(2*size, firstRead); said > len(body) {
			size = said
		}
		size = min(size, limit)
	}
}

// A patientReader ends a body that comes too slowly, by a deadline that moves with what has come.
type patientReader struct {
	body    io.Reader
	control *http.ResponseController
	began   time.Time
	read    int64
	until   time.Time // the deadline that is set
}

func newPatientReader(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	p := &patientReader{body: body, control: http.NewResponseController(w), began: time.Now()}
	return struct {
		io.Reader
		io.Closer
	}{p, body}
}

// Read reads the body. Where there is no connection to set a deadline on, as in a test without one, it just reads.
func (p *patientReader) Read(b []byte) (int, error) {
	if until := p.began.Add(slowGrace + time.Duration(p.read)*time.Second/slowRate); until.Sub(p.until) > time.Second {
		p.allow(until)
	}
	n, err := p.body.Read(b)
	p.read += int64(n)
	if err == io.EOF { // the server goes on reading, to hear when the sender leaves: a deadline would look like that
		p.allow(time.Now().Add(answerTime))
	}
	return n, err
}

func (p *patientReader) allow(until time.Time) {
	_ = p.control.SetReadDeadline(until)
	_ = p.control.SetWriteDeadline(until.Add(answerTime))
	p.until = until
}

// directly is how much of a body is inflated before its whole size is looked for.
const directly = 1 << 20

// inflateWithin undoes an encoding. Of a body that is larger than directly the rest is only counted, and then all of it is
// inflated once more into memory of the right size: growing a buffer would need more than twice that.
func inflateWithin(encoding string, sent []byte, max int, s *share) ([]byte, error) {
	held := s.bytes
	if size, ok := snappyBlock(encoding, sent); ok { // which says what it has, and cannot be read in pieces
		if 0 <= size && size <= max && !s.hold(held+size) {
			return nil, overloaded()
		}
		return unpackSnappy(sent, max)
	}
	if !s.hold(held + 2*directly) {
		return nil, overloaded()
	}
	z, err := inflate(encoding, bytes.NewReader(sent), max)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	body, err := readUpTo(z, s.buffer(directly), min(max, directly))
	if err != nil {
		return nil, err
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(z, int64(max-len(body))+1))
	switch size := len(body) + int(rest); {
	case err != nil:
		return nil, err
	case size > max:
		return nil, inflatedTooLarge(max)
	case rest == 0:
		s.hold(cap(body))
		return body, nil
	case !s.hold(held + bufferSize(size)):
		return nil, overloaded()
	default:
		s.giveBack(body)
		body, err = inflateWhole(encoding, sent, s.buffer(size)[:size], max)
		s.hold(cap(body))
		return body, err
	}
}

// readUpTo fills a buffer with at most n bytes of what r has.
func readUpTo(r io.Reader, buf []byte, n int) ([]byte, error) {
	for len(buf) < n {
		more, err := r.Read(buf[len(buf):n])
		buf = buf[:len(buf)+more]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func inflateWhole(encoding string, sent, body []byte, max int) ([]byte, error) {
	z, err := inflate(encoding, bytes.NewReader(sent), max)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	_, err = io.ReadFull(z, body)
	return body, err
}

func inflatedTooLarge(max int) *problem {
	return tooLarge(fmt.Sprintf("the body has more than %d MiB when inflated; send smaller batches", max>>20), max, "body_too_large")
}

func isEncoding(name string) bool {
	switch name {
	case "gzip", "x-gzip", "zstd", "snappy", "x-snappy-framed", "deflate", "zlib":
		return true
	}
	return false
}

func unsupportedEncoding() *problem {
	return &problem{
		Title: "unsupported Content-Encoding", Status: http.StatusUnsupportedMediaType,
		Detail: "Content-Encoding must be absent, identity, gzip, zstd, snappy or deflate", reason: "unsupported_encoding",
	}
}

func inflate(encoding string, r io.Reader, max int) (io.ReadCloser, error) {
	switch encoding {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(max)), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case "snappy", "x-snappy-framed":
		return io.NopCloser(snappy.NewReader(r)), nil
	case "deflate", "zlib":
		return inflateDeflate(bufio.NewReader(r))
	}
	return nil, unsupportedEncoding()
}

// snappyBlock tells snappy's two forms apart, which go by one name: the stream that begins with its own name, and the bare
// block, whose inflated size it returns; -1 if it cannot be read.
func snappyBlock(encoding string, sent []byte) (size int, ok bool) {
	const magic = "\xff\x06\x00\x00sNaPpY"
	if encoding != "snappy" && encoding != "x-snappy-framed" || bytes.HasPrefix(sent, []byte(magic)) {
		return 0, false
	}
	size, err := snappy.DecodedLen(sent)
	if err != nil {
		return -1, true
	}
	return size, true
}

// unpackSnappy undoes a snappy block, whose claim of its own length is checked first.
func unpackSnappy(packed []byte, max int) ([]byte, error) {
	size, err := snappy.DecodedLen(packed)
	if err != nil {
		return nil, err
	}
	if size > max {
		return nil, inflatedTooLarge(max)
	}
	return snappy.Decode(nil, packed)
}

// inflateDeflate reads zlib, which RFC 9110 calls deflate, and the bare deflate that some senders take it for.
func inflateDeflate(r *bufio.Reader) (io.ReadCloser, error) {
	start, _ := r.Peek(2)
	if len(start) == 2 && start[0]&0x0f == 8 && (int(start[0])<<8|int(start[1]))%31 == 0 {
		return zlib.NewReader(r)
	}
	return flate.NewReader(r), nil
}

// bodyProblem says why a body could not be read. The texts of decoders are not passed on: they may quote what they read.
func bodyProblem(err error) error {
	var known *problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return tooLarge(fmt.Sprintf("the body has more than %d MiB as sent; send smaller batches", large.Limit>>20), int(large.Limit), "body_too_large")
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return inflatedTooLarge(maxInflated)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &problem{Title: "body too slow", Status: http.StatusRequestTimeout, reason: "slow_body",
			Detail: fmt.Sprintf("a body that takes longer than %d seconds must come at %d KiB a second at least", slowGrace/time.Second, slowRate>>10)}
	}
	return &problem{
		Title: "unreadable body", Status: http.StatusUnprocessableEntity,
		Detail: "the body ends early or is not what its Content-Encoding says", reason: "unreadable_encoding",
	}
}
