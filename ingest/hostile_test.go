package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// The secrets that lie beside hostile text; none may be found anywhere afterwards.
const (
	plantedSecret   = "Qk7vZx2mN8pLr4tYw6sHc1dJf9gBe3aU"
	plantedPassword = "hunter2-Vt5Kq9Xw3Zn7"
)

func plantedToken() string {
	return segment(`{"alg":"RS256","kid":"planted"}`) + "." + segment(`{"iss":"https://as.lab.test","sub":"client-a","exp":1795316400}`) + "." + plantedSecret
}

// literal is text as a JSON string that keeps the bytes which are no text.
func literal(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// hostileRecord has the text in every field, with secrets before and behind it.
func hostileRecord(text string) string {
	short := text[:min(len(text), 2000)] // so that no record is too large for what it repeats
	value, long := literal(short), literal(text)
	around := literal(short + "\nclient_secret=" + plantedPassword + "&client_assertion=" + plantedToken() + "&x=" + short)
	return `{"time":"2026-11-22T03:00:01Z","provider":` + value + `,"environment":` + value + `,"service":` + value + `,"client_id":` + value +
		`,"trace_id":` + value + `,"client_ip":` + value + `,"user_agent":` + value +
		`,"request":{"method":` + value + `,"url":` + literal("https://api.lab.test/v1/"+short+"?access_token="+plantedToken()+"&q="+short) +
		`,"headers":{"authorization":"Bearer ` + plantedToken() + `","x-text":` + value + `,` + value + `:` + value + `},"body":` + around + `}` +
		`,"response":{"status":401,"headers":{"www-authenticate":` + literal(`Bearer error="invalid_token", error_description="`+short+`"`) + `,"x-text":` + value + `},"body":{"error":` + value + `,"error_description":` + long + `,` + value + `:1}}` +
		`,"access_token":{"header":{"alg":` + value + `,"kid":` + value + `},"claims":{"iss":` + value + `,"sub":` + value + `,"aud":[` + value + `],"exp":` + value + `,"jti":` + value + `,"scope":` + value + `,` + value + `:` + value + `}}` +
		`,"error":` + around + `}`
}

// splicedRecords have the bytes where JSON or a token is due.
func splicedRecords(text string) []string {
	return []string{
		`{"time":"2026-11-22T03:00:02Z","response":{"status":401},"access_token":{"header":{"alg":"RS256"},"claims":{"sub":"x","extra":` + oneLine(text) + `}}}`,
		`{"time":"2026-11-22T03:00:03Z","request":{"headers":{"authorization":` + literal("Bearer "+segment(text)+"."+segment(text)+"."+plantedSecret) + `}},"response":{"status":401,"body":` + literal(text) + `}}`,
		`{"time":` + literal(text) + `,"response":{"status":` + oneLine(text) + `}}`,
	}
}

// allWires are the protocols of shippers and every other way in.
func allWires() []wire {
	native := func(name, path string, wrap func(testing.TB, ...string) string) wire {
		return wire{name: name, path: path, key: bearer, wrap: wrap}
	}
	return append(wires(),
		native("native", responses, linesBody),
		native("msgpack", responses, msgpackOf),
		native("tokens", tokens, func(t testing.TB, records ...string) string {
			var b strings.Builder
			for _, r := range records {
				b.WriteString(`{"time":"2026-11-22T03:00:01Z","kind":"access_token","request_id":` + literal(r[:min(len(r), 300)]) + `,"header":{"alg":"RS256"},"claims":{"sub":` + quoted(t, r) + `,"record":` + oneLine(r) + `}}` + "\n")
			}
			return b.String()
		}),
		native("Auth0", "/ingest/auth0", func(t testing.TB, records ...string) string {
			var b strings.Builder
			for n, r := range records {
				b.WriteString(oneLine(auth0Failure(fmt.Sprint("h", n), `,"details":{"record":`+quoted(t, r)+`,"error":{"message":`+quoted(t, r)+`}}`)) + "\n")
			}
			return b.String()
		}),
		native("Okta", "/ingest/okta", func(t testing.TB, records ...string) string {
			var events []string
			for _, r := range records {
				events = append(events, strings.Replace(oktaEvent("app.oauth2.as.token.grant", "FAILURE"), `"reason":"invalid_client"`, `"reason":`+quoted(t, r), 1))
			}
			return `{"data":{"events":[` + strings.Join(events, ",") + `]}}`
		}))
}

// msgpackOf is fluentMsgpack for records that may be no JSON: those are texts of a member.
func msgpackOf(t testing.TB, records ...string) string {
	var out strings.Builder
	for _, r := range records {
		var members map[string]any
		if json.Unmarshal([]byte(r), &members) != nil {
			r = `{"log":` + quoted(t, r) + `}`
		}
		out.WriteString(fluentMsgpack(t, r))
	}
	return out.String()
}

// envelopes are bodies of the protocol in which one place, another for each n, holds the text as a string and then as bare bytes.
func envelopes(t testing.TB, w wire, n int, text string) []string {
	plain := w.wrap(t, `{"time":"2026-11-22T03:00:04Z","request":{"headers":{"authorization":"Bearer `+plantedToken()+`"}},"response":{"status":401}}`)
	const mark = "@@hostile@@"
	switch w.name {
	case "journal":
		return []string{strings.Replace(plain, "orders", text, 1), strings.Replace(plain, "SYSLOG_IDENTIFIER", text, 1)}
	case "Loki protobuf", "msgpack", "Logpush":
		return []string{plain[:n%len(plain)] + text + plain[n%len(plain):]}
	case "OTLP protobuf":
		marked := hollow(t, otlpJSONWire().wrap(t, "x"), n, mark)
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(strings.ReplaceAll(marked, `"`+mark+`"`, quoted(t, text))))
		if err != nil {
			return nil // what cannot be said in protobuf
		}
		body, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
		if err != nil {
			t.Fatal(err)
		}
		return []string{string(body)}
	}
	marked := hollow(t, plain, n, mark)
	return []string{strings.ReplaceAll(marked, `"`+mark+`"`, literal(text)), strings.ReplaceAll(marked, `"`+mark+`"`, oneLine(text))}
}

// hollow puts mark in the place of the nth value or name, round and round, of JSON documents one behind the other.
func hollow(t testing.TB, body string, n int, mark string) string {
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var docs []any
	for {
		var doc any
		if err := dec.Decode(&doc); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		docs = append(docs, doc)
	}
	places := 0
	var walk func(v any, at int) any
	walk = func(v any, at int) any {
		mine := func() bool { places++; return places-1 == at }
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				value := walk(v[name], at)
				if mine() {
					name = mark
				}
				out[name] = value
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i := range v {
				out[i] = walk(v[i], at)
			}
			return out
		}
		if mine() {
			return mark
		}
		return v
	}
	walk(docs, -1)
	at := n % places
	places = 0
	var out []string
	for _, doc := range walk(docs, at).([]any) {
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return strings.Join(out, "\n") + "\n"
}

// A besieger sends bodies by several connections at once and checks each answer.
type besieger struct {
	*service
	mu      sync.Mutex
	answers bytes.Buffer
	bodies  int
	slowest time.Duration
}

// hostilePatience is what one body may take. What is not linear takes minutes.
const hostilePatience = 20 * time.Second

// hostilePause is how long a body waits that has to come again.
const hostilePause = 100 * time.Millisecond

// hostileTries is how often a body is sent that is told to come again, or finds the connection closed, which is how some shippers are
// told. What panics does so each time.
const hostileTries = 20

func (b *besieger) send(w wire, what, body string) {
	var resp *http.Response
	var text []byte
	var err error
	var took time.Duration
	for range hostileTries {
		begun := time.Now()
		if resp, err = http.DefaultClient.Do(w.request(b.t, b.server.URL, b.key, body)); err == nil {
			text, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if took = time.Since(begun); err == nil && resp.StatusCode != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(hostilePause)
	}
	if resp == nil {
		b.t.Errorf("%s, %s: %v", w.name, what, err) // as after a panic
		return
	}
	if err != nil || resp.StatusCode >= 500 || resp.StatusCode < 200 || took > hostilePatience {
		b.t.Errorf("%s, %s: %d after %v: %.300s %v", w.name, what, resp.StatusCode, took, text, err)
	}
	if resp.StatusCode >= 400 && len(bytes.TrimSpace(text)) < 5 {
		b.t.Errorf("%s, %s: %d says no more than %q", w.name, what, resp.StatusCode, text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers.Write(text)
	b.bodies++
	b.slowest = max(b.slowest, took)
}

// Everything that the collections hold (with the race detector, which makes it ten times slower, a sample of it) goes through every way in: as a body, in every field of a record, in the place of a
// value and of a token, and in every place of the envelope. Each gets a verdict or a clear error, nothing panics or takes
// long, the records beside it are stored, and the secrets beside it are not.
func TestHostile_EveryWayIn(t *testing.T) {
	b := &besieger{service: newService(t, testProfile())}
	files := hostileFiles(t)
	lines := hostileLines(t, files)
	ways := allWires()
	work := make(chan func())
	var hands sync.WaitGroup
	for range 24 { // that share commits
		hands.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	var good []string // ids of records that lie beside hostile ones and must be stored
	chunks := 0
	for n, w := range ways {
		stores := !slices.Contains([]string{"tokens", "Auth0", "Okta"}, w.name)
		for at, f := range files {
			if (at+n)%oneIn != 0 {
				continue
			}
			work <- func() {
				b.send(w, f.name+" as a body", f.text)
				if list := envelopes(t, w, at, f.text); (at+n)%2 == 0 && len(list) > 0 {
					b.send(w, f.name+" in the envelope", list[at/2%len(list)])
				}
			}
		}
		for chunk := range slices.Chunk(files, 25) {
			if chunks++; chunks%oneIn != 0 {
				continue
			}
			var records []string
			for _, f := range chunk {
				records = append(records, hostileRecord(f.text))
				if w.name != splunkWire().name && w.name != "tokens" { // where a record is part of the envelope's own JSON
					records = append(records, splicedRecords(f.text)...)
				}
			}
			id := fmt.Sprintf("good-%d-%s", n, path.Base(chunk[0].name))
			records = append(records, goodBeside(id))
			if stores {
				good = append(good, id)
			}
			work <- func() { b.send(w, id, w.wrap(t, records...)) }
		}
		// The single lines, of which the files above consist, are dealt out among the ways in.
		var records []string
		for at := n; at < len(lines); at += len(ways) * oneIn {
			records = append(records, hostileRecord(lines[at]))
		}
		id := fmt.Sprintf("good-%d-lines", n)
		if stores {
			good = append(good, id)
		}
		work <- func() { b.send(w, id, w.wrap(t, append(records, goodBeside(id))...)) }
	}
	close(work)
	hands.Wait()
	t.Logf("%d bodies, the slowest took %v", b.bodies, b.slowest)
	b.checkAfter(good)
}

// goodBeside is a failure whose request id shows that it was stored.
func goodBeside(id string) string {
	return `{"time":"2026-11-22T03:00:05Z","id":"` + id + `","request_id":"` + id + `","request":{"method":"GET","url":"https://api.lab.test/v1/orders","headers":{"authorization":"Bearer ` + plantedToken() + `"}},"response":{"status":401}}`
}

func (b *besieger) checkAfter(good []string) {
	stored := map[string]bool{}
	for _, f := range b.failures() {
		stored[f.RequestID] = true
		if f.Verdict.Cause == "" || !json.Valid(f.Record) {
			b.t.Errorf("failure %s: cause %q, record %.200s", f.ID, f.Verdict.Cause, f.Record)
		}
	}
	for _, id := range good {
		if !stored[id] {
			b.t.Errorf("%s was not stored", id)
		}
	}
	if log := b.log.String(); strings.Contains(log, "panicked") || strings.Contains(log, "ingestion failed") {
		b.t.Errorf("the log says %.2000s", log)
	}
	families, err := b.registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	fmt.Fprint(&b.answers, families)
	for _, f := range families {
		if len(f.GetMetric()) > 200 {
			b.t.Errorf("%s has %d series", f.GetName(), len(f.GetMetric()))
		}
	}
	b.assertClean(b.answers.Bytes(), []string{plantedSecret, plantedPassword})
}
