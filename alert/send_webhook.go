package alert

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// webhook posts the message as JSON, signed as Standard Webhooks 1.0 describes, for which there are libraries in most languages:
// webhook-signature is "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body".
type webhook struct{ settings }

func (r webhook) send(ctx context.Context, n note) error {
	key, err := signingKey(r.key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(n.message)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return r.postBytes(ctx, r.address, body, map[string]string{
		"webhook-id": n.delivery, "webhook-timestamp": strconv.FormatInt(n.now.Unix(), 10), "webhook-signature": sign(key, n.delivery, n.now, body),
	})
}

func sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signingKey reads whsec_ and base64 of 24 to 64 bytes, as Standard Webhooks writes keys, or takes a text of that length as it is.
func signingKey(s secret) ([]byte, error) {
	key := []byte(s.text)
	if encoded, ok := strings.CutPrefix(s.text, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return nil, errors.New("a key that is whsec_ and base64")
		}
	}
	if len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a key of 24 to 64 bytes")
	}
	return key, nil
}
