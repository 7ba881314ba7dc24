package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

const (
	streamRoute    = "/api/v1/stream"
	heartbeatEvery = 15 * time.Second
	streamPatience = 20 * time.Second // for a client that reads nothing, before its stream is ended
	catchUpSize    = 200              // events that are read at once for a client that comes back
	catchUpMost    = 20_000           // that it gets, before it is told to read the feed
)

// heartbeatJSON says that the stream lives.
type heartbeatJSON struct {
	Time         time.Time `json:"time"`
	LastReceived time.Time `json:"last_received,omitzero"` // when anything came last, a success too
}

// skippedJSON says what a client did not get, because it or the server was too slow.
type skippedJSON struct {
	Count  int    `json:"count"`
	Unread int    `json:"unread"` // of count: whether they match the filter is not known
	After  string `json:"after"`  // GET /api/v1/feed from here has them
}

// resetJSON says that the place to resume from is gone.
type resetJSON struct {
	Reason string `json:"reason"`
}

// stream tells a client what is committed as server-sent events, until it leaves, its key or session ends or the server does.
func (s *Server) stream(c echo.Context) error {
	q := s.query(c)
	f, from := q.feedFilter(), store.FeedPosition{}
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		from = q.feedPlace("Last-Event-ID", last)
		q.one("after") // a browser that comes back repeats it
	} else {
		from = q.feedPlace("after", q.one("after"))
	}
	if err := q.err(); err != nil {
		return err
	}
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderContentType, "text/event-stream")
		return c.NoContent(http.StatusOK)
	}
	who := identityOf(c)
	client, err := s.streams.join(c.Request().Context(), f, who.key.ID+" "+who.user.ID)
	if err != nil {
		return err
	}
	defer s.streams.leave(client)
	w, err := newEventWriter(c)
	if err != nil {
		return err
	}
	if err := s.sendStream(c, w, client, from); err != nil && c.Request().Context().Err() == nil && !isTimeout(err) {
		s.Logger.ErrorContext(c.Request().Context(), "stream ended", "err", err)
	}
	return nil
}

// isTimeout is true of a client that reads nothing.
func isTimeout(err error) bool {
	var late interface{ Timeout() bool }
	return errors.As(err, &late) && late.Timeout()
}

// sendStream sends what was missed since from, unless that is zero, and then what comes.
func (s *Server) sendStream(c echo.Context, w *eventWriter, client *streamClient, from store.FeedPosition) error {
	joined := client.take()
	if from != (store.FeedPosition{}) {
		if err := s.catchUp(c, w, client.filter, from, joined.position); err != nil {
			return err
		}
	}
	if err := w.batch(joined); err != nil {
		return err
	}
	if err := s.heartbeat(c, w); err != nil {
		return err
	}
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	for {
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-s.streams.ended:
			return nil
		case <-client.wake:
			if err := w.batch(client.take()); err != nil {
				return err
			}
		case <-beat.C:
			if stays, err := s.mayStay(c); err != nil || !stays {
				return err
			}
			if err := s.heartbeat(c, w); err != nil {
				return err
			}
		}
	}
}

// mayStay is false when the key of a stream was revoked or its session is over: news for the client, no error here.
func (s *Server) mayStay(c echo.Context) (bool, error) {
	who, err := s.identify(c, apiRead)
	var refused *problem
	if errors.As(err, &refused) {
		return false, nil
	}
	return err == nil && who.allow(apiRead) == nil, err
}

// catchUp sends what lies between two places.
func (s *Server) catchUp(c echo.Context, w *eventWriter, f store.FeedFilter, from, to store.FeedPosition) error {
	ctx := c.Request().Context()
	if _, _, err := s.Store.ReadFeed(ctx, from, 1); errors.Is(err, store.ErrFeedGone) {
		return w.reset("the place to resume from is older than a day, or of another database; read again what you show")
	}
	for looked := 0; from.Before(to) && ctx.Err() == nil; looked += catchUpSize {
		if looked >= catchUpMost {
			return w.reset("too much was missed; GET /api/v1/feed has it")
		}
		list, next, err := s.Store.ReadFeed(ctx, from, catchUpSize)
		if err != nil {
			return err
		}
		var events []streamEvent
		for _, e := range list {
			if to.Before(e.After) || !f.Matches(e) {
				continue
			}
			shown, err := toStreamEvent(e)
			if err != nil {
				return err
			}
			events = append(events, shown)
		}
		if err := w.batch(streamBatch{events: events, position: from}); err != nil {
			return err
		}
		from = next
	}
	return nil
}

func (s *Server) heartbeat(c echo.Context, w *eventWriter) error {
	received, _, err := s.Store.LastReceived(c.Request().Context())
	if err != nil {
		return err
	}
	return w.send(w.place, "heartbeat", heartbeatJSON{Time: s.Now().UTC(), LastReceived: received})
}

// An eventWriter writes server-sent events, each with a deadline of its own.
type eventWriter struct {
	to    *echo.Response
	rc    *http.ResponseController
	place string // up to which the client has everything
}

func newEventWriter(c echo.Context) (*eventWriter, error) {
	w := &eventWriter{to: c.Response(), rc: http.NewResponseController(c.Response())}
	// The server's limits are those of a request that ends.
	if err := w.rc.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("lift read deadline: %w", err)
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would collect events otherwise
	c.Response().WriteHeader(http.StatusOK)
	return w, nil
}

// batch writes what waited for the client.
func (w *eventWriter) batch(b streamBatch) error {
	for _, e := range b.events {
		if err := w.write(e.id, e.name, e.data); err != nil {
			return err
		}
	}
	if b.skipped > 0 {
		if err := w.send("", "skipped", skippedJSON{Count: b.skipped, Unread: b.unread, After: w.place}); err != nil {
			return err
		}
	}
	if b.reset {
		if err := w.reset("the feed does not reach back to where this stream was"); err != nil {
			return err
		}
	}
	w.place = b.position.String()
	return w.flush()
}

func (w *eventWriter) reset(reason string) error {
	return w.send("", "reset", resetJSON{reason})
}

// send writes one event and has it leave at once.
func (w *eventWriter) send(id, name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if err := w.write(id, name, data); err != nil {
		return err
	}
	return w.flush()
}

// write writes one event. Its data is JSON and so has no line breaks.
func (w *eventWriter) write(id, name string, data []byte) error {
	if err := w.rc.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if id != "" {
		w.place = id
		id = "id: " + id + "\n"
	}
	if _, err := fmt.Fprintf(w.to, "%sevent: %s\ndata: %s\n\n", id, name, data); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}

func (w *eventWriter) flush() error {
	if err := w.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// EndStreams ends the streams that are open, and refuses new ones: they would keep a server from stopping.
func (s *Server) EndStreams() { s.streams.end() }
