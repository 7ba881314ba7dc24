package ingest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/tinylib/msgp/msgp"
)

// fluentMsgpack is what Fluent Bit's http output sends as msgpack: [[EventTime, {}], map] one behind the other.
func fluentMsgpack(t testing.TB, records ...string) string {
	t.Helper()
	var out []byte
	for _, r := range records {
		var members map[string]any
		if err := json.Unmarshal([]byte(r), &members); err != nil {
			t.Fatal(err)
		}
		out = append(out, 0x92, 0x92, 0xd7, 0x00)
		out = binary.BigEndian.AppendUint32(out, 1795316400)
		out = binary.BigEndian.AppendUint32(out, 5)
		out = append(out, 0x80)
		var err error
		if out, err = msgp.AppendIntf(out, members); err != nil {
			t.Fatal(err)
		}
	}
	return string(out)
}

func TestMsgpack_EqualNative(t *testing.T) {
	records := []string{
		strings.ReplaceAll(tokenRequest(1, "a", 401, `,"client_assertion":`+assertionAt(1, "j1", "https://api.lab.test")), "\n", ""),
		apiCall(2, "b", 401, "t1", second(-60)),
	}
	native, packed := newService(t, testProfile()), newService(t, testProfile())
	native.post(responses, strings.Join(records, "\n"))
	body := fluentMsgpack(t, records...)
	packed.post(responses, body)
	packed.post(responses, body, "Content-Type", "application/msgpack")
	if got, want := packed.snapshot(), native.snapshot(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\n%+v", got, want)
	}
}

// The event's time stands in where the record has none, in the form of today and in that of before.
func TestMsgpack_Times(t *testing.T) {
	parts, err := msgpackParts([]byte(fluentMsgpack(t, `{"a":-1,"b":[true,null,1.5,"x"]}`)+"\x92\xce\x6b\x02\x5a\xb0\x81\xa1n\xcc\xff"), 10)
	want := []part{
		{members: map[string]any{"time": "2026-11-22T03:00:00.000000005Z", "a": json.Number("-1"), "b": []any{true, nil, json.Number("1.5"), "x"}}},
		{members: map[string]any{"time": "2026-11-22T03:00:00Z", "n": json.Number("255")}},
	}
	if err != nil || !reflect.DeepEqual(parts, want) {
		t.Errorf("%+v, %v", parts, err)
	}
}

func TestMsgpack_Broken(t *testing.T) {
	good := fluentMsgpack(t, `{"response":{"status":401}}`)
	deep := "\x92\x01" + strings.Repeat("\x91", 3000)
	for name, tt := range map[string]struct{ body, code string }{
		"cut":           {good + good[:len(good)-3], "cut_off"},
		"no map":        {good + "\x92\x01\x02", "cut_off"},
		"three":         {good + "\x93\x01\x02\x03", "cut_off"},
		"deep":          {good + deep, "too_deep"},
		"claims a lot":  {good + "\x92\x01\xdf\xff\xff\xff\xff", "too_many_members"},
		"JSON after it": {good + `{"a":1}`, "cut_off"},
	} {
		s := newService(t, nil)
		if a := s.post(responses, tt.body); a.Accepted != 1 || len(a.Errors) != 1 || a.Errors[0].Code != tt.code {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// What passes a limit costs itself alone.
func TestMsgpack_BehindDeep(t *testing.T) {
	s := newService(t, nil)
	deep := "\x92\x01\x81\xa1a" + strings.Repeat("\x91", maxDepth+8) + "\x01"
	if a := s.post(responses, deep+fluentMsgpack(t, goodRecord)); a.Accepted != 1 || len(a.Errors) != 1 || a.Errors[0].Code != "too_deep" {
		t.Errorf("%+v", a)
	}
}

// Every encoding that shippers choose from brings the same record.
func TestHandler_SnappyAndDeflate(t *testing.T) {
	s := newService(t, nil)
	var stream, wrapped, bare bytes.Buffer
	framed := snappy.NewBufferedWriter(&stream)
	framed.Write([]byte(goodRecord))
	framed.Close()
	z := zlib.NewWriter(&wrapped)
	z.Write([]byte(goodRecord))
	z.Close()
	d, err := flate.NewWriter(&bare, 5)
	if err != nil {
		t.Fatal(err)
	}
	d.Write([]byte(goodRecord))
	d.Close()
	block := string(snappy.Encode(nil, []byte(goodRecord)))
	for name, tt := range map[string]struct {
		encoding, body string
		status         int
	}{
		"snappy block":    {"snappy", block, 200},
		"snappy stream":   {"snappy", stream.String(), 200},
		"framed":          {"x-snappy-framed", stream.String(), 200},
		"zlib":            {"deflate", wrapped.String(), 200},
		"bare deflate":    {"deflate", bare.String(), 200},
		"cut block":       {"snappy", block[:len(block)-2], 422},
		"cut stream":      {"snappy", stream.String()[:20], 422},
		"cut zlib":        {"deflate", wrapped.String()[:20], 422},
		"claims too much": {"snappy", "\xff\xff\xff\x7f\x00", 413},
		"empty":           {"snappy", "", 422},
	} {
		if resp, text := s.send(responses, tt.body, "Content-Encoding", tt.encoding); resp.StatusCode != tt.status {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
}

func FuzzMsgpack(f *testing.F) {
	f.Add([]byte(fluentMsgpack(f, goodRecord)))
	f.Add([]byte("\x92\x01\xdf\xff\xff\xff\xff"))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 0 {
			body[0] = 0x92
		}
		fuzzOpen(t, red, openNative(expectedBody, nil), body)
	})
}
