package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/ingest"
)

// judgedTraffic is a log in which it matters what came before: assertions and tokens that come again, soon and after they have expired, lines
// that are delivered twice, late ones, bad ones, other formats, and arrays of records.
func judgedTraffic(t *testing.T) []byte {
	rng := rand.New(rand.NewPCG(7, 7))
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	var lines []string
	for _, c := range corpora(t) {
		for _, record := range c.records {
			line := string(record)
			lines = append(lines, line, strings.NewReplacer(`"status":401`, `"status":200`, `"status":403`, `"status":200`).Replace(line))
		}
	}
	for n := range 4000 {
		at := start.Add(time.Duration(n) * 20 * time.Second)
		if rng.IntN(20) == 0 {
			at = at.Add(-time.Duration(rng.IntN(7200)) * time.Second)
		}
		used := n - rng.IntN(1+min(n, 800))*rng.IntN(2) // the token of an earlier one half of the time
		issued := start.Add(time.Duration(used) * 20 * time.Second).Unix()
		status, client := []int{200, 200, 401}[rng.IntN(3)], fmt.Sprintf("client-%d", used%9)
		text, id := at.Format(time.RFC3339), fmt.Sprintf("r%d", n-rng.IntN(2))
		line := fmt.Sprintf(`{"time":%q,"id":%q,"client_id":%q,"request":{"method":"GET","url":"https://api.polymarketexchange.com/v1/orders/%d","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":%d},"access_token":{"header":{"alg":"RS256","kid":"as-%d"},"claims":{"iss":"https://pmx-prod.us.auth0.com/","aud":"https://api.polymarketexchange.com","sub":%q,"jti":"t-%d","iat":%d,"exp":%d}}}`,
			text, id, client, n%3, status, used/900, client, used, issued, issued+180)
		switch rng.IntN(8) {
		case 0, 1, 2, 3:
			line = fmt.Sprintf(`{"time":%q,"id":%q,"client_id":%q,"request":{"method":"POST","url":"https://pmx-prod.us.auth0.com/oauth/token","headers":{"content-type":"application/json"},"body":{"grant_type":"client_credentials","client_id":%q,"client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"[jwt]"}},"response":{"status":%d,"body":{%q:"invalid_client","token_type":"Bearer"}},"client_assertion":{"header":{"alg":"RS256","kid":%q},"claims":{"iss":%q,"sub":%q,"aud":"https://pmx-prod.us.auth0.com/oauth/token","iat":%d,"exp":%d,"jti":"j-%d"}}}`,
				text, id, client, client, status, map[int]string{200: "scope", 401: "error"}[status], client, client, client, issued, issued+300, used)
		case 4:
			line = fmt.Sprintf(`{"time_iso8601":%q,"remote_addr":"10.0.0.%d","request_method":"GET","request_uri":"/v1/orders","scheme":"https","host":"api.polymarketexchange.com","status":%d,"http_user_agent":"x"}`, text, n%200, status)
		case 5:
			line = strings.Replace(line, `"id":`, `"x":`, 1)
		}
		lines = append(lines, line)
		switch rng.IntN(100) {
		case 0:
			lines = append(lines, "{broken", "", `{"time":7,"request":{}}`)
		case 1:
			lines = append(lines, "["+strings.Join(lines[len(lines)-3:], ",")+",{}]")
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// oneByOne judges a log in the plain way: each record is decoded, placed, judged by a look at each of its facts and observed before the next one.
func oneByOne(t *testing.T, log []byte, classifier *classify.Classifier, redactor *ingest.Redactor, m *memory) (verdicts, complaints []string) {
	met := map[string]bool{}
	documents := newDocumentReader(bytes.NewReader(log))
	for {
		doc, err := documents.next(nil)
		if err == io.EOF {
			return verdicts, complaints
		}
		records, bad := ingest.Decode(doc.text, redactor)
		for _, b := range bad {
			complaints = append(complaints, fmt.Sprintf("line %d%s: %s: %s\n", doc.line, place(b, doc), b.Code, b.Detail))
		}
		for n := range records {
			e := classifier.Locate(&records[n].Record)
			if e.Outcome == classify.Failed {
				id := e.Record.ID
				if id != "" && met[id] {
					continue
				}
				met[id] = true
				var line bytes.Buffer
				v := classify.Classify(e, m.lookup(e.Keys()))
				if err := (verdictForm{ndjson: true}).write(&line, &v); err != nil {
					t.Fatal(err)
				}
				verdicts = append(verdicts, line.String())
			}
			m.observe(e.Record.Time, e.Facts())
		}
	}
}

// Reading quickly, beside each other, by the numbers of facts, and forgetting what has expired: every verdict is that of the plain way.
func TestClassify_SameAsOneByOne(t *testing.T) {
	t.Parallel()
	profiles, err := profileFlag{}.profiles()
	if err != nil {
		t.Fatal(err)
	}
	redactor, err := ingest.NewRedactor(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	documented := classify.NewKnowledge(classify.DocumentedTexts())
	log := judgedTraffic(t)
	causes := map[classify.Code]int{}
	for _, least := range []int{100_000, 50} {
		memories := [2]*memory{newMemory(), newMemory()}
		for _, m := range memories {
			m.least, m.sweep = least, least
		}
		verdicts, complaints := oneByOne(t, log, classify.New(profiles, documented), redactor, memories[0])
		var stdout, stderr bytes.Buffer
		out := newVerdictWriter("ndjson", &program{stdout: &stdout, stderr: &stderr, getenv: noEnv})
		j := &judge{memory: memories[1], documented: documented, redactor: redactor}
		if err := j.run(t.Context(), bytes.NewReader(log), ingest.NewReader(profiles, documented, redactor), out); err != nil {
			t.Fatal(err)
		}
		compareLines(t, "verdict", stdout.String(), verdicts)
		compareLines(t, "complaint", stderr.String(), complaints)
		if j.failures != len(verdicts) || j.repeated == 0 || j.bad != len(complaints) || len(memories[0].facts) != len(memories[1].facts) {
			t.Errorf("%+v, %d facts; want %d failures and %d facts", j.counts, len(memories[1].facts), len(verdicts), len(memories[0].facts))
		}
		causes = j.causes
	}
	for _, code := range []classify.Code{classify.JTIReuse, classify.ExpiredMidSession, classify.TokenExpired} {
		if causes[code] < 5 {
			t.Errorf("%d are %s", causes[code], code)
		}
	}
}

func compareLines(t *testing.T, what, got string, want []string) {
	t.Helper()
	lines := slices.Collect(strings.Lines(got))
	for n := range min(len(lines), len(want)) {
		if lines[n] != want[n] {
			t.Fatalf("%s %d:\n%s, want\n%s", what, n, lines[n], want[n])
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d of %s, want %d", len(lines), what, len(want))
	}
}

// What is wrong with a line is said between the verdicts on the lines around it.
func TestClassify_ComplaintsInPlace(t *testing.T) {
	line := `{"time":"2026-11-20T10:00:50Z","id":"f%d","request":{"method":"GET","url":"https://a.test/"},"response":{"status":401}}` + "\n"
	in := fmt.Sprintf(line, 1) + "{bad\n" + fmt.Sprintf(line, 2) + fmt.Sprintf(line, 3) + "{bad\n"
	var both bytes.Buffer
	if status := run(context.Background(), []string{"classify", "--output", "ndjson"}, noEnv, strings.NewReader(in), &both, &both); status != exitNotOK {
		t.Fatalf("status %d", status)
	}
	var order []string
	for one := range strings.Lines(both.String()) {
		if before, _, isLine := strings.Cut(one, ":"); isLine && strings.HasPrefix(one, "line") {
			order = append(order, before)
		} else {
			order = append(order, one[strings.Index(one, `"id":"`)+6:][:2])
		}
	}
	if got := strings.Join(order, " "); got != "f1 line 2 f2 f3 line 5" {
		t.Error(got)
	}
}

// A log that is being followed is judged line by line as it comes.
func TestClassify_Follows(t *testing.T) {
	in, write := io.Pipe()
	read, out := io.Pipe()
	done := make(chan int)
	go func() {
		status := run(context.Background(), []string{"classify", "--output", "ndjson"}, noEnv, in, out, io.Discard)
		out.Close()
		done <- status
	}()
	verdicts := json.NewDecoder(read)
	for n := range 3 {
		fmt.Fprintf(write, `{"time":"2026-11-20T10:00:50Z","id":"f%d","request":{"method":"GET","url":"https://a.test/"},"response":{"status":401}}`+"\n", n)
		var v classify.Verdict
		if err := verdicts.Decode(&v); err != nil || v.ID != fmt.Sprintf("f%d", n) {
			t.Fatalf("%q, %v", v.ID, err)
		}
	}
	write.Close()
	if status := <-done; status != exitNotOK {
		t.Errorf("status %d", status)
	}
}

// Who stops taking verdicts ends the run, and it is no run that found failures, even if all that was left to write were the figures.
func TestClassify_NobodyTakesVerdicts(t *testing.T) {
	line := `{"time":"2026-11-20T10:00:50Z","request":{"method":"GET","url":"https://a.test/"},"response":{"status":401}}` + "\n"
	for _, in := range []io.Reader{neverEnding(line), strings.NewReader("")} {
		read, out := io.Pipe()
		read.Close()
		var stderr bytes.Buffer
		status := run(context.Background(), []string{"classify"}, noEnv, in, out, &stderr)
		if status != exitUsage || !strings.Contains(stderr.String(), "write the verdicts") {
			t.Errorf("status %d: %s", status, &stderr)
		}
	}
}
