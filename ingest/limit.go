package ingest

// The limits of one body and of what is in it. All sizes are bytes.
const (
	maxCompressed = 8 << 20  // of the body as it is sent
	maxInflated   = 32 << 20 // of the body after its Content-Encoding is undone
	maxRecords    = 5000     // in one body
	maxRecord     = 256 << 10
	maxString     = 32 << 10 // longer ones are cut, after redaction, and end in a note that says so
	maxIdentity   = 200      // of an identifier that becomes a key: provider, environment, client_id, request_id, …
	maxDepth      = 32       // of nested objects and arrays in a record
	maxMembers    = 512      // of one object
)
