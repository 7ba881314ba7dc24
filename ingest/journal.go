package ingest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"time"
)

// mountJournal serves systemd-journal-upload, which puts /upload behind the address it is given.
func (i *Ingester) mountJournal(mux *http.ServeMux) {
	mux.HandleFunc("/ingest/journal/upload", i.endpoint(i.shipped(openJournal, refuseJournal)))
}

// openJournal reads the journal export format: fields as NAME=value lines, or as NAME, a length and as many bytes; an
// empty line ends an entry.
func openJournal(_ *http.Request, body []byte) (shipment, error) {
	var parts []part
	for len(body) > 0 {
		var p part
		var ok bool
		if p, body, ok = journalEntry(body); !ok && len(parts) == 0 && p.members == nil {
			return shipment{}, unreadable("entries in the journal export format are expected")
		}
		if p.members == nil && p.fault == nil {
			continue
		}
		if len(parts) == maxShipped {
			return shipment{}, tooManyRecords(maxShipped)
		}
		parts = append(parts, p)
	}
	return shipment{
		parts: sequence(parts, journalPart),
		answer: func(w http.ResponseWriter, _ answer) {
			w.WriteHeader(http.StatusOK)
			w.Write([]byte("OK.\n")) // an error means that the shipper has gone
		},
	}, nil
}

// journalEntry reads one entry; ok is false when a field of it cannot be read, and then the rest cannot be trusted either.
func journalEntry(body []byte) (p part, rest []byte, ok bool) {
	for len(body) > 0 {
		line, after, _ := bytes.Cut(body, []byte("\n"))
		if len(line) == 0 {
			return p, after, true
		}
		name, value, plain := bytes.Cut(line, []byte("="))
		if !isJournalName(name) {
			p.fault = &fault{code: "cut_off", detail: "a field of this entry has no name"}
			return p, nil, false
		}
		if !plain {
			if value, after, ok = journalBinary(after); !ok {
				p.fault = &fault{code: "cut_off", detail: "a binary field of this entry ends early"}
				return p, nil, false
			}
		}
		if p.members == nil {
			p.members = map[string]any{}
		}
		if len(value) > maxRecord || len(p.members) == maxMembers {
			p.fault = recordTooLarge()
		} else if _, twice := p.members[string(name)]; !twice {
			p.members[string(name)] = cleanText(string(value))
		}
		body = after
	}
	return p, nil, true
}

func journalBinary(data []byte) (value, rest []byte, ok bool) {
	if len(data) < 8 {
		return nil, nil, false
	}
	size := binary.LittleEndian.Uint64(data)
	data = data[8:]
	if size >= uint64(len(data)) || data[size] != '\n' {
		return nil, nil, false
	}
	return data[:size], data[size+1:], true
}

func isJournalName(name []byte) bool {
	for _, c := range name {
		if c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0 && len(name) <= 64
}

// journalPart gives the journal's time and names to what the service wrote. The cursor stays with the entry, so that
// two lines of the same words are two.
func journalPart(p part) part {
	if p.fault != nil {
		return p
	}
	if micros, ok := p.members["__REALTIME_TIMESTAMP"].(string); ok {
		if at, ok := epoch(json.Number(micros), time.Microsecond); ok {
			setDefault(p.members, "time", at)
		}
	}
	setDefault(p.members, "service", p.members["SYSLOG_IDENTIFIER"])
	if level, ok := p.members["PRIORITY"].(string); ok && level <= "3" {
		setDefault(p.members, "level", "error")
	}
	return p
}

// refuseJournal answers in plain text, which the client logs before it ends; systemd starts it again.
func refuseJournal(w http.ResponseWriter, _ *http.Request, p *problem) {
	http.Error(w, p.text(), p.Status)
}
