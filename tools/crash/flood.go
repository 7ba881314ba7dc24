package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A flooding is what a flood did to the server. Memory is the largest resident set, in bytes.
type flooding struct {
	offered, taken int64 // requests
	refused        int64 // with 503 and Retry-After
	records        int64 // acknowledged, and all there
	memory         int64
	before, under  time.Duration // ack p99 of a quiet shipper
	quiet          int           // requests of the quiet shipper during the flood
	held           int           // of them refused
	recovered      time.Duration // from the end of the flood until the quiet shipper is served as before
}

// String is the figures in one line.
func (f flooding) String() string {
	return fmt.Sprintf("%d requests offered, %.1f times what was taken; %d refused, each with 503 and Retry-After; %d records acknowledged and there; memory at most %d MiB; a quiet shipper beside it: %d requests, %d refused, ack p99 %v before and %v under the flood; as before again %v after",
		f.offered, float64(f.offered)/float64(max(f.taken, 1)), f.refused, f.records, f.memory>>20, f.quiet, f.held, f.before.Round(time.Millisecond), f.under.Round(time.Millisecond), f.recovered.Round(time.Millisecond))
}

const (
	flooders     = 128  // connections of the noisy shipper, which never waits as it is told
	floodRecords = 2000 // in each of its bodies, one in ten a failure
	quietEvery   = 50 * time.Millisecond
)

// A floodBody is a body that is made once and given new ids for each request, so that the flood costs the server more than its sender.
type floodBody struct {
	text []byte
	ids  []int // where the number of the request stands
}

func newFloodBody(sender int) *floodBody {
	b := &floodBody{}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for n := range floodRecords {
		status, answer := 200, ""
		if n%10 == 0 {
			status, answer = 401, `,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}`
		}
		b.text = fmt.Appendf(b.text, `{"time":%q,"id":"f%d-%d-`, now, sender, n)
		b.ids = append(b.ids, len(b.text))
		b.text = fmt.Appendf(b.text, `000000","client_id":"flood","request":{"method":"GET","url":"https://api.crash.test/v1/orders","headers":{"authorization":"Bearer [redacted]","user-agent":"flood/1.0"}},"response":{"status":%d%s}}`+"\n", status, answer)
	}
	return b
}

// of is the body of that request, until the next one is asked for.
func (b *floodBody) of(request int) []byte {
	number := fmt.Sprintf("%06d", request)
	for _, at := range b.ids {
		copy(b.text[at:], number)
	}
	return b.text
}

// A quietShipper sends a small body now and then and notes how long each took.
type quietShipper struct {
	url, key string
	sent     int
	acks     []time.Duration
	refused  int
}

func (q *quietShipper) once() (took time.Duration, ok bool, err error) {
	q.sent++
	record := fmt.Sprintf(`{"time":%q,"id":"q%d","client_id":"quiet","request":{"method":"GET","url":"https://api.crash.test/v1","headers":{"authorization":"Bearer [redacted]"}},"response":{"status":401}}`,
		time.Now().UTC().Format(time.RFC3339Nano), q.sent)
	start := time.Now()
	status, _, err := post(http.DefaultClient, q.url, q.key, []byte(record))
	return time.Since(start), status == http.StatusOK, err
}

// sail sends once, and until ctx ends.
func (q *quietShipper) sail(ctx context.Context) error {
	q.acks, q.refused = nil, 0
	for first := true; first || ctx.Err() == nil; first = false {
		took, ok, err := q.once()
		switch {
		case err != nil:
			return err
		case !ok:
			q.refused++
		default:
			q.acks = append(q.acks, took)
		}
		time.Sleep(quietEvery)
	}
	return nil
}

func (q *quietShipper) p99() time.Duration {
	if len(q.acks) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(q.acks))[len(q.acks)*99/100]
}

func post(client *http.Client, url, key string, body []byte) (status int, header http.Header, err error) {
	req, err := http.NewRequest(http.MethodPost, url+"/ingest/v1/responses", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	bearer(req, key, 0)
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header, err
}

// flooding offers far more than the server can take, and looks at what becomes of it and of its neighbours.
func (o options) flooding(ctx context.Context, dir string) (f flooding, err error) {
	binary, err := o.build(ctx, dir)
	if err != nil {
		return f, err
	}
	s, err := newServer(binary, dir)
	if err != nil {
		return f, err
	}
	if _, err := s.start(ctx); err != nil {
		return f, err
	}
	defer s.kill()
	keys := map[string]string{}
	for name, scope := range map[string]string{"noisy": "ingest", "quiet": "ingest", "checker": "read"} {
		if keys[name], err = s.key(ctx, scope, name); err != nil {
			return f, err
		}
	}
	quiet := &quietShipper{url: s.url(), key: keys["quiet"]}
	alone, stop := context.WithTimeout(ctx, o.flood/2)
	defer stop()
	if err := quiet.sail(alone); err != nil {
		return f, err
	}
	f.before = quiet.p99()
	if err := f.drown(ctx, o.flood, s.url(), keys["noisy"], quiet); err != nil {
		return f, err
	}
	if f.recovered, err = quiet.recover(time.Duration(o.slower)*max(f.before, 10*time.Millisecond), o.settle); err != nil {
		return f, err
	}
	if f.memory, err = peakMemory(s.cmd.Process.Pid); err != nil {
		return f, err
	}
	return f, f.check(ctx, reader{url: s.url(), key: keys["checker"]})
}

// drown floods for a time while the quiet shipper goes on.
func (f *flooding) drown(ctx context.Context, length time.Duration, url, key string, quiet *quietShipper) error {
	bodies := make([]*floodBody, flooders)
	for sender := range bodies {
		bodies[sender] = newFloodBody(sender)
	}
	ctx, stop := context.WithTimeout(ctx, length)
	defer stop()
	var group sync.WaitGroup
	var wrong atomic.Pointer[string]
	for _, body := range bodies {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for request := 0; request == 0 || ctx.Err() == nil; request++ {
				f.tell(client, url, key, body.of(request), &wrong)
			}
		})
	}
	err := quiet.sail(ctx)
	group.Wait()
	f.under, f.quiet, f.held = quiet.p99(), len(quiet.acks)+quiet.refused, quiet.refused
	if text := wrong.Load(); text != nil {
		return errors.New(*text)
	}
	return err
}

// tell sends a body once, and at once again if it was refused: until it is taken or has been refused ten times.
func (f *flooding) tell(client *http.Client, url, key string, body []byte, wrong *atomic.Pointer[string]) {
	for range 10 {
		atomic.AddInt64(&f.offered, 1)
		status, header, err := post(client, url, key, body)
		switch {
		case err != nil: // the server may close a connection whose body it does not want
		case status == http.StatusOK:
			atomic.AddInt64(&f.taken, 1)
			return
		case status == http.StatusServiceUnavailable && header.Get("Retry-After") != "":
			atomic.AddInt64(&f.refused, 1)
		default:
			text := fmt.Sprintf("a flood was answered with %d, Retry-After %q", status, header.Get("Retry-After"))
			wrong.Store(&text)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// recover waits until ten requests in a row are served as fast as before.
func (q *quietShipper) recover(good, within time.Duration) (time.Duration, error) {
	start := time.Now()
	for row := 0; row < 10; {
		took, ok, err := q.once()
		if err != nil {
			return 0, err
		}
		if row++; !ok || took > good {
			row = 0
		}
		if time.Since(start) > within {
			return 0, fmt.Errorf("not as before %v after the flood: the last request took %v, taken %v", within, took, ok)
		}
	}
	return time.Since(start), nil
}

// check counts what is there: at least what was acknowledged, at most what was offered.
func (f *flooding) check(ctx context.Context, from reader) error {
	var clients struct {
		Data []struct{ Failures, Successes int64 }
	}
	if err := from.get(ctx, "/api/v1/clients?client=flood", &clients); err != nil {
		return err
	}
	var there int64
	for _, c := range clients.Data {
		there += c.Failures + c.Successes
	}
	f.records = f.taken * floodRecords
	if there < f.records || there > f.offered*floodRecords || there%floodRecords != 0 {
		return fmt.Errorf("%d records are there, %d were acknowledged", there, f.records)
	}
	return nil
}

// peakMemory is the largest resident set of a process so far (proc(5)).
func peakMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the process has no VmHWM")
}
