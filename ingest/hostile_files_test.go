package ingest

import (
	archive "archive/zip"
	"encoding/json"
	"io"
	"path"
	"strings"
	"testing"
)

// A hostileFile is one file of the public collections in testdata/hostile.zip, which hold what broke other software: its
// README.md says where each is from.
type hostileFile struct {
	name string
	text string
}

func hostileFiles(t testing.TB) []hostileFile {
	t.Helper()
	collections, err := archive.OpenReader("testdata/hostile.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer collections.Close()
	var out []hostileFile
	for _, f := range collections.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, hostileFile{f.Name, string(text)})
	}
	if len(out) != 375 {
		t.Fatalf("%d files", len(out))
	}
	return out
}

// hostileLines are the single strings of the lists among the files.
func hostileLines(t testing.TB, files []hostileFile) []string {
	t.Helper()
	var out []string
	for _, f := range files {
		switch {
		case path.Ext(f.name) == ".txt":
			out = append(out, strings.Split(strings.TrimRight(f.text, "\n"), "\n")...)
		case path.Base(f.name) == "blns.json":
			var list []string
			if err := json.Unmarshal([]byte(f.text), &list); err != nil {
				t.Fatal(err)
			}
			out = append(out, list...)
		case strings.HasPrefix(f.name, "url/") && path.Ext(f.name) == ".json":
			var list []any
			if err := json.Unmarshal([]byte(f.text), &list); err != nil {
				t.Fatal(err)
			}
			for _, entry := range list {
				if members, ok := entry.(map[string]any); ok {
					if input, ok := members["input"].(string); ok {
						out = append(out, input)
					}
				}
			}
		}
	}
	if len(out) < 5000 {
		t.Fatalf("%d lines", len(out))
	}
	return out
}
