package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// A Scope is what an API key may do.
type Scope string

// The scopes. Admin includes Read and Respond; nothing includes Ingest, so that a shipper's key is never a reader's.
const (
	ScopeIngest  Scope = "ingest"
	ScopeRead    Scope = "read"
	ScopeRespond Scope = "respond" // Read, and change the state of incidents
	ScopeAdmin   Scope = "admin"
)

func (s Scope) valid() bool {
	return s == ScopeIngest || s == ScopeRead || s == ScopeRespond || s == ScopeAdmin
}

// An APIKey is a key without its secret, of which only the SHA-256 is kept.
type APIKey struct {
	ID         string // 8 characters, part of the key itself: aw_<scope>_<id>_<secret>
	Name       string
	Scope      Scope
	CreatedAt  time.Time
	LastUsedAt time.Time // to the minute
	RevokedAt  time.Time // zero: valid
	Rate       int64     // records a second that it may send; 0: as many as the server allows any key
}

const (
	keyPrefix    = "aw"
	keyIDLength  = 8
	secretLength = 43 // base62 digits that hold 256 bits
	noteEvery    = time.Minute
)

// newSecret returns 256 random bits in 43 characters that a double click selects whole.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	text := new(big.Int).SetBytes(b[:]).Text(62)
	return strings.Repeat("0", secretLength-len(text)) + text
}

// newKeyID returns 8 characters of a-z and 2-7; rand.Text has 26 of A-Z and 2-7.
func newKeyID() string { return strings.ToLower(rand.Text()[:keyIDLength]) }

// hashSecret needs no salt and no slowness: what it hashes is 256 random bits.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// CreateKey makes a key and returns it with its text, which is not kept. Errors: ErrInvalid for an unknown scope.
func (s *Store) CreateKey(ctx context.Context, scope Scope, name string) (key APIKey, text string, err error) {
	if !scope.valid() {
		return APIKey{}, "", fmt.Errorf("%w: a scope is ingest, read, respond or admin", ErrInvalid)
	}
	secret := newSecret()
	key = APIKey{ID: newKeyID(), Name: cleanText(name), Scope: scope, CreatedAt: fromMillis(toMillis(s.now()))}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		err := tx.exec(ctx, `insert into api_key (id, name, scope, secret_hash, created_at, last_used_at, revoked_at, rate)
			values ($1, $2, $3, $4, $5, 0, 0, 0)`, key.ID, key.Name, string(key.Scope), hashSecret(secret), key.CreatedAt)
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditKeyCreated, key.Name+" ("+key.ID+")", "scope "+string(key.Scope))
	})
	if err != nil {
		return APIKey{}, "", fmt.Errorf("create key %q: %w", name, err)
	}
	return key, strings.Join([]string{keyPrefix, string(scope), key.ID, secret}, "_"), nil
}

// FindKey returns the valid key of that text, or ErrNotFound. It notes the use at most once a minute, off the caller's path.
func (s *Store) FindKey(ctx context.Context, text string) (APIKey, error) {
	parts := strings.Split(text, "_")
	if len(parts) != 4 || parts[0] != keyPrefix || len(parts[2]) != keyIDLength || len(parts[3]) != secretLength {
		return APIKey{}, ErrNotFound
	}
	var hash string
	row := s.readers.QueryRowContext(ctx, `select `+keyColumns+`, secret_hash from api_key where id = $1 and revoked_at = 0`, cleanText(parts[2]))
	key, err := scanKey(func(into ...any) error { return row.Scan(append(into, &hash)...) })
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return APIKey{}, fmt.Errorf("load key %s: %w", parts[2], err)
	}
	same := subtle.ConstantTimeCompare([]byte(hash), []byte(hashSecret(parts[3]))) == 1
	if err != nil || !same || string(key.Scope) != parts[1] {
		return APIKey{}, ErrNotFound
	}
	s.noteUse(key)
	return key, nil
}

// noteUse queues the time of use unless it was noted within the minute. A note that is lost costs a minute's accuracy.
func (s *Store) noteUse(key APIKey) {
	now := s.now()
	s.mu.Lock()
	due := now.Sub(key.LastUsedAt) >= noteEvery && now.Sub(s.noted[key.ID]) >= noteEvery
	if due {
		s.noted[key.ID] = now
	}
	s.mu.Unlock()
	if !due {
		return
	}
	s.writeLater(func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `update api_key set last_used_at = $1 where id = $2 and last_used_at < $1`, now.Truncate(noteEvery), key.ID)
	})
}

const keyColumns = `id, name, scope, created_at, last_used_at, revoked_at, rate`

func scanKey(scan func(...any) error) (k APIKey, err error) {
	var created, used, revoked int64
	err = scan(&k.ID, &k.Name, &k.Scope, &created, &used, &revoked, &k.Rate)
	k.CreatedAt, k.LastUsedAt, k.RevokedAt = fromMillis(created), fromMillis(used), fromMillis(revoked)
	return k, err
}

// ListKeys returns all keys, newest first.
func (s *Store) ListKeys(ctx context.Context) ([]APIKey, error) {
	rows, err := s.readers.QueryContext(ctx, `select `+keyColumns+` from api_key order by created_at desc, id`)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	list, err := collect(rows, scanKey)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return list, nil
}

// RevokeKey makes a key invalid at once. Errors: ErrNotFound when there is no such valid key.
func (s *Store) RevokeKey(ctx context.Context, id string) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		var name string
		err := tx.queryRow(ctx, `update api_key set revoked_at = $1 where id = $2 and revoked_at = 0 returning name`, s.now(), id).Scan(&name)
		if err != nil {
			return missing(err, "update")
		}
		return tx.audit(ctx, AuditKeyRevoked, name+" ("+id+")", "")
	})
	return wrapUnlessMissing(err, "revoke key "+id)
}

// SetKeyRate bounds what a valid ingest key may send, in records a second; 0 lifts the bound. Errors: ErrNotFound,
// ErrInvalid for a rate below 0.
func (s *Store) SetKeyRate(ctx context.Context, id string, rate int64) error {
	if rate < 0 {
		return fmt.Errorf("%w: a rate is not below 0", ErrInvalid)
	}
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		changed, err := tx.changed(ctx, `update api_key set rate = $1 where id = $2 and scope = $3 and revoked_at = 0`, rate, id, string(ScopeIngest))
		if err == nil && !changed {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditKeyLimited, id, "to "+strconv.FormatInt(rate, 10)+" records a second")
	})
	return wrapUnlessMissing(err, "set rate of key "+id)
}
