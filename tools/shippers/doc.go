// Package shippers lets real log shippers deliver to a real authwatch, each in a process of its own over HTTP on this
// machine: a thousand records each, while authwatch answers 503 for a while and is killed after a commit, before its answer.
// In the end every record that a client holds acknowledged must be there exactly once, with the verdict that the native
// route gives it. docs/shippers.md shows the same configurations. It never speaks a shipper's protocol itself.
package shippers
