package shippers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// A gate stands between a shipper and authwatch and disturbs the delivery: it lets some requests pass, keeps authwatch so busy for a
// while that it answers 503, lets some more pass, and kills authwatch after the commit of the next, before its answer.
// Nothing listens then until authwatch runs again on the same database.
type gate struct {
	service *service
	address string
	// Deliveries that pass before authwatch is busy, and before it is killed.
	calm, calmAgain int

	ctx    context.Context
	mu     sync.Mutex
	server *http.Server
	phase  phase
	passed int // in this phase
	log    gateLog
	failed error
	back   chan struct{} // closed when authwatch runs again
}

type phase int

const (
	beforeBusy phase = iota
	busy
	beforeCrash
	crashing
	over
)

const (
	busyTime = 2 * time.Second
	downTime = 500 * time.Millisecond
)

// A gateLog counts what the shipper was told.
type gateLog struct {
	Passed  int // deliveries whose answer it got
	Refused int // with 503, or by cutting the connection
	Hasty   int // of those, with 503 and without a Retry-After
	Crashed bool
}

// newGate listens on a free port.
func newGate(ctx context.Context, s *service, calm, calmAgain int) (*gate, error) {
	g := &gate{service: s, calm: calm, calmAgain: calmAgain, ctx: ctx, address: "127.0.0.1:0", back: make(chan struct{})}
	return g, g.listen()
}

func (g *gate) url() string { return "http://" + g.address }

// listen opens the gate: on a port of its own, later on the same one.
func (g *gate) listen() error {
	target, err := url.Parse(g.service.url)
	if err != nil {
		return fmt.Errorf("read address of authwatch: %w", err)
	}
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		return fmt.Errorf("open the gate: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorHandler:   g.cut,
		ModifyResponse: g.answered,
	}
	server := &http.Server{Handler: g.handler(proxy)}
	g.mu.Lock()
	g.address, g.server = listener.Addr().String(), server
	g.mu.Unlock()
	go server.Serve(listener)
	return nil
}

// cut breaks the connection of a request that authwatch did not answer: a proxy's 502 is not what a shipper would see then.
func (g *gate) cut(http.ResponseWriter, *http.Request, error) {
	g.mu.Lock()
	if g.phase == busy {
		g.log.Refused++
	}
	g.mu.Unlock()
	panic(http.ErrAbortHandler)
}

// close ends the gate and tells what happened at it.
func (g *gate) close() (gateLog, error) {
	g.mu.Lock()
	crashed := g.log.Crashed
	g.mu.Unlock()
	if crashed {
		<-g.back
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log, errors.Join(g.failed, g.server.Close())
}

// isDelivery tells records from what shippers ask before and after them.
func isDelivery(r *http.Request) bool {
	return (r.Method == http.MethodPost || r.Method == http.MethodPut) && r.ContentLength != 0
}

func (g *gate) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isDelivery(r) {
			g.keepBusy()
		}
		next.ServeHTTP(w, r)
	})
}

// keepBusy lets the next delivery find authwatch busy when the first calm is over. Others wait until it is.
func (g *gate) keepBusy() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.phase != beforeBusy || g.passed < g.calm {
		return
	}
	release, err := g.service.fill(g.ctx)
	if err != nil {
		release()
		g.failed = err
		return
	}
	g.phase = busy
	time.AfterFunc(busyTime, func() { g.endBusy(release) })
}

// endBusy waits for the delivery that is to find authwatch busy, however long it is under way.
func (g *gate) endBusy(release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.log.Refused == 0 && g.ctx.Err() == nil {
		time.AfterFunc(busyTime, func() { g.endBusy(release) })
		return
	}
	release()
	g.phase, g.passed = beforeCrash, 0
}

// answered sees authwatch's answers. The one that would have been the last of the second calm never arrives.
func (g *gate) answered(resp *http.Response) error {
	if !isDelivery(resp.Request) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if resp.StatusCode == http.StatusServiceUnavailable {
		g.log.Refused++
		if resp.Header.Get("Retry-After") == "" {
			g.log.Hasty++
		}
	}
	if resp.StatusCode >= 300 {
		return nil
	}
	killed := errors.New("authwatch was killed")
	if g.phase == crashing {
		return killed
	}
	if g.phase == beforeCrash && g.passed >= g.calmAgain {
		g.phase, g.log.Crashed = crashing, true
		go g.crash()
		return killed
	}
	g.passed++
	g.log.Passed++
	return nil
}

// crash kills authwatch and closes every connection, and after some time starts it again.
func (g *gate) crash() {
	defer close(g.back)
	g.service.kill()
	g.mu.Lock()
	err := g.server.Close()
	g.mu.Unlock()
	time.Sleep(downTime)
	err = errors.Join(err, g.service.start(g.ctx))
	g.mu.Lock()
	g.phase = over
	g.mu.Unlock()
	opened := errors.New("authwatch did not start again")
	for try := 0; err == nil && opened != nil && try < tries; try++ { // another's connection may have the port for a moment
		if opened = g.listen(); opened != nil {
			time.Sleep(pause)
		}
	}
	g.mu.Lock()
	g.failed = errors.Join(g.failed, err, opened)
	g.mu.Unlock()
}
