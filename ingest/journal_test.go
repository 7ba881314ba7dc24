package ingest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// journalBody is the export format as systemd-journal-upload sends it; a message with a line break is binary.
func journalBody(_ testing.TB, records ...string) string {
	var b strings.Builder
	for n, r := range records {
		fmt.Fprintf(&b, "__CURSOR=s=1;i=%d\n__REALTIME_TIMESTAMP=1795316400000000\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=1\nPRIORITY=3\nSYSLOG_IDENTIFIER=orders\n", n)
		if strings.Contains(r, "\n") {
			b.WriteString("MESSAGE\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(r)))) + r + "\n\n")
		} else {
			b.WriteString("MESSAGE=" + r + "\n\n")
		}
	}
	return b.String()
}

func journalWire() wire {
	return wire{
		name: "journal", path: "/ingest/journal/upload", header: map[string]string{"Content-Type": "application/vnd.fdo.journal", "Expect": "100-continue"}, key: basic,
		wrap: journalBody, ok: 200, said: "OK", junk: "junk\n", refuse: 400, wrong: 401,
	}
}

// The journal's time and identifier stand in; two entries of the same words are two, and a cut one costs only itself.
func TestJournal_Entries(t *testing.T) {
	s := newService(t, testProfile())
	line := `{"response":{"status":401}}`
	s.mustShip(journalWire(), journalBody(t, line, line, "started")+"__CURSOR=x\nMESSAGE\n\x7f\x00\x00\x00\x00\x00\x00\x00cut")
	s.mustShip(journalWire(), journalBody(t, line, line))
	list := s.failures()
	if len(list) != 2 || list[0].Service != "orders" || !list[0].Verdict.Time.Equal(second(0)) {
		t.Errorf("%+v", list)
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(journalBody(f, goodRecord, "a\nb")))
	f.Add([]byte("A=\n\n\nB\n\xff\xff\xff\xff\xff\xff\xff\xffx\n"))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openJournal, body) })
}
