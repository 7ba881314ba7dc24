package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"authwatch/store"
)

const (
	streamClients = 64  // that are served at once
	streamsOfOne  = 8   // of one key or person
	streamBuffer  = 256 // events that wait for a slow client
	followEvery   = 250 * time.Millisecond
	followSize    = 1000 // events that are read at once
	followBehind  = 8    // reads in a row that did not reach the end, before the rest is skipped
)

// A streamHub follows the feed of the database for all clients of the stream. It reads only while there are any, and
// costs writers nothing; so replicas see what the others commit as they see their own.
type streamHub struct {
	store   *store.Store
	log     *slog.Logger
	metrics *metrics

	mu       sync.Mutex
	clients  map[*streamClient]bool
	position store.FeedPosition // up to which clients were served; of no meaning without any
	stop     context.CancelFunc // of the reading; nil when there is none
	ended    chan struct{}      // closed at the end of the server
}

func newStreamHub(st *store.Store, log *slog.Logger, m *metrics) *streamHub {
	return &streamHub{store: st, log: log, metrics: m, clients: map[*streamClient]bool{}, ended: make(chan struct{})}
}

// A streamClient is what waits for one client. When more waits than streamBuffer, the rest is counted and dropped.
type streamClient struct {
	filter store.FeedFilter
	who    string
	wake   chan struct{} // holds one

	mu sync.Mutex
	streamBatch
}

// A streamBatch is what a client is to be told next.
type streamBatch struct {
	events   []streamEvent
	skipped  int // after the events
	unread   int // of skipped: whatever they are about, for nobody looked at them
	reset    bool
	position store.FeedPosition // after all of that
}

// A streamEvent is an event as it is written.
type streamEvent struct {
	id, name string
	data     []byte
}

// join begins to collect what comes from now on for a client; whatever is committed later than the position that take first gives is part of it.
func (h *streamHub) join(ctx context.Context, f store.FeedFilter, who string) (*streamClient, error) {
	end, err := h.store.FeedEnd(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.ended:
		return nil, tooManyStreams(http.StatusServiceUnavailable, "The server is stopping.")
	default:
	}
	own := 0
	for c := range h.clients {
		if c.who == who {
			own++
		}
	}
	switch {
	case own >= streamsOfOne:
		return nil, tooManyStreams(http.StatusTooManyRequests, fmt.Sprintf("At most %d streams may be open with one key or by one person.", streamsOfOne))
	case len(h.clients) >= streamClients:
		return nil, tooManyStreams(http.StatusServiceUnavailable, fmt.Sprintf("%d streams are open, and this server does not serve more.", streamClients))
	}
	if h.stop == nil {
		follow, stop := context.WithCancel(context.Background())
		h.position, h.stop = end, stop
		go h.follow(follow)
	}
	c := &streamClient{filter: f, who: who, wake: make(chan struct{}, 1)}
	c.position = h.position
	h.clients[c] = true
	h.metrics.streams.Set(float64(len(h.clients)))
	return c, nil
}

func tooManyStreams(status int, detail string) *problem {
	p := fail(status, detail)
	p.header.Set("Retry-After", "10")
	return p
}

// leave ends what join began.
func (h *streamHub) leave(c *streamClient) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	h.metrics.streams.Set(float64(len(h.clients)))
	if len(h.clients) == 0 && h.stop != nil {
		h.stop()
		h.stop = nil
	}
}

// end ends all streams; a second call changes nothing.
func (h *streamHub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.ended:
	default:
		close(h.ended)
	}
}

// follow reads the feed until ctx ends. An error is logged once and the reading goes on.
func (h *streamHub) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	behind, failing := 0, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		full, err := h.advance(ctx, behind >= followBehind)
		if full {
			behind++
		} else {
			behind = 0
		}
		if err != nil && !failing && ctx.Err() == nil {
			h.log.Error("follow feed", "err", err)
		}
		failing = err != nil
	}
}

// advance reads once and hands out; full says that more may be there. When asked it skips that.
func (h *streamHub) advance(ctx context.Context, skip bool) (full bool, err error) {
	h.mu.Lock()
	from := h.position
	h.mu.Unlock()
	list, next, err := h.store.ReadFeed(ctx, from, followSize)
	reset := errors.Is(err, store.ErrFeedGone) // the database is another one than before, or we slept for a day
	if reset {
		list = nil
		next, err = h.store.FeedEnd(ctx)
	}
	if err != nil {
		return false, err
	}
	unread := 0
	if skip {
		if unread, next, err = h.store.SkipFeed(ctx, next); err != nil {
			return false, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return false, ctx.Err() // the last client has left, and another may have come since
	}
	h.position = next
	return len(list) >= followSize && !skip, h.handOut(list, unread, reset, next)
}

// handOut gives each client what its filter selects. An event that cannot be encoded costs only itself.
func (h *streamHub) handOut(list []store.FeedEvent, unread int, reset bool, next store.FeedPosition) (err error) {
	clients := make(map[*streamClient][]streamEvent, len(h.clients))
	for _, e := range list {
		var shown streamEvent
		for c := range h.clients {
			if !c.filter.Matches(e) {
				continue
			}
			if shown.data == nil {
				var bad error
				if shown, bad = toStreamEvent(e); bad != nil {
					err = bad
					break
				}
			}
			clients[c] = append(clients[c], shown)
		}
	}
	for c := range h.clients {
		h.metrics.skipped.Add(float64(c.offer(clients[c], unread, reset, next)))
	}
	return err
}

// offer adds to what waits, as far as there is room, and says how many events were dropped.
func (c *streamClient) offer(events []streamEvent, unread int, reset bool, next store.FeedPosition) (dropped int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := min(streamBuffer-len(c.events), len(events))
	if c.skipped > 0 { // what comes after a gap must not be written before it
		room = 0
	}
	dropped = len(events) - room + unread
	c.events = append(c.events, events[:room]...)
	c.skipped, c.unread, c.reset, c.position = c.skipped+dropped, c.unread+unread, c.reset || reset, next
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return dropped
}

// take returns what waits and empties it.
func (c *streamClient) take() streamBatch {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.streamBatch
	c.streamBatch = streamBatch{position: b.position}
	return b
}

func toStreamEvent(e store.FeedEvent) (streamEvent, error) {
	shown := toFeedJSON(e)
	data, err := json.Marshal(shown)
	if err != nil {
		return streamEvent{}, fmt.Errorf("encode event of %s: %w", e.ID, err)
	}
	return streamEvent{id: shown.ID, name: shown.Event, data: data}, nil
}
