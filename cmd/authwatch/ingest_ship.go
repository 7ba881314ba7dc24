package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"authwatch/ingest"
)

// A shipping sends logs to one server and remembers how far it came.
type shipping struct {
	sender *batchSender
	marks  *markFile
	again  bool
	batch  int
	follow bool
	open   map[string]*logFile
	done   map[string]os.FileInfo // packed logs, which are sent once
	tally  *tally
}

// pollEvery is how often followed logs are looked at, and how long a line of standard input waits for others.
const pollEvery = 250 * time.Millisecond

// send sends everything that the patterns name; when following it returns only when ctx ends.
func (s *shipping) send(ctx context.Context, p *program, patterns []string) error {
	for first := true; ; first = false {
		paths, err := expand(patterns)
		if err != nil {
			return err
		}
		if first && len(paths) == 0 {
			return usageError("no file is named %v", patterns)
		}
		for path := range s.open { // a log that was moved away may still be written to
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
		for _, path := range paths {
			switch {
			case path != "-":
				err = s.path(ctx, path, first)
			case first: // it has an end, and is never there again
				err = s.stdin(ctx, p.stdin)
			}
			if err != nil {
				return err
			}
		}
		if !s.follow || slices.Equal(paths, []string{"-"}) {
			return nil
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// expand finds the files of the patterns; a name without a pattern stands for itself. Rotated logs, whose names sort
// after the one that is being written, come first: they are older.
func expand(patterns []string) ([]string, error) {
	var out []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, usageError("%s: %w", pattern, err)
		}
		if _, err := os.Lstat(pattern); err == nil || pattern == "-" {
			found = []string{pattern}
		} else if len(found) == 0 && !hasMeta(pattern) {
			found = []string{pattern} // opening it says why not
		}
		slices.Sort(found)
		slices.Reverse(found)
		for _, path := range found {
			if !slices.Contains(out, path) {
				out = append(out, path)
			}
		}
	}
	return out, nil
}

func hasMeta(pattern string) bool {
	for _, c := range pattern {
		if c == '*' || c == '?' || c == '[' {
			return true
		}
	}
	return false
}

// path sends what is new in one file.
func (s *shipping) path(ctx context.Context, path string, first bool) error {
	f := s.open[path]
	var err error
	if f == nil {
		var info os.FileInfo
		info, err = os.Stat(path)
		switch {
		case err != nil && s.follow && !first:
			return nil // between two files of a rotation
		case err != nil:
			return usageError("%w", err)
		case info.IsDir():
			return usageError("%s is a folder: name the files in it, such as '%s/*.log'", path, path)
		}
		if before := s.done[path]; before != nil && os.SameFile(before, info) {
			return nil
		}
		if f, err = openLog(path, s.marks, s.again); err != nil {
			return fmt.Errorf("open log: %w", err)
		}
		s.tally.begin(f, info.Size())
		s.open[path] = f
	}
	final := !s.follow || f.packed()
	if err := s.drain(ctx, f, final); err != nil {
		return err
	}
	if final {
		if s.done[path], err = f.file.Stat(); err != nil {
			return fmt.Errorf("look at %s: %w", path, err)
		}
		s.release(path)
		return nil
	}
	return s.turn(ctx, path, f)
}

// turn notices that a followed log was rotated or emptied, sends the rest of the old one and lets the next look open the new one.
func (s *shipping) turn(ctx context.Context, path string, f *logFile) error {
	now, err := os.Stat(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	held, errHeld := f.file.Stat()
	if errHeld != nil {
		return fmt.Errorf("look at %s: %w", path, errHeld)
	}
	switch {
	case err == nil && os.SameFile(now, held) && now.Size() >= f.offset:
		return nil
	case err == nil && !os.SameFile(now, held):
		if err := s.drain(ctx, f, true); err != nil {
			return err
		}
	case err != nil:
		return nil // moved away and not made anew yet: its writer may still be writing
	}
	s.release(path)
	return nil
}

func (s *shipping) release(path string) {
	s.open[path].close()
	delete(s.open, path)
}

func (s *shipping) close() {
	for path := range s.open {
		s.release(path)
	}
}

// drain sends the lines that are there.
func (s *shipping) drain(ctx context.Context, f *logFile, final bool) error {
	records, isDocument, err := f.document()
	if err != nil {
		return err
	}
	if isDocument {
		return s.document(ctx, f, records)
	}
	b := &lineBatch{path: f.path}
	for {
		line, err := f.next(final)
		if errors.Is(err, io.EOF) {
			return s.flush(ctx, f, b)
		}
		if err := s.collect(b, line, f.line, err); err != nil {
			return err
		}
		if len(b.lines) >= s.batch || len(b.body) >= maxBatchBytes {
			if err := s.flush(ctx, f, b); err != nil {
				return err
			}
			b = &lineBatch{path: f.path}
		}
	}
}

// collect adds a line to a batch; one that is too long is rejected here, an empty one is none.
func (s *shipping) collect(b *lineBatch, line []byte, lineNumber int, err error) error {
	switch {
	case errors.Is(err, errLineTooLong):
		s.tally.reject(b.path, lineNumber, "record_too_large", err.Error())
	case err != nil:
		return err
	case len(line) > 0:
		b.add(lineNumber, line)
	}
	return nil
}

// document sends a log that is one JSON document; its records are counted where others have lines.
func (s *shipping) document(ctx context.Context, f *logFile, records []element) error {
	b := &lineBatch{path: f.path}
	for n, record := range records {
		if record.bad != nil {
			s.tally.reject(f.path, n+1, record.bad.Code, record.bad.Detail)
			continue
		}
		b.add(n+1, record.line)
		if len(b.lines) >= s.batch || len(b.body) >= maxBatchBytes {
			if err := s.deliver(ctx, b); err != nil {
				return err
			}
			b = &lineBatch{path: f.path}
		}
	}
	return s.flush(ctx, f, b)
}

// flush delivers a batch and remembers that everything up to here was answered for.
func (s *shipping) flush(ctx context.Context, f *logFile, b *lineBatch) error {
	if err := s.deliver(ctx, b); err != nil {
		return err
	}
	after := f.here()
	if after.Offset == f.mark.Offset {
		return nil
	}
	if err := s.marks.put(f.mark, after); err != nil {
		return err
	}
	f.mark = after
	f.mark.URL = s.marks.url
	s.tally.at(f)
	return nil
}

// deliver sends a batch, in smaller ones where the server asks for it.
func (s *shipping) deliver(ctx context.Context, b *lineBatch) error {
	if len(b.lines) == 0 {
		return nil
	}
	a, err := s.sender.send(ctx, b)
	if errors.Is(err, errTooLarge) {
		if len(b.lines) == 1 {
			s.tally.reject(b.path, b.lines[0], "record_too_large", err.Error())
			return nil
		}
		first, second := b.halves()
		if err := s.deliver(ctx, first); err != nil {
			return err
		}
		return s.deliver(ctx, second)
	}
	if err != nil {
		return err
	}
	s.tally.add(b, a)
	return nil
}

// stdin sends a stream as it comes; there is nothing to resume.
func (s *shipping) stdin(ctx context.Context, in io.Reader) error {
	f := &logFile{path: "-", in: bufio.NewReaderSize(in, 64<<10)}
	s.tally.begin(f, 0)
	type numbered struct {
		line   []byte
		number int
		err    error
	}
	lines := make(chan numbered)
	go func() {
		for {
			line, err := f.next(true)
			select {
			case lines <- numbered{line, f.line, err}:
			case <-ctx.Done():
				return
			}
			if err != nil && !errors.Is(err, errLineTooLong) {
				return
			}
		}
	}()
	b := &lineBatch{path: "-"}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		full := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			full = true
		case n := <-lines:
			if errors.Is(n.err, io.EOF) {
				return s.deliver(ctx, b)
			}
			if err := s.collect(b, n.line, n.number, n.err); err != nil {
				return err
			}
		}
		if full || len(b.lines) >= s.batch || len(b.body) >= maxBatchBytes {
			if err := s.deliver(ctx, b); err != nil {
				return err
			}
			b = &lineBatch{path: "-"}
		}
	}
}

// recordsIn counts the records that the server sees in each line of a batch.
func recordsIn(b *lineBatch) []int {
	counts := make([]int, len(b.lines))
	start := 0
	for i, end := range b.ends {
		counts[i] = ingest.CountRecords(b.body[start:end])
		start = end
	}
	return counts
}
