// Package given is what a client in Go is told, and how it says which records it holds acknowledged.
package given

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// A Record is a line to deliver.
type Record struct {
	Time      time.Time `json:"time"`
	ID        string    `json:"id"`
	RequestID string    `json:"request_id"`
	JSON      []byte    `json:"-"`
}

// URL is where authwatch is to be found, Key the ingest key.
func URL() string { return os.Getenv("AUTHWATCH_URL") }

// Key is an ingest key.
func Key() string { return os.Getenv("AUTHWATCH_KEY") }

// Records reads the lines to deliver.
func Records() ([]Record, error) {
	data, err := os.ReadFile(os.Getenv("RECORDS"))
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	var records []Record
	for line := range bytes.Lines(data) {
		r := Record{JSON: bytes.TrimSpace(line)}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("read record: %w", err)
		}
		records = append(records, r)
	}
	return records, nil
}

// Acknowledged says that the client holds a record delivered.
func Acknowledged(requestID string) { fmt.Println(requestID) }
