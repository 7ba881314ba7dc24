package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// VictoriaLogs, where its program is at hand, is a server like the others: a log store without classification that is
// known for its speed. It gets the same bytes from the same senders, answers before they are on disk, and must hold every record
// in the end.

// victoriaLogsPath is where NDJSON goes (https://docs.victoriametrics.com/victorialogs/data-ingestion/): the members that every
// record has are its time, its stream and its message.
const victoriaLogsPath = "/insert/jsonline?_time_field=time&_stream_fields=service&_msg_field=request.url"

func (r *runner) runVictoriaLogs(ctx context.Context, t traffic, file string) (f figures, err error) {
	dir, remove, err := r.folder()
	if err != nil {
		return figures{}, err
	}
	defer remove()
	p, err := startProcess(ctx, dir, r.victoriaLogs, "-storageDataPath", filepath.Join(dir, "data"), "-httpListenAddr", "127.0.0.1:0",
		"-retentionPeriod", "100y", "-futureRetention", "100y")
	if err != nil {
		return figures{}, err
	}
	f, _, err = r.measure(ctx, p, load{url: p.url + victoriaLogsPath, file: file, senders: r.senders, batch: r.batch, silent: true})
	if err == nil {
		err = checkVictoriaLogs(ctx, p.url, t.records)
	}
	if err != nil {
		p.kill()
		return figures{}, err
	}
	return f, p.stop()
}

// checkVictoriaLogs waits until it finds as many records as were sent: they are found some seconds after they were taken.
func checkVictoriaLogs(ctx context.Context, url string, records int) error {
	for until := time.Now().Add(settleTime); ; time.Sleep(100 * time.Millisecond) {
		n, err := countVictoriaLogs(ctx, url)
		if err == nil && n != records {
			err = fmt.Errorf("%d records were sent and %d found", records, n)
		}
		if err == nil || time.Now().After(until) {
			return err
		}
	}
}

func countVictoriaLogs(ctx context.Context, base string) (int, error) {
	query := url.Values{"query": {"* | stats count() records"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/select/logsql/query?"+query.Encode(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("count records: %s: %.500s", resp.Status, text)
	}
	var answer struct{ Records string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, fmt.Errorf("count records: %w: %.500s", err, text)
	}
	return strconv.Atoi(strings.TrimSpace(answer.Records))
}
