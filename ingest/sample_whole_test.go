//go:build !race

package ingest

// oneIn is of how many that are tried one after the other one is tried: all are.
const oneIn = 1
