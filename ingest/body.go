package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// readBody reads and inflates the body of a request within the limits, as a stream, so that a bomb costs no more
// memory than an honest body. Content-Type is not looked at: shippers send JSON under any. max is of the inflated body.
func readBody(w http.ResponseWriter, r *http.Request, max int) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	limit := int64(maxCompressed)
	if encoding == "" || encoding == "identity" {
		limit = int64(max)
	}
	inflated, err := inflate(encoding, http.MaxBytesReader(w, r.Body, limit), max)
	if err != nil {
		return nil, bodyProblem(err)
	}
	defer inflated.Close()
	body, err := io.ReadAll(io.LimitReader(inflated, int64(max)+1))
	if err != nil {
		return nil, bodyProblem(err)
	}
	if len(body) > max {
		return nil, inflatedTooLarge(max)
	}
	return body, nil
}

func inflatedTooLarge(max int) *problem {
	return tooLarge(fmt.Sprintf("the body has more than %d MiB when inflated; send smaller batches", max>>20), max, "body_too_large")
}

func inflate(encoding string, r io.Reader, max int) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity":
		return io.NopCloser(r), nil
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max)), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case "snappy", "x-snappy-framed":
		return inflateSnappy(bufio.NewReader(r), max)
	case "deflate", "zlib":
		return inflateDeflate(bufio.NewReader(r))
	}
	return nil, &problem{
		Title: "unsupported Content-Encoding", Status: http.StatusUnsupportedMediaType,
		Detail: "Content-Encoding must be absent, identity, gzip, zstd, snappy or deflate", reason: "unsupported_encoding",
	}
}

// inflateSnappy reads both of snappy's forms, which go by one name: the stream that begins with its own name, and the bare block.
func inflateSnappy(r *bufio.Reader, max int) (io.ReadCloser, error) {
	const magic = "\xff\x06\x00\x00sNaPpY"
	if start, _ := r.Peek(len(magic)); string(start) == magic {
		return io.NopCloser(snappy.NewReader(r)), nil
	}
	packed, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	body, err := unpackSnappy(packed, max)
	return io.NopCloser(bytes.NewReader(body)), err
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
	}
	return &problem{
		Title: "unreadable body", Status: http.StatusUnprocessableEntity,
		Detail: "the body ends early or is not what its Content-Encoding says", reason: "unreadable_encoding",
	}
}
