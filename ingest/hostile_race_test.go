//go:build race

package ingest

// hostileSample has one in so many of the hostile texts sent.
const hostileSample = 16
