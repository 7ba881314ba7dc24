package api

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Pages and static files are packed for who takes that; answers of the API, parts of files and short texts are not.
func TestCompress(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		path, who string
		header    map[string]string
		packed    bool
	}{
		{"/incidents", "session viewer", nil, true},
		{s.api.assetURL("app.css"), "", nil, true},
		{s.api.assetURL("app.css"), "", map[string]string{"Accept-Encoding": "identity"}, false},
		{s.api.assetURL("app.css"), "", map[string]string{"Range": "bytes=0-2000"}, false},
		{"/api/v1/causes", "read", nil, false},
		{"/healthz", "", nil, false},
	} {
		header := map[string]string{"Accept-Encoding": "gzip"}
		for name, value := range tt.header {
			header[name] = value
		}
		a := s.do(t, ask{path: tt.path, who: tt.who, header: header})
		if a.status >= http.StatusBadRequest || (a.header.Get("Content-Encoding") == "gzip") != tt.packed {
			t.Errorf("%s %v: %d, Content-Encoding %q", tt.path, tt.header, a.status, a.header.Get("Content-Encoding"))
		}
		if !tt.packed {
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(r)
		if err != nil || len(whole) <= len(a.body) {
			t.Errorf("%s: %d bytes packed to %d (%v)", tt.path, len(whole), len(a.body), err)
		}
		if !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: Vary is %q", tt.path, a.header.Values("Vary"))
		}
	}
	css := s.do(t, ask{path: s.api.assetURL("app.css"), header: map[string]string{"Accept-Encoding": "gzip"}})
	if again := s.do(t, ask{path: s.api.assetURL("app.css"), header: map[string]string{"Accept-Encoding": "gzip", "If-None-Match": css.header.Get("ETag")}}); again.status != http.StatusNotModified {
		t.Errorf("a file that is known: %d", again.status)
	}
}
