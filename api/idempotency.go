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
// The answer is kept after the work, not with it: a process that ends between the two does the work of a repetition.
func (s *Server) once(handle echo.HandlerFunc) echo.HandlerFunc {
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
		switch {
		case errors.Is(err, store.ErrNotFound):
			return s.answerOnce(c, asked, handle)
		case err != nil:
			return err
		case earlier.BodyPrint != asked.BodyPrint:
			return idempotencyProblem(http.StatusUnprocessableEntity, "used", "This Idempotency-Key came with another request before; nothing was done. Use a new key for a new request.")
		}
		return repeatAnswer(c, earlier)
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

// answerOnce does the work, keeps the answer unless it is a refusal, and sends it.
func (s *Server) answerOnce(c echo.Context, asked store.Answered, handle echo.HandlerFunc) error {
	client := c.Response().Writer
	held := &heldAnswer{ResponseWriter: client, status: http.StatusOK}
	c.Response().Writer = held
	err := handle(c)
	c.Response().Writer = client
	if err != nil {
		return err
	}
	kept := keptAnswer{Status: held.status, Header: map[string]string{}, Body: held.body.String()}
	for _, name := range []string{echo.HeaderContentType, echo.HeaderLocation, "ETag"} {
		if value := client.Header().Get(name); value != "" {
			kept.Header[name] = value
		}
	}
	if held.status < http.StatusMultipleChoices && held.body.Len() <= maxKeptAnswer {
		if err := s.keepAnswer(c.Request().Context(), asked, kept); err != nil { // the work is done all the same
			s.Logger.ErrorContext(c.Request().Context(), "keep answer", "err", err)
		}
	}
	client.WriteHeader(held.status)
	_, err = client.Write(held.body.Bytes())
	return err
}

func (s *Server) keepAnswer(ctx context.Context, asked store.Answered, kept keptAnswer) error {
	text, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	asked.Answer, asked.ExpiresAt = string(text), s.Now().Add(answerKept)
	return s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.KeepAnswered(ctx, asked) })
}

func repeatAnswer(c echo.Context, earlier store.Answered) error {
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

// A heldAnswer holds an answer back until it is kept.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

// Write holds the bytes back.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

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
