package ingest

import (
	"testing"
)

func logpushWire() wire {
	return wire{
		name: "Logpush", method: "PUT", path: "/ingest/logpush/20261122/x.log.gz", header: map[string]string{"Content-Encoding": "gzip"}, key: bearer,
		wrap: func(t testing.TB, records ...string) string { return zipped(t, linesBody(t, records...)) },
		ok:   200, partly: `"received":3,"accepted":2,"duplicates":0,"rejected":1`, junk: "\x1f\x8bjunk", refuse: 422, wrong: 401,
	}
}

// The test upload must succeed and become no record; a log of HTTP requests becomes one, also in a gzip that no header names.
func TestLogpush(t *testing.T) {
	s := newService(t, testProfile())
	s.mustShip(logpushWire(), zipped(t, `{"content":"tests"}`))
	w := logpushWire()
	w.header = nil
	s.mustShip(w, zipped(t, `{"ClientRequestHost":"api.lab.test","ClientRequestMethod":"GET","ClientRequestURI":"/v1/orders","EdgeResponseStatus":401,"EdgeStartTimestamp":"2026-11-22T03:00:01Z","RayID":"8f0c1d2e3a4b5c6d"}`+"\n"))
	if list := s.failures(); len(list) != 1 || list[0].Status != 401 || !list[0].Verdict.Time.Equal(second(1)) {
		t.Errorf("%+v", list)
	}
}

func FuzzLogpush(f *testing.F) {
	f.Add([]byte(goodRecord + "\n{\"content\":\"tests\"}"))
	f.Add([]byte(zipped(f, goodRecord)))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openLogpush, body) })
}
