package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is shipped is listed with its licence, in the version that is shipped, and nothing else is.
func TestThirdParty_ListsWhatIsLinked(t *testing.T) {
	const format = `{{with .Module}}{{if not .Main}}| {{.Path}} | {{.Version}} |{{end}}{{end}}`
	linked, err := exec.Command("go", "list", "-deps", "-f", format, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "THIRD_PARTY.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for row := range strings.Lines(string(linked)) {
		if row = strings.TrimSpace(row); row != "" {
			want[row] = true
		}
	}
	for row := range want {
		if !strings.Contains(string(text), "\n"+row+" ") {
			t.Errorf("THIRD_PARTY.md lacks %s", row)
		}
	}
	if listed := strings.Count(string(text), "\n| ") - 1; listed != len(want) {
		t.Errorf("THIRD_PARTY.md lists %d modules, %d are linked", listed, len(want))
	}
}
