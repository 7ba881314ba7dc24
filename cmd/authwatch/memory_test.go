package main

import (
	"runtime/debug"
	"testing"
)

func TestSettleMemory_LeavesTheLastWordToTheEnvironment(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(limit)
	defer debug.SetGCPercent(percent)
	settleMemory(envOf(grantedVar, "1GiB"), granted)
	if got := debug.SetGCPercent(100); got != collectAt {
		t.Errorf("the collector runs at %d %%", got)
	}
	if got := debug.SetMemoryLimit(-1); got != limit {
		t.Errorf("limit %d, want the environment's", got)
	}
	settleMemory(envOf(collectAtVar, "50"), granted)
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("the collector runs at %d %%, want the environment's", got)
	}
	if got := debug.SetMemoryLimit(-1); got != granted {
		t.Errorf("limit %d", got)
	}
}
