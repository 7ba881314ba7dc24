package store

import "time"

// A Scope is what an API key may do.
type Scope string

// The scopes. Admin includes Read and Respond; nothing includes Ingest, so that a shipper's key is never a reader's.
const (
	ScopeIngest  Scope = "ingest"
	ScopeRead    Scope = "read"
	ScopeRespond Scope = "respond" // Read, and change the state of incidents
	ScopeAdmin   Scope = "admin"
)

// An APIKey is a key without its secret, of which only the SHA-256 is kept.
type APIKey struct {
	ID         string // 8 characters, part of the key itself: aw_<scope>_<id>_<secret>
	Name       string
	Scope      Scope
	CreatedAt  time.Time
	LastUsedAt time.Time // to the minute
	RevokedAt  time.Time // zero: valid
}

// A User is a person who may sign in.
type User struct {
	ID        string
	Name      string
	Role      Role
	CreatedAt time.Time
}

// A Role is what a person may do.
type Role string

// The roles.
const (
	Viewer    Role = "viewer"
	Responder Role = "responder"
	Admin     Role = "admin"
)

// A Session is a signed-in browser. Only the SHA-256 of its cookie is kept.
type Session struct {
	User      User
	CreatedAt time.Time
	ExpiresAt time.Time
}
