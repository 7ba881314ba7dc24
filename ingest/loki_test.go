package ingest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

const lokiPath = "/ingest/loki/api/v1/push"

func lokiPushJSON(t testing.TB, lines ...string) string {
	t.Helper()
	var values []string
	for _, line := range lines {
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, `["1795316400000000000",`+string(text)+`,{"pod":"orders-1"}]`)
	}
	return `{"streams":[{"stream":{"job":"orders","level":"error"},"values":[` + strings.Join(values, ",") + `]}]}`
}

func message(number protowire.Number, v string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), v))
}

func varint(number protowire.Number, v uint64) string {
	return string(protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v))
}

// lokiPushProto is what winston-loki and promtail send: logproto.PushRequest in a snappy block.
func lokiPushProto(_ testing.TB, lines ...string) string {
	stream := message(1, `{job="orders", level="error"}`)
	for _, line := range lines {
		stream += message(2, message(1, varint(1, 1795316400)+varint(2, 5))+message(2, line)+message(3, message(1, "pod")+message(2, "orders-1")))
	}
	return string(snappy.Encode(nil, []byte(message(1, stream))))
}

func lokiJSONWire() wire {
	return wire{
		name: "Loki JSON", path: lokiPath, header: map[string]string{"Content-Type": "application/json", "X-Scope-OrgID": "t"}, key: basic, wrap: lokiPushJSON,
		ok: 204, junk: `{"streams":7}`, refuse: 400, wrong: 401,
	}
}

func lokiProtoWire() wire {
	return wire{
		name: "Loki protobuf", path: lokiPath, header: map[string]string{"Content-Type": "application/x-protobuf"}, key: bearer, wrap: lokiPushProto,
		ok: 204, junk: "\x05junk", refuse: 400, wrong: 401,
	}
}

// Both forms bring the same entries.
func TestLoki_Forms(t *testing.T) {
	fromJSON, err := lokiJSON([]byte(`{"streams":[{"stream":{"job":"orders","level":"error","n":0,"none":null},"values":[["1795316400000000005","x=1",{"pod":"orders-1"}]]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	message, err := snappy.Decode(nil, []byte(lokiPushProto(t, "x=1")))
	if err != nil {
		t.Fatal(err)
	}
	fromProto, err := lokiProto(message)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, fromProto) || fromJSON[0].line != "x=1" || fromJSON[0].at.UnixNano() != 1795316400000000005 {
		t.Errorf("%+v\n%+v", fromJSON, fromProto)
	}
}

// A line in logfmt, one of an access log, and labels are read; the entry's time counts where the line has none.
func TestLoki_Lines(t *testing.T) {
	s := newService(t, testProfile())
	s.mustShip(lokiJSONWire(), `{"streams":[{"stream":{"service_name":"gateway"},"values":[
		["1795316401000000000","http.response.status_code=401 url.full=https://api.lab.test/v1/orders http.request.method=GET level=error msg=\"token rejected\""],
		["1795316402000000000","10.0.0.1 - - [22/Nov/2026:03:00:02 +0000] \"GET /v1/orders HTTP/1.1\" 401 12 \"-\" \"curl/8\""],
		["1795316403000000000","started"],
		["NaN","{\"time\":\"2026-11-22T03:00:02.5Z\",\"response\":{\"status\":401}}"], ["1795316403000000000"],
		["1795316404000000000","{\"response\":{\"status\":403}}"]]}]}`)
	list := s.failures()
	if len(list) != 4 {
		t.Fatalf("%d failures", len(list))
	}
	for _, f := range list {
		if f.Service != "gateway" {
			t.Errorf("service %q", f.Service)
		}
	}
	if got := list[0].Verdict.Time; !got.Equal(second(4)) {
		t.Errorf("time %v", got)
	}
}

func TestLogfmt(t *testing.T) {
	for line, want := range map[string]map[string]any{
		`a=1 b="two \"words\"" c=`:    {"a": "1", "b": `two "words"`},
		`GET /x?a=1 b=2`:              nil,
		`a=1`:                         nil,
		`time=now level=error oops`:   nil,
		`{"a":"b=c"}`:                 nil,
		`a="unfinished b=2`:           nil,
		`a=1 a=2 b=3`:                 {"a": "1", "b": "3"},
		`https://h/p?a=b&c=d e=f g=h`: nil,
	} {
		if got := logfmt(line); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestLokiLabels(t *testing.T) {
	for labels, want := range map[string]map[string]any{
		`{a="b", c_d="e\"f,}"}`: {"a": "b", "c_d": `e"f,}`},
		`{}`:                    {},
		`{a=b}`:                 {},
		`{a="b`:                 {},
	} {
		if got := lokiLabels(labels); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", labels, got)
		}
	}
}

// A snappy block that claims more than a body may hold is refused before anything is set aside for it.
func TestLoki_Bomb(t *testing.T) {
	s := newService(t, nil)
	resp, _ := s.ship(lokiProtoWire(), s.key, "\xff\xff\xff\x7f\x00")
	if resp.StatusCode != 413 {
		t.Errorf("%d", resp.StatusCode)
	}
	w := lokiJSONWire()
	w.path = "/ingest/loki/ready"
	w.method = "GET"
	if resp, text := s.ship(w, "", ""); resp.StatusCode != 200 || text != "ready\n" {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

func FuzzLoki(f *testing.F) {
	f.Add([]byte(lokiPushJSON(f, goodRecord, "a=1 b=2")))
	f.Add([]byte(lokiPushProto(f, goodRecord, "GET / 401")))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		fuzzOpen(t, red, openLoki, body)
		fuzzOpen(t, red, openLoki, snappy.Encode(nil, body)) // past the checks of snappy
	})
}
