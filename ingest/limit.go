package ingest

import "time"

// The limits of one body and of what is in it. All sizes are bytes.
const (
	maxCompressed = 20 << 20 // of the body as it is sent: Logstash's batches for Elasticsearch have this many
	maxInflated   = 64 << 20 // of the body after its Content-Encoding is undone: Firehose's buffers may have this many
	maxRecords    = 5000     // in one transaction
	maxRecord     = 256 << 10
	maxString     = 32 << 10 // longer ones are cut, after redaction, and end in a note that says so
	maxIdentity   = 200      // of an identifier that becomes a key: provider, environment, client_id, request_id, …
	maxDepth      = 32       // of nested objects and arrays in a record
	maxMembers    = 512      // of one object
)

// The limits of all requests together, and of a sender's slowness.
const (
	maxRequests = 64 // in hand at once; each costs memory, and a shipper that is refused comes again
	// maxBodies bounds the bodies in hand, as sent and inflated. The records of a body need several times its size while
	// they are read, at most maxRecords of them at a time.
	maxBodies = 96 << 20
	// workingPerCore bounds the bodies that are worked on at once: enough to decode on every core while others commit,
	// and little enough that a quiet key's request does not wait long for them.
	workingPerCore = 3 << 19

	// A body may take slowGrace, and longer if it comes at slowRate at least: a link of 64 kbit/s is honest, a byte a second is not.
	slowGrace = 30 * time.Second
	slowRate  = 8 << 10 // bytes a second
	// answerTime is how long the answer may take after the body.
	answerTime = 120 * time.Second
)
