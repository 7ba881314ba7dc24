package ingest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// readBody reads and inflates the body of a request within the limits, as a stream, so that a bomb costs no more
// memory than an honest body. Content-Type is not looked at: shippers send JSON under any.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	limit := int64(maxCompressed)
	if encoding == "" || encoding == "identity" {
		limit = maxInflated
	}
	inflated, err := inflate(encoding, http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, bodyProblem(err)
	}
	defer inflated.Close()
	body, err := io.ReadAll(io.LimitReader(inflated, maxInflated+1))
	if err != nil {
		return nil, bodyProblem(err)
	}
	if len(body) > maxInflated {
		return nil, inflatedTooLarge()
	}
	return body, nil
}

func inflatedTooLarge() *problem {
	return tooLarge(fmt.Sprintf("the body has more than %d MiB when inflated; send smaller batches", maxInflated>>20), maxInflated, "body_too_large")
}

func inflate(encoding string, r io.Reader) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity":
		return io.NopCloser(r), nil
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxInflated), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, &problem{
		Title: "unsupported Content-Encoding", Status: http.StatusUnsupportedMediaType,
		Detail: "Content-Encoding must be absent, identity, gzip or zstd", reason: "unsupported_encoding",
	}
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
		return inflatedTooLarge()
	}
	return &problem{
		Title: "unreadable body", Status: http.StatusUnprocessableEntity,
		Detail: "the body ends early or is not what its Content-Encoding says", reason: "unreadable_encoding",
	}
}
