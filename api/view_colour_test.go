package api

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"authwatch/web"
)

// TestColours_Contrast holds every colour of text to 4.5:1 and of drawings and edges to 3:1 against every ground, in
// both themes (WCAG 2.2, 1.4.3 and 1.4.11).
func TestColours_Contrast(t *testing.T) {
	css, err := fs.ReadFile(web.Files(), "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`).FindAllStringSubmatch(string(css), -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	if len(colours) < 26 {
		t.Fatalf("only %d colours were found", len(colours))
	}
	for name, pair := range colours {
		least := 4.5
		switch {
		case name == "ground", name == "raised", name == "sunken", name == "line": // line only divides what space divides already
			continue
		case name == "edge", strings.HasPrefix(name, "g-"):
			least = 3
		}
		grounds := []string{"ground", "raised", "sunken"}
		if name == "on-accent" {
			grounds = []string{"accent"}
		}
		for _, ground := range grounds {
			for theme := range 2 {
				if got := contrast(t, pair[theme], colours[ground][theme]); got < least {
					t.Errorf("--%s %s on --%s %s: %.2f:1, want %.1f:1", name, pair[theme], ground, colours[ground][theme], got, least)
				}
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	high, low := luminance(t, a), luminance(t, b)
	if low > high {
		high, low = low, high
	}
	return (high + 0.05) / (low + 0.05)
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestStatic_NothingFromElsewhere(t *testing.T) {
	err := fs.WalkDir(web.Files(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			return err
		}
		for _, forbidden := range []string{"http://", "https://", "//cdn", "@import", "url(", "innerHTML", "style=", "javascript:"} {
			text := strings.ReplaceAll(string(content), `xmlns="http://www.w3.org/2000/svg"`, "")
			if strings.Contains(text, forbidden) {
				t.Errorf("%s holds %q", name, forbidden)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
