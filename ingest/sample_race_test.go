//go:build race

package ingest

// oneIn is of how many that are tried one after the other one is tried here: the race detector finds races, not wrong bytes, and makes
// everything ten times slower.
const oneIn = 16
