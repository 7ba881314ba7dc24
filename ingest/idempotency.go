package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"authwatch/store"
)

const (
	// answerKept is how long an Idempotency-Key is remembered: longer than any shipper goes on trying.
	answerKept = 24 * time.Hour
	// maxAnswer bounds an answer that is remembered, in bytes. A longer one lists hundreds of bad records; its request is
	// judged again record by record, which changes nothing but the answer.
	maxAnswer      = 64 << 10
	maxIdempotency = 255 // bytes of a key
)

// once does the work of a request with an Idempotency-Key one time only (draft-ietf-httpapi-idempotency-key-header): the
// same key with the same body gets the same answer and no work, and with another body 422. A request that was refused may
// be tried again with its key. Keys are of their source, and live in the database for answerKept.
//
// The answer is kept after the commit of the records, not with it: when the process ends between the two, the records'
// own delivery keys still make the next try change nothing.
func (i *Ingester) once(ctx context.Context, header []string, b batch, body []byte, work func() (answer, error)) (answer, error) {
	name, err := idempotencyKey(header)
	if err != nil {
		return answer{}, err
	}
	known := store.Answered{Source: b.source, Name: name, BodyPrint: i.redactor.bodyPrint(b.route, body)}
	if !i.running.start(b.source, name) {
		return answer{}, &problem{Title: "request in progress", Status: http.StatusConflict, reason: "idempotency_key",
			Detail: "a request with this Idempotency-Key is being worked on; wait for its answer"}
	}
	defer i.running.end(b.source, name)
	earlier, err := i.store.GetAnswered(ctx, b.source, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return answer{}, fmt.Errorf("look up Idempotency-Key: %w", err)
	case earlier.BodyPrint != known.BodyPrint:
		return answer{}, &problem{Title: "Idempotency-Key was used", Status: http.StatusUnprocessableEntity, reason: "idempotency_key",
			Detail: "this Idempotency-Key came with another body before; nothing was stored, use a new key for a new body"}
	default:
		return earlierAnswer(earlier)
	}
	a, err := work()
	if err != nil {
		return a, err
	}
	known.Answer, known.ExpiresAt = string(encode(a)), b.at.Add(answerKept)
	if len(known.Answer) > maxAnswer {
		return a, nil
	}
	err = i.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.KeepAnswered(ctx, known)
		return err
	})
	return a, err
}

func earlierAnswer(known store.Answered) (answer, error) {
	a := answer{repeated: true}
	if err := json.Unmarshal([]byte(known.Answer), &a); err != nil {
		return answer{}, fmt.Errorf("decode earlier answer: %w", err)
	}
	return a, nil
}

// idempotencyKey reads the header: a string of RFC 9651 in quotes, or as most clients send it, without.
func idempotencyKey(header []string) (string, error) {
	name := strings.TrimSpace(header[0])
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = name[1 : len(name)-1]
	}
	bad := func(r rune) bool { return r < ' ' || r > '~' }
	if len(header) > 1 || name == "" || len(name) > maxIdempotency || strings.ContainsFunc(name, bad) {
		return "", &problem{Title: "bad Idempotency-Key", Status: http.StatusBadRequest, reason: "idempotency_key",
			Detail: fmt.Sprintf("one Idempotency-Key of 1 to %d printable ASCII characters is expected", maxIdempotency)}
	}
	return name, nil
}

// bodyPrint is the keyed digest of a body, after its Content-Encoding was undone, and of where it was sent.
func (r *Redactor) bodyPrint(route string, body []byte) string {
	mac := hmac.New(sha256.New, r.key)
	fmt.Fprintf(mac, "authwatch/body/v1\x00%s\x00", route)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// running are the requests with an Idempotency-Key that are in hand.
type running struct {
	mu   sync.Mutex
	keys map[[2]string]bool
}

func newRunning() *running { return &running{keys: map[[2]string]bool{}} }

// start is false when the same request is in hand already.
func (r *running) start(source, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := [2]string{source, name}
	if r.keys[k] {
		return false
	}
	r.keys[k] = true
	return true
}

func (r *running) end(source, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, [2]string{source, name})
}
