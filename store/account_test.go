package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func keyContract() []contractTest {
	return []contractTest{
		{"a key is found by its text alone", testKey},
		{"a text that is nearly a key is not one", testKeyNear},
		{"a revoked key is invalid at once", testKeyRevoked},
		{"the use of a key is noted once a minute", testKeyUse},
		{"only the hash of a secret is kept", testSecretsHashed},
	}
}

func (w *world) key(t *testing.T, scope Scope) (APIKey, string) {
	t.Helper()
	key, text, err := w.CreateKey(t.Context(), scope, "the "+string(scope)+" key")
	if err != nil {
		t.Fatal(err)
	}
	return key, text
}

func testKey(t *testing.T, w *world) {
	for _, scope := range []Scope{ScopeIngest, ScopeRead, ScopeRespond, ScopeAdmin} {
		key, text := w.key(t, scope)
		if !regexp.MustCompile(`^aw_` + string(scope) + `_[a-z2-7]{8}_[0-9A-Za-z]{43}$`).MatchString(text) {
			t.Errorf("key %q has another form", text)
		}
		got, err := w.FindKey(t.Context(), text)
		if err != nil || got != key {
			t.Errorf("got %+v, %v; want %+v", got, err, key)
		}
		w.clock = w.clock.Add(time.Second)
	}
	list, err := w.ListKeys(t.Context())
	if err != nil || len(list) != 4 || list[0].Scope != ScopeAdmin || list[3].Scope != ScopeIngest {
		t.Errorf("keys: %+v, %v", list, err)
	}
	if _, _, err := w.CreateKey(t.Context(), "root", "x"); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown scope: got %v, want ErrInvalid", err)
	}
}

func testKeyNear(t *testing.T, w *world) {
	_, text := w.key(t, ScopeRead)
	_, other := w.key(t, ScopeRead)
	last := "0"
	if strings.HasSuffix(text, "0") {
		last = "1"
	}
	for name, near := range map[string]string{
		"empty":                "",
		"another last letter":  text[:len(text)-1] + last,
		"one letter more":      text + "0",
		"one letter less":      text[:len(text)-1],
		"another scope":        strings.Replace(text, "_read_", "_admin_", 1),
		"another prefix":       "x" + text[1:],
		"another key's secret": text[:len(text)-43] + other[len(other)-43:],
		"no secret":            text[:len(text)-43],
		"upper case":           strings.ToUpper(text),
		"SQL":                  "aw_read_' or '1_" + strings.Repeat("0", 43),
		"NUL":                  "aw_read_\x00\x00\x00\x00\x00\x00\x00\x00_" + strings.Repeat("0", 43),
		"not UTF-8":            "aw_read_\xff\xff\xff\xff\xff\xff\xff\xff_" + strings.Repeat("0", 43),
	} {
		if key, err := w.FindKey(t.Context(), near); err != ErrNotFound {
			t.Errorf("%s: got %+v, %v; want ErrNotFound", name, key, err)
		}
	}
}

func testKeyRevoked(t *testing.T, w *world) {
	key, text := w.key(t, ScopeRead)
	if err := w.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.FindKey(t.Context(), text); err != ErrNotFound {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	for _, id := range []string{key.ID, "none"} {
		if err := w.RevokeKey(t.Context(), id); err != ErrNotFound {
			t.Errorf("revoke %s: got %v, want ErrNotFound", id, err)
		}
	}
	list, err := w.ListKeys(t.Context())
	if err != nil || len(list) != 1 || !list[0].RevokedAt.Equal(w.clock) {
		t.Errorf("keys: %+v, %v", list, err)
	}
}

func testKeyUse(t *testing.T, w *world) {
	key, text := w.key(t, ScopeRead)
	// used finds the key that many seconds later and returns what is noted once the queued writes are done.
	used := func(seconds int) time.Time {
		w.clock = at(seconds)
		if _, err := w.FindKey(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		w.claim(t, seconds) // queued behind the note
		list, err := w.ListKeys(t.Context())
		if err != nil || len(list) != 1 || list[0].ID != key.ID {
			t.Fatal(list, err)
		}
		return list[0].LastUsedAt
	}
	wantTime(t, "first use", used(70), at(60))
	wantTime(t, "use within the minute", used(125), at(60))
	wantTime(t, "use after it", used(131), at(120))

	release := w.hold(t)
	w.clock = at(1000)
	if _, err := w.FindKey(t.Context(), text); err != nil { // returns although nothing can be written
		t.Error(err)
	}
	release()
}

func testSecretsHashed(t *testing.T, w *world) {
	_, text := w.key(t, ScopeAdmin)
	secret := text[len(text)-43:]
	var kept string
	if err := w.readers.QueryRow(`select secret_hash from api_key`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(secret))
	equal(t, "hash", kept, hex.EncodeToString(sum[:]))
	user, token := w.signIn(t, "ana")
	cookie, _, err := w.UseSignIn(t.Context(), token, time.Hour)
	if err != nil || user.Name != "ana" {
		t.Fatal(user, err)
	}
	if strings.Contains(w.dsn, "://") {
		return
	}
	for _, name := range []string{w.dsn, w.dsn + "-wal"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{secret, token, cookie} {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
}

func sessionContract() []contractTest {
	return []contractTest{
		{"users", testUsers},
		{"a sign-in token works once", testSignIn},
		{"of many at once one uses a sign-in token", testSignInRace},
		{"a sign-in token ends", testSignInExpires},
		{"a session ends at its time or by hand", testSession},
	}
}

// signIn makes a user and a token that is valid for ten minutes.
func (w *world) signIn(t *testing.T, name string) (User, string) {
	t.Helper()
	user, err := w.CreateUser(t.Context(), name, Responder)
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.CreateSignIn(t.Context(), user.ID, 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return user, token
}

func testUsers(t *testing.T, w *world) {
	zoe, err := w.CreateUser(t.Context(), "zoe", Admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateUser(t.Context(), "zoe", Viewer); !errors.Is(err, ErrConflict) {
		t.Errorf("the same name: got %v, want ErrConflict", err)
	}
	for name, role := range map[string]Role{"": Viewer, "ben": "root"} {
		if _, err := w.CreateUser(t.Context(), name, role); !errors.Is(err, ErrInvalid) {
			t.Errorf("user %q, role %s: got %v, want ErrInvalid", name, role, err)
		}
	}
	ana, err := w.CreateUser(t.Context(), "ana", Viewer)
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.ListUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "users", fmt.Sprint(list), fmt.Sprint([]User{ana, zoe}))
	got, err := w.GetUserByName(t.Context(), "zoe")
	if err != nil || got != zoe {
		t.Errorf("got %+v, %v; want %+v", got, err, zoe)
	}
	if _, err := w.GetUserByName(t.Context(), "none"); err != ErrNotFound {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := w.CreateSignIn(t.Context(), "usr_none", time.Hour); err != ErrNotFound {
		t.Errorf("sign-in of nobody: got %v, want ErrNotFound", err)
	}
}

func testSignIn(t *testing.T, w *world) {
	user, token := w.signIn(t, "ana")
	for range 2 { // looking does not consume
		if got, err := w.CheckSignIn(t.Context(), token); err != nil || got != user {
			t.Errorf("check: got %+v, %v; want %+v", got, err, user)
		}
	}
	cookie, session, err := w.UseSignIn(t.Context(), token, time.Hour)
	if err != nil || session != (Session{User: user, CreatedAt: at(0), ExpiresAt: at(3600)}) {
		t.Fatalf("session: %+v, %v", session, err)
	}
	if got, err := w.GetSession(t.Context(), cookie); err != nil || got != session {
		t.Errorf("got %+v, %v; want %+v", got, err, session)
	}
	if _, _, err := w.UseSignIn(t.Context(), token, time.Hour); err != ErrNotFound {
		t.Errorf("second use: got %v, want ErrNotFound", err)
	}
	if _, err := w.CheckSignIn(t.Context(), token); err != ErrNotFound {
		t.Errorf("check after use: got %v, want ErrNotFound", err)
	}
}

func testSignInRace(t *testing.T, w *world) {
	_, token := w.signIn(t, "ana")
	var mu sync.Mutex
	used := 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, _, err := w.UseSignIn(t.Context(), token, time.Hour)
			mu.Lock()
			defer mu.Unlock()
			switch err {
			case nil:
				used++
			case ErrNotFound:
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "sessions", used, 1)
}

func testSignInExpires(t *testing.T, w *world) {
	_, token := w.signIn(t, "ana")
	w.clock = at(600)
	if _, err := w.CheckSignIn(t.Context(), token); err != ErrNotFound {
		t.Errorf("check: got %v, want ErrNotFound", err)
	}
	if _, _, err := w.UseSignIn(t.Context(), token, time.Hour); err != ErrNotFound {
		t.Errorf("use: got %v, want ErrNotFound", err)
	}
}

func testSession(t *testing.T, w *world) {
	_, token := w.signIn(t, "ana")
	cookie, _, err := w.UseSignIn(t.Context(), token, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w.clock = at(3599)
	if _, err := w.GetSession(t.Context(), cookie); err != nil {
		t.Errorf("before its end: %v", err)
	}
	w.clock = at(3600)
	if _, err := w.GetSession(t.Context(), cookie); err != ErrNotFound {
		t.Errorf("at its end: got %v, want ErrNotFound", err)
	}
	w.clock = at(0)
	for _, ended := range []string{cookie, "unknown"} {
		if err := w.EndSession(t.Context(), ended); err != nil {
			t.Errorf("end %s: %v", ended, err)
		}
	}
	if _, err := w.GetSession(t.Context(), cookie); err != ErrNotFound {
		t.Errorf("ended: got %v, want ErrNotFound", err)
	}
}
