package main

import "runtime/debug"

// A server under load makes garbage by the batch, and what stays is small. The collector would run at each doubling of that;
// it may as well wait until the memory is used that is granted anyway.
const (
	collectAt    = 400       // percent of what stays
	granted      = 148 << 20 // bytes of the Go heap of a server; SQLite's caches and the program itself come on top
	grantedAlone = 256 << 20 // of a run without a database, which holds the history of a month's log in up to 170 MB
	collectAtVar = "GOGC"
	grantedVar   = "GOMEMLIMIT"
)

// settleMemory tells the collector how much it may leave lying, unless the environment says so.
func settleMemory(getenv func(string) string, granted int64) {
	if getenv(collectAtVar) == "" {
		debug.SetGCPercent(collectAt)
	}
	if getenv(grantedVar) == "" {
		debug.SetMemoryLimit(granted)
	}
}
