package ingest

import (
	"bytes"
	"errors"
	"net/http"
)

// mountLogpush serves HTTP destinations of Cloudflare Logpush: NDJSON in gzip, by POST or PUT. The test upload that
// comes first is no exchange and so becomes no record.
func (i *Ingester) mountLogpush(mux *http.ServeMux) {
	e := i.shipped(openLogpush, writeProblem)
	e.methods, e.quick = "POST, PUT", true
	mux.HandleFunc("/ingest/logpush", i.endpoint(e))
	mux.HandleFunc("/ingest/logpush/", i.endpoint(e))
}

func openLogpush(r *http.Request, body []byte) (shipment, error) {
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) { // named in no header
		opener := gzipOpener{share: shareOf(r), left: maxInflated}
		inflated, err := opener.open(body)
		var bad *fault
		switch {
		case errors.As(err, &bad) && bad.code == "record_too_large":
			return shipment{}, inflatedTooLarge(maxInflated)
		case bad != nil:
			return shipment{}, unreadable(bad.detail)
		case err != nil:
			return shipment{}, err
		}
		body = inflated
	}
	parts, err := splitParts(body, maxShipped)
	if err != nil {
		return shipment{}, err
	}
	if len(parts) > 0 && !readable(parts) {
		return shipment{}, unreadable("NDJSON is expected")
	}
	var room outline
	return shipment{
		parts: sequence(parts, func(p part) part {
			if p.raw == nil {
				return p
			}
			return outlinedPart(p.raw, &room)
		}),
		answer: func(w http.ResponseWriter, a answer) { writeJSON(w, http.StatusOK, a) },
	}, nil
}
