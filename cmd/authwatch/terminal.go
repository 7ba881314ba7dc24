package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
)

// isTerminal says whether a person reads w directly.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// printable makes text from logs safe to show: control characters, C1 controls, bidirectional overrides and broken
// UTF-8 could move the cursor, set the window's title or reorder the line, so they are shown as escapes.
func printable(text string) string {
	return escape(text, func(r rune) string {
		switch {
		case r < 0x100:
			return fmt.Sprintf(`\x%02x`, r)
		case r < 0x10000:
			return fmt.Sprintf(`\u%04x`, r)
		}
		return fmt.Sprintf(`\U%08x`, r)
	})
}

// printableJSON does the same to encoded JSON, whose strings may hold raw C1 controls and overrides; the value stays equal.
func printableJSON(encoded string) string {
	return escape(encoded, func(r rune) string {
		if high, low := surrogates(r); high != 0 {
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

func surrogates(r rune) (high, low rune) {
	if r < 0x10000 {
		return 0, 0
	}
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

func escape(text string, hex func(rune) string) string {
	if strings.IndexFunc(text, unprintable) < 0 && utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			out.WriteString(hex(rune(text[i])))
		case unprintable(r):
			out.WriteString(hex(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// A palette colours words for a terminal; the zero value leaves them plain.
type palette struct{ on bool }

func (p *program) palette() palette {
	return palette{on: isTerminal(p.stdout) && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"}
}

func (c palette) bold(s string) string   { return c.wrap("1", s) }
func (c palette) dim(s string) string    { return c.wrap("2", s) }
func (c palette) red(s string) string    { return c.wrap("31", s) }
func (c palette) yellow(s string) string { return c.wrap("33", s) }
func (c palette) green(s string) string  { return c.wrap("32", s) }

func (c palette) wrap(code, s string) string {
	if !c.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
