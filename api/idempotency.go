package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

const (
	answerKept     = 24 * time.Hour
	maxKeptAnswer  = 256 << 10 // bytes
	maxIdempotency = 255       // bytes of a key
)

// A keptAnswer is what a repeated request is answered.
type keptAnswer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

// once does the work of a request with an Idempotency-Key one time only (draft-ietf-httpapi-idempotency-key-header): the
// same key with the same request gets the same answer, marked as a repetition, and with another one 422. What was refused
// may be tried again with its key. It is for handlers whose work would be done twice and whose answers hold no secret.
//
// All that the handler writes with the request's context is committed together with the answer: there is no moment at
// which the work is done and a repetition would do it again.
func (s *Server) once(handle echo.HandlerFunc) echo.HandlerFunc {
	return s.onceAs(func(c echo.Context, asked store.Answered) error { return s.answerOnce(c, asked, handle) }, handle)
}

// onceOutside is once for work that is not in the database and may take its time: its answer is kept after it, so that a
// process that ends between the two does the work of a repetition.
func (s *Server) onceOutside(handle echo.HandlerFunc) echo.HandlerFunc {
	return s.onceAs(func(c echo.Context, asked store.Answered) error {
		held, err := hold(c, handle)
		if err != nil {
			return err
		}
		if _, err := s.keepAnswer(c.Request().Context(), asked, held); err != nil { // the work is done all the same
			s.Logger.ErrorContext(c.Request().Context(), "keep answer", "err", err)
		}
		return held.send(c)
	}, handle)
}

// onceAs knows a repetition; work does a request that is none, and handle one without a key.
func (s *Server) onceAs(work func(c echo.Context, asked store.Answered) error, handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Request().Header.Values("Idempotency-Key")
		if len(header) == 0 {
			return handle(c)
		}
		asked, err := s.askedOnce(c, header)
		if err != nil {
			return err
		}
		if !s.inHand.start(asked) {
			return idempotencyProblem(http.StatusConflict, "in_progress", "A request with this Idempotency-Key is being worked on; wait for its answer.")
		}
		defer s.inHand.end(asked)
		earlier, err := s.Store.GetAnswered(c.Request().Context(), asked.Source, asked.Name)
		if errors.Is(err, store.ErrNotFound) {
			return work(c, asked)
		}
		if err != nil {
			return err
		}
		return repeatAnswer(c, asked, earlier)
	}
}

func idempotencyProblem(status int, code, detail string) *problem {
	return fail(status, detail, fault{Header: "Idempotency-Key", Code: code, Detail: "one key for one request"})
}

// askedOnce names the request. Its print is keyed with the caller's own secret, which is nowhere kept, so that nobody can
// guess at bodies by it.
func (s *Server) askedOnce(c echo.Context, header []string) (store.Answered, error) {
	name := strings.TrimSpace(header[0])
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' { // a string of RFC 9651
		name = name[1 : len(name)-1]
	}
	bad := func(r rune) bool { return r < ' ' || r > '~' }
	if len(header) > 1 || name == "" || len(name) > maxIdempotency || strings.ContainsFunc(name, bad) {
		return store.Answered{}, idempotencyProblem(http.StatusBadRequest, "not_valid", fmt.Sprintf("One Idempotency-Key of 1 to %d printable ASCII characters is expected.", maxIdempotency))
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return store.Answered{}, fmt.Errorf("read body: %w", err)
	}
	c.Request().Body = io.NopCloser(bytes.NewReader(body))
	secret := c.Request().Header.Get(echo.HeaderAuthorization)
	if cookie, err := c.Cookie(s.cookieName(c)); err == nil && secret == "" {
		secret = cookie.Value
	}
	who := sha256.Sum256([]byte("authwatch idempotency source\x00" + secret)) // a new session has names of its own
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s %s\x00", c.Request().Method, c.Request().URL.RequestURI())
	mac.Write(body)
	return store.Answered{Source: "api " + hex.EncodeToString(who[:16]), Name: name, BodyPrint: hex.EncodeToString(mac.Sum(nil))}, nil
}

// errAnsweredElsewhere says that another replica was first with the same request.
var errAnsweredElsewhere = errors.New("another replica was first")

// answerOnce does the work and keeps the answer in one transaction, unless it is a refusal, and sends it.
func (s *Server) answerOnce(c echo.Context, asked store.Answered, handle echo.HandlerFunc) error {
	request := c.Request()
	defer c.SetRequest(request)
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	var held *heldAnswer
	err = s.Store.WriteTogether(request.Context(), func(ctx context.Context) (err error) {
		try := request.WithContext(ctx)
		try.Body = io.NopCloser(bytes.NewReader(body))
		c.SetRequest(try)
		if held, err = hold(c, handle); err != nil {
			return err
		}
		first, err := s.keepAnswer(ctx, asked, held)
		if err == nil && !first {
			return errAnsweredElsewhere
		}
		return err
	})
	if errors.Is(err, errAnsweredElsewhere) {
		earlier, err := s.Store.GetAnswered(request.Context(), asked.Source, asked.Name)
		if err != nil {
			return err
		}
		return repeatAnswer(c, asked, earlier)
	}
	if err != nil {
		return err
	}
	return held.send(c)
}

// keepAnswer keeps what was no refusal; first is false when the request was answered already.
func (s *Server) keepAnswer(ctx context.Context, asked store.Answered, held *heldAnswer) (first bool, err error) {
	if held.status >= http.StatusMultipleChoices || held.body.Len() > maxKeptAnswer {
		return true, nil
	}
	text, err := json.Marshal(keptAnswer{Status: held.status, Header: held.kept(), Body: held.body.String()})
	if err != nil {
		return false, fmt.Errorf("encode answer: %w", err)
	}
	asked.Answer, asked.ExpiresAt = string(text), s.Now().Add(answerKept)
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		first, err = tx.KeepAnswered(ctx, asked)
		return err
	})
	return first, err
}

// repeatAnswer gives the answer that the request had before, if it is the same request.
func repeatAnswer(c echo.Context, asked, earlier store.Answered) error {
	if earlier.BodyPrint != asked.BodyPrint {
		return idempotencyProblem(http.StatusUnprocessableEntity, "used", "This Idempotency-Key came with another request before; nothing was done. Use a new key for a new request.")
	}
	var kept keptAnswer
	if err := json.Unmarshal([]byte(earlier.Answer), &kept); err != nil {
		return fmt.Errorf("decode earlier answer: %w", err)
	}
	h := c.Response().Header()
	for name, value := range kept.Header {
		h.Set(name, value)
	}
	h.Set("Idempotent-Replayed", "true")
	c.Response().WriteHeader(kept.Status)
	_, err := io.WriteString(c.Response(), kept.Body)
	return err
}

// A heldAnswer is an answer that is held back until it is kept.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// hold lets a handler answer into memory.
func hold(c echo.Context, handle echo.HandlerFunc) (*heldAnswer, error) {
	held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	client := c.Response()
	defer c.SetResponse(client)
	c.SetResponse(echo.NewResponse(held, c.Echo()))
	return held, handle(c)
}

// Header is of the held answer alone.
func (h *heldAnswer) Header() http.Header { return h.header }

// WriteHeader notes the status.
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

// Write holds the bytes back.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

// kept are the headers that belong to the answer whenever it is given.
func (h *heldAnswer) kept() map[string]string {
	kept := map[string]string{}
	for _, name := range []string{echo.HeaderContentType, echo.HeaderLocation, "ETag"} {
		if value := h.header.Get(name); value != "" {
			kept[name] = value
		}
	}
	return kept
}

func (h *heldAnswer) send(c echo.Context) error {
	maps.Copy(c.Response().Header(), h.header)
	c.Response().WriteHeader(h.status)
	_, err := c.Response().Write(h.body.Bytes())
	return err
}

// inHand are the requests with an Idempotency-Key that are worked on.
type inHand struct {
	mu   sync.Mutex
	keys map[[2]string]bool
}

// start is false when the same key is worked on already.
func (i *inHand) start(a store.Answered) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	k := [2]string{a.Source, a.Name}
	if i.keys[k] {
		return false
	}
	i.keys[k] = true
	return true
}

func (i *inHand) end(a store.Answered) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.keys, [2]string{a.Source, a.Name})
}
