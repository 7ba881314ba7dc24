package main

import (
	"fmt"
	"runtime/debug"
)

type versionCommand struct{}

// Help shows the example.
func (versionCommand) Help() string { return "    authwatch version" }

// Run prints the version and what it was built from.
func (versionCommand) Run(p *program) error {
	fmt.Fprintln(p.stdout, "authwatch", version())
	return nil
}

// version is the module's version, or the commit of an unreleased build, and the toolchain.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	if text == "" || text == "(devel)" {
		text = "unreleased"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				text += " " + s.Value[:12]
			}
		}
	}
	return text + " " + info.GoVersion
}
