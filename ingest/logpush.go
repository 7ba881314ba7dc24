package ingest

import (
	"bytes"
	"net/http"
)

// mountLogpush serves HTTP destinations of Cloudflare Logpush: NDJSON in gzip, by POST or PUT. The test upload that
// comes first is no exchange and so becomes no record.
func (i *Ingester) mountLogpush(mux *http.ServeMux) {
	e := i.shipped(openLogpush, writeProblem)
	e.methods = "POST, PUT"
	mux.HandleFunc("/ingest/logpush", i.endpoint(e))
	mux.HandleFunc("/ingest/logpush/", i.endpoint(e))
}

func openLogpush(_ *http.Request, body []byte) (shipment, error) {
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) { // named in no header
		var f *fault
		if body, f = gunzip(body); f != nil {
			return shipment{}, unreadable(f.detail)
		}
	}
	parts, err := splitParts(body, maxShipped)
	if err != nil {
		return shipment{}, err
	}
	if len(parts) > 0 && !readable(parts) {
		return shipment{}, unreadable("NDJSON is expected")
	}
	return shipment{
		parts:  sequence(parts, func(p part) part { return p }),
		answer: func(w http.ResponseWriter, a answer) { writeJSON(w, http.StatusOK, a) },
	}, nil
}
