package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A mark says how far a log was delivered. A log is known by what is in it, not by its name: rotation renames it and
// compresses it. What stands before the offset must be the same too, because logs can begin alike.
type mark struct {
	URL    string `json:"url"`
	Path   string `json:"path"`   // of the file when it was last sent
	Head   sample `json:"head"`   // of the start
	Tail   sample `json:"tail"`   // of what ends at Offset
	Offset int64  `json:"offset"` // of the unpacked content up to which everything was answered for
	Line   int    `json:"line"`   // lines before Offset
}

// A sample is a piece of a log, by its hash.
type sample struct {
	Length int    `json:"length"`
	SHA256 string `json:"sha256"`
}

const maxSample = 1024

func sampleOf(data []byte) sample {
	sum := sha256.Sum256(data)
	return sample{Length: len(data), SHA256: hex.EncodeToString(sum[:])}
}

// maxMarks is how many logs are remembered; the ones that were sent to longest ago are forgotten.
const maxMarks = 1000

// A markFile keeps the marks of all logs; the latest is the last.
type markFile struct {
	path  string
	url   string
	marks []mark
}

func readMarks(path, url string) (*markFile, error) {
	m := &markFile{path: path, url: url}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &m.marks); err != nil {
		return nil, fmt.Errorf("%s is no state of authwatch ingest: %w; remove it to begin again", path, err)
	}
	return m, nil
}

// candidates are the marks that a log with this start can have, likeliest first.
func (m *markFile) candidates(path string, head []byte) []mark {
	var same, others []mark
	for _, k := range slices.Backward(m.marks) {
		if k.URL != m.url || k.Head.Length == 0 || k.Head.Length > len(head) || sampleOf(head[:k.Head.Length]) != k.Head {
			continue
		}
		if k.Path == path {
			same = append(same, k)
		} else {
			others = append(others, k)
		}
	}
	return append(same, others...)
}

// put remembers a mark in the place of the one that it goes on from, and writes the file so that a crash leaves the old or the new one.
func (m *markFile) put(before, after mark) error {
	after.URL = m.url
	m.marks = slices.DeleteFunc(m.marks, func(k mark) bool {
		return k == before || k.URL == m.url && k.Head == after.Head && k.Path == after.Path
	})
	m.marks = append(m.marks, after)
	if extra := len(m.marks) - maxMarks; extra > 0 {
		m.marks = m.marks[extra:]
	}
	text, err := json.MarshalIndent(m.marks, "", " ")
	if err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o700); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(m.path), filepath.Base(m.path)+".*")
	if err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	defer os.Remove(file.Name()) // after the rename there is none
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	if err := os.Rename(file.Name(), m.path); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	return nil
}
