package shippers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// mostUploads is how many unfinished uploads fill authwatch at the latest.
const mostUploads = 100

// fill begins uploads with the shipper's own key, which do not end until release is called, until authwatch answers 503.
func (s *service) fill(ctx context.Context) (release func(), err error) {
	var bodies []*io.PipeWriter
	release = func() {
		for _, body := range bodies {
			body.CloseWithError(errors.New("not finished"))
		}
	}
	for range mostUploads {
		full, err := s.full(ctx)
		if full || err != nil {
			return release, err
		}
		body, writer := io.Pipe()
		bodies = append(bodies, writer)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/ingest/v1/responses", body)
		if err != nil {
			return release, err
		}
		req.Header.Set("Authorization", "Bearer "+s.ingest)
		go func() {
			if resp, err := http.DefaultClient.Do(req); err == nil { // it ends in an error, because its body does
				resp.Body.Close()
			}
		}()
		if _, err := io.WriteString(writer, " "); err != nil {
			return release, fmt.Errorf("begin an upload: %w", err)
		}
	}
	return release, fmt.Errorf("authwatch is not busy with %d uploads", mostUploads)
}

// full is true when authwatch answers a delivery with 503.
func (s *service) full(ctx context.Context) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/ingest/v1/responses", http.NoBody)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+s.ingest)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask whether authwatch is busy: %w", err)
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusServiceUnavailable, nil
}
