// Package web embeds the templates and static files of the dashboard.
package web

import "embed"

//go:embed templates static
var files embed.FS

// Files returns templates/ and static/.
func Files() embed.FS { return files }
