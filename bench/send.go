package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// A load is a file on its way to a server.
type load struct {
	url     string // where batches are posted
	key     string // bearer key, "" for none
	file    string
	senders int
	batch   int           // records in a request
	every   time.Duration // from one batch to the next; 0 is as fast as answers come
	silent  bool          // the server does not say how many records it accepted
}

// What was sent, and how the server took it.
type sent struct {
	records  int
	accepted int // by the server's own answers
	repeats  int // requests that were refused with 503 and sent again
	elapsed  time.Duration
	acks     []time.Duration // from handing a batch over until its answer was read
}

func (s sent) perSecond() float64 { return float64(s.records) / s.elapsed.Seconds() }

// A batch is some lines of the file. With a pace, its acknowledgement counts from when it was due and not from when a
// sender was free: a server that stalls must not hide the requests that it kept from being sent.
type batch struct {
	body    []byte
	records int
	due     time.Time
}

// send posts the file and waits for the last answer.
func (l load) send(ctx context.Context) (sent, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	file, err := os.Open(l.file)
	if err != nil {
		return sent{}, err
	}
	defer file.Close()
	batches := make(chan *batch)
	used := make(chan *batch, l.senders+2) // buffers go round, so that a file of any size takes little memory here
	for range cap(used) {
		used <- &batch{}
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.senders, DisableCompression: true, WriteBufferSize: 2 << 20}}
	defer client.CloseIdleConnections()
	results := make([]sent, l.senders)
	var group sync.WaitGroup
	start := time.Now()
	for i := range l.senders {
		group.Go(func() {
			if err := l.sender(ctx, client, batches, used, &results[i]); err != nil {
				cancel(err)
			}
		})
	}
	if err := l.cut(ctx, file, batches, used); err != nil {
		cancel(err)
	}
	close(batches)
	group.Wait()
	total := sent{elapsed: time.Since(start)}
	for _, r := range results {
		total.records += r.records
		total.accepted += r.accepted
		total.repeats += r.repeats
		total.acks = append(total.acks, r.acks...)
	}
	return total, context.Cause(ctx)
}

// cut hands the file over in batches, at the pace of l.every if there is one.
func (l load) cut(ctx context.Context, file io.Reader, batches chan<- *batch, used <-chan *batch) error {
	lines := bufio.NewReaderSize(file, 1<<20)
	due := time.Now()
	for ended := false; !ended; {
		var b *batch
		select {
		case b = <-used:
		case <-ctx.Done():
			return nil
		}
		b.body, b.records = b.body[:0], 0
		for b.records < l.batch {
			line, err := lines.ReadSlice('\n')
			if len(line) > 0 {
				b.body = append(b.body, line...)
				b.records++
			}
			if errors.Is(err, io.EOF) {
				ended = true
				break
			}
			if err != nil {
				return fmt.Errorf("read %s: %w", l.file, err)
			}
		}
		if b.records == 0 {
			return nil
		}
		b.due = time.Time{}
		if l.every > 0 {
			time.Sleep(time.Until(due))
			b.due = due
			due = due.Add(l.every)
		}
		select {
		case batches <- b:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (l load) sender(ctx context.Context, client *http.Client, batches <-chan *batch, used chan<- *batch, into *sent) error {
	for b := range batches {
		start := b.due
		if start.IsZero() {
			start = time.Now()
		}
		accepted, repeats, err := l.post(ctx, client, b.body)
		if err != nil {
			return err
		}
		into.acks = append(into.acks, time.Since(start))
		into.records += b.records
		into.accepted += accepted
		into.repeats += repeats
		used <- b
	}
	return nil
}

// patience is how often a batch is sent again after a 503.
const patience = 200

// post delivers one batch, again and again while the server is full.
func (l load) post(ctx context.Context, client *http.Client, body []byte) (accepted, repeats int, err error) {
	for ; repeats < patience; repeats++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(body))
		if err != nil {
			return 0, repeats, err
		}
		if l.key != "" {
			req.Header.Set("Authorization", "Bearer "+l.key)
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		resp, err := client.Do(req)
		if err != nil {
			return 0, repeats, err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return 0, repeats, err
		}
		switch resp.StatusCode {
		case http.StatusOK:
			if l.silent {
				return 0, repeats, nil
			}
			var answer struct{ Accepted int }
			if err := json.Unmarshal(text, &answer); err != nil {
				return 0, repeats, fmt.Errorf("read answer: %w", err)
			}
			return answer.Accepted, repeats, nil
		case http.StatusServiceUnavailable:
			time.Sleep(20 * time.Millisecond)
		default:
			return 0, repeats, fmt.Errorf("post batch: %s: %.500s", resp.Status, text)
		}
	}
	return 0, repeats, fmt.Errorf("the server was full %d times in a row", patience)
}
