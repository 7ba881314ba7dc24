package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// A format is the kind of log that a file is of.
type format string

const (
	native   format = "native"
	bare     format = "native without tokens"
	ecs      format = "ECS"
	nginx    format = "nginx JSON"
	filebeat format = "nginx JSON in Filebeat's documents"
	combined format = "combined access log"
)

// formats are those that the part of that name measures: what most services log holds no decoded token.
func formats() []format { return []format{native, bare, ecs, nginx, filebeat, combined} }

// formatPercent is the share of failures in the files of that part.
const formatPercent = 2

// A formatResult is what the product made of the same traffic in one format.
type formatResult struct {
	Format  format `json:"format"`
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	figures
}

// inFormats sends the same traffic in each format, medians of the rounds, which the formats take in turn.
func (r *runner) inFormats(ctx context.Context) ([]formatResult, error) {
	var results []formatResult
	for n, f := range formats() {
		results = append(results, formatResult{Format: f, Records: r.records})
		t := r.traffic(formatPercent)
		t.format = f
		size, err := t.writeFile(r.formatFile(n))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		results[n].Bytes = size
	}
	runs := make([][]figures, len(results))
	for round := range r.rounds {
		for n := range results {
			t := r.traffic(formatPercent)
			t.format = results[n].Format
			f, err := r.runProduct(ctx, t, r.formatFile(n), 0)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.format, err)
			}
			runs[n] = append(runs[n], f)
			r.log("%s, round %d of %d: %.0f records/s", t.format, round+1, r.rounds, f.RecordsPerSecond)
		}
	}
	for n := range results {
		results[n].figures = medians(runs[n])
	}
	return results, nil
}

func (r *runner) formatFile(n int) string {
	return filepath.Join(r.dir, fmt.Sprintf("format-%d.ndjson", n))
}

// loggedStatus is what an access log says of an answer: where a failure is one only by its body, 401 takes its place.
func (a answer) loggedStatus() int {
	if a.Status < 400 || a.Status == 401 || a.Status == 403 {
		return a.Status
	}
	return 401
}

// accessLine writes an exchange as a server or a library that knows nothing of tokens logs it. The url is a whole one.
func (r *record) accessLine(method, url string, a answer) {
	c := r.client
	rest, _ := strings.CutPrefix(url, "https://")
	host, path, _ := strings.Cut(rest, "/")
	path = "/" + path
	const iso = "2006-01-02T15:04:05.000Z"
	switch r.format {
	case ecs:
		r.put(`{"@timestamp":"`)
		r.b = r.at.AppendFormat(r.b, iso)
		r.put(`","ecs":{"version":"8.11"},"log":{"level":"info","logger":"http"},"event":{"id":"`)
		r.hex(32)
		r.put(`","dataset":"`, c.service, `.http","duration":`)
		r.number(1_000_000 + r.rng.Int64N(90_000_000))
		r.put(`},"trace":{"id":"`)
		r.hex(32)
		r.put(`"},"service":{"name":"`, c.service, `","environment":"`, c.environment.name, `"},"client":{"ip":"`, c.ip, `"},"user_agent":{"original":"`, c.agent,
			`"},"url":{"full":"`, url, `"},"http":{"request":{"method":"`, method, `"},"response":{"status_code":`)
		r.number(int64(a.loggedStatus()))
		r.put(`,"body":{"bytes":`)
		r.number(100 + r.rng.Int64N(9000))
		r.put(`}}}}`)
	case nginx:
		r.put(`{"time_iso8601":"`)
		r.b = r.at.AppendFormat(r.b, "2006-01-02T15:04:05+00:00")
		r.put(`","remote_addr":"`, c.ip, `","request_method":"`, method, `","scheme":"https","host":"`, host, `","request_uri":"`, path, `","status":`)
		r.number(int64(a.loggedStatus()))
		r.put(`,"body_bytes_sent":`)
		r.number(100 + r.rng.Int64N(9000))
		r.put(`,"request_time":0.`)
		r.number(100 + r.rng.Int64N(900))
		r.put(`,"upstream_response_time":"0.`)
		r.number(100 + r.rng.Int64N(900))
		r.put(`","http_referer":"-","http_user_agent":"`, c.agent, `","request_id":"`)
		r.hex(32)
		r.put(`"}`)
	case filebeat:
		inner := record{rng: r.rng, client: c, at: r.at, format: nginx}
		inner.accessLine(method, url, a)
		r.put(`{"@timestamp":"`)
		r.b = r.at.Add(time.Second).AppendFormat(r.b, iso)
		r.put(`","message":"`, strings.ReplaceAll(string(inner.b), `"`, `\"`), `","log":{"offset":`)
		r.number(r.rng.Int64N(1_000_000_000))
		r.put(`,"file":{"path":"/var/log/nginx/access.json"}},"input":{"type":"filestream"},"host":{"name":"`, c.service, `-1"},"agent":{"type":"filebeat","version":"8.19.0"},"ecs":{"version":"8.0.0"}}`)
	case combined:
		r.put(c.ip, ` - - [`)
		r.b = r.at.AppendFormat(r.b, "02/Jan/2006:15:04:05 -0700")
		r.put(`] "`, method, ` `, path, ` HTTP/1.1" `)
		r.number(int64(a.loggedStatus()))
		r.put(` `)
		r.number(100 + r.rng.Int64N(9000))
		r.put(` "-" "`, c.agent, `"`)
	}
}

// isAccessLog is true for a log of one line an exchange, without headers, bodies and tokens.
func (f format) isAccessLog() bool { return f != "" && f != native && f != bare }
