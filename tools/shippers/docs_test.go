package shippers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDocs holds the blocks of docs/shippers.md that name a file to what is run: each line of them stands in that file.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "shippers.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```") // every second one is a block
	named := map[string]bool{}
	for n := 1; n < len(parts); n += 2 {
		info, block, _ := strings.Cut(parts[n], "\n")
		_, file, ok := strings.Cut(info, " ")
		if !ok {
			continue
		}
		named[file] = true
		run := linesOf(t, file)
		for line := range strings.Lines(block) {
			if line = strings.TrimSpace(line); line != "" && !slices.Contains(run, line) {
				t.Errorf("%s does not have the line of the documentation %q", file, line)
			}
		}
	}
	for _, pattern := range []string{"node/*.mjs", "conf/*", "*go/main.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			if !named[file] && file != "node/work.mjs" {
				t.Errorf("%s is run and not in the documentation", file)
			}
		}
	}
}

func linesOf(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}
