package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDocumentReader(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string // "line:text", whole documents with a star
	}{
		{"empty", "", nil},
		{"blank lines", "\n \n\r\n", nil},
		{"ndjson", "{\"a\":1}\n\n{\"b\":2}", []string{"1:{\"a\":1}\n", "3:{\"b\":2}"}},
		{"broken first line", "{\"a\":\n{\"b\":2}\n", []string{"1:{\"a\":\n", "2:{\"b\":2}\n"}},
		{"array on one line", "[{},{}]\n{}\n", []string{"1:[{},{}]\n", "2:{}\n"}},
		{"array on several lines", "[\n{},\n{}\n]\n", []string{"*1:[\n{},\n{}\n]\n"}},
		{"array that begins on its first line", "[{},\n{}]", []string{"*1:[{},\n{}]"}},
		{"byte order mark", "\ufeff[\n{}\n]", []string{"*1:\ufeff[\n{}\n]"}},
		{"text that begins with a bracket", "[warn] a\n{}\n[{},\n{}]", []string{"1:[warn] a\n", "2:{}\n", "*3:[{},\n{}]"}},
		{"indented object after a blank line", "\n{\n \"a\": 1\n}\n", []string{"*2:{\n \"a\": 1\n}\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newDocumentReader(strings.NewReader(tt.in))
			var got []string
			for {
				doc, err := r.next(nil)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				star := ""
				if doc.whole {
					star = "*"
				}
				got = append(got, star+number(doc.line)+":"+string(doc.text))
			}
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDocumentReader_LongLineCostsOnlyItself(t *testing.T) {
	in := io.MultiReader(
		strings.NewReader("{\"a\":1}\n{\"b\":\""),
		io.LimitReader(endless('x'), maxDocument+1),
		strings.NewReader("\"}\n{\"c\":3}\n"),
	)
	r := newDocumentReader(in)
	for _, want := range []document{{line: 1, text: []byte("{\"a\":1}\n")}, {line: 2, tooLong: true}, {line: 3, text: []byte("{\"c\":3}\n")}} {
		got, err := r.next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.line != want.line || got.tooLong != want.tooLong || string(got.text) != string(want.text) {
			t.Errorf("got line %d, too long %v, %d bytes; want %+v", got.line, got.tooLong, len(got.text), want)
		}
	}
}

// endless is a reader of one byte for ever.
type endless byte

func (b endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}
