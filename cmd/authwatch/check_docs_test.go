package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every command of the page is run by the script, word for word.
func TestCheckPage_CommandsAreRun(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "check.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "script", "check_docs.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	commands, inCode := 0, false
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			inCode = !inCode
			continue
		}
		command := strings.TrimPrefix(line, "- ")
		if !inCode || !strings.HasPrefix(command, "authwatch ") {
			continue
		}
		commands++
		if !strings.Contains(string(script), "\n"+command+"\n") {
			t.Errorf("the script does not run: %s", command)
		}
	}
	if commands < 8 {
		t.Errorf("%d commands found on the page", commands)
	}
}
