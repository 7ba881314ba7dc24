package main

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "90m": 90 * time.Minute, "forever": 0, "396d": 9504 * time.Hour} {
		var got age
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%s: got %v, %v; want %v", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{"", "0", "30", "59m", "-3d", "d", "1w", "99999999999999999999d", "1.5d"} {
		var got age
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want an error", text, time.Duration(got))
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1024": 1024, "20GB": 20e9, "512MiB": 512 << 20, "1 TiB": 1 << 40} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err != nil || int64(got) != want {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GB", "-1", "20gb", "1e9", "99999999999GB"} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}
