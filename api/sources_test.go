package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

// shipper makes an ingest key that sent a record in each of the minutes before now, from and to counted backwards.
func (s *site) shipper(t *testing.T, name string, from, to int) string {
	t.Helper()
	key, _, err := s.store.CreateKey(t.Context(), store.ScopeIngest, name)
	if err != nil {
		t.Fatal(err)
	}
	for n := from; n > to; n-- {
		c := store.SourceCounts{Source: key.ID, At: s.now.Add(-time.Duration(n) * time.Minute), Accepted: 60, Duplicates: 6}
		c.Lags.Add(2 * time.Second)
		s.write(t, func(ctx context.Context, tx *store.Tx) error { return tx.CountSource(ctx, c) })
	}
	return key.ID
}

func (s *site) reject(t *testing.T, source, id, body string) {
	t.Helper()
	r := store.Reject{Source: source, ID: id, FirstAt: s.now, LastAt: s.now, Count: 1, Route: "/ingest/v1/responses", Code: "missing_time",
		Pointer: "/time", Detail: "time is missing", Bytes: 17, Body: body}
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CountSource(ctx, store.SourceCounts{Source: source, At: s.now.Add(-95 * time.Minute), Rejected: 1, Codes: map[string]int64{"missing_time": 1}}); err != nil {
			return err
		}
		return tx.KeepRejects(ctx, []store.Reject{r})
	})
}

func TestSources(t *testing.T) {
	s := newSite(t)
	id := s.shipper(t, "web-1", 60, 0)
	s.reject(t, id, "r1", `{"members":{"a":1}}`)
	var one sourceJSON
	s.get(t, "/api/v1/sources/"+id, &one)
	if one.Name != "web-1" || one.State != "ok" || one.RecordsPerMinute < 59 || one.Lag == nil || one.Lag.Longest != 2 ||
		one.Day.Accepted != 3600 || one.Day.Duplicates != 360 || one.Rejects != 1 || len(one.Reasons) != 1 || one.Reasons[0] != (codeJSON{"missing_time", 1}) {
		t.Errorf("%+v %+v", one, one.Lag)
	}
	s.now = s.now.Add(11*time.Minute + 30*time.Second)
	s.get(t, "/api/v1/sources/"+id, &one)
	if one.State != "silent" || len(one.Gaps) != 1 || one.Gaps[0].To != s.now {
		t.Errorf("%+v", one)
	}
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		return tx.CountSource(ctx, store.SourceCounts{At: s.now, Refused: 2, Codes: map[string]int64{"invalid_key": 2}})
	})
	var all list[sourceJSON]
	s.get(t, "/api/v1/sources", &all)
	if len(all.Data) < 2 || all.Data[0].ID != "" || all.Data[0].Day.Refused != 2 || all.Data[0].State != "ok" {
		t.Errorf("%+v", all.Data)
	}
	for _, path := range []string{"/api/v1/sources/none", "/api/v1/sources/none/rejects", "/api/v1/sources/" + id + "/rejects/none"} {
		problemIn(t, s.do(t, ask{path: path, who: "read"}), http.StatusNotFound)
	}
}

func TestRejects(t *testing.T) {
	s := newSite(t)
	id := s.shipper(t, "web-1", 3, 0)
	for n := range 3 {
		s.now = s.now.Add(time.Second)
		s.reject(t, id, fmt.Sprintf("r%d", n), `{"members":{"a":1}}`)
	}
	s.reject(t, id, "r3", "")
	var page list[rejectJSON]
	s.get(t, "/api/v1/sources/"+id+"/rejects?limit=2", &page)
	if len(page.Data) != 2 || page.Next == "" || page.Data[0].Replayable == page.Data[1].Replayable {
		t.Errorf("%+v", page)
	}
	s.get(t, "/api/v1/sources/"+id+"/rejects?code=not_json", &page)
	if len(page.Data) != 0 {
		t.Errorf("%+v", page)
	}
	var one rejectJSON
	s.get(t, "/api/v1/sources/"+id+"/rejects/r1", &one)
	if string(one.Record) != `{"a":1}` || one.Pointer != "/time" || one.Bytes != 17 {
		t.Errorf("%+v", one)
	}
	got := s.do(t, ask{method: "POST", path: "/api/v1/sources/" + id + "/rejects/r1/replay", who: "admin"})
	if want := `{"result":"rejected","error":{"pointer":"/time","code":"missing_time","detail":"time is missing"}}`; got.status != 200 || got.body != want {
		t.Errorf("%d %s", got.status, got.body)
	}
	problemIn(t, s.do(t, ask{method: "POST", path: "/api/v1/sources/" + id + "/rejects/r3/replay", who: "admin"}), http.StatusConflict)
}

// The banner is on every page, names what is silent, and says nothing when nothing is.
func TestAlarms(t *testing.T) {
	s := newSite(t)
	s.shipper(t, "<b>web-1</b>", 60, 0)
	page := func() string { return s.do(t, ask{path: "/causes", who: "session viewer"}).body }
	if text := page(); strings.Contains(text, `class="alarm"`) {
		t.Error("an alarm while records come")
	}
	s.now = s.now.Add(11*time.Minute + 30*time.Second)
	if text := page(); !strings.Contains(text, "Shipper &lt;b&gt;web-1&lt;/b&gt; silent for 12 min</a>") {
		t.Errorf("no alarm: %s", text[:min(len(text), 2000)])
	}
	for n := range 4 {
		s.shipper(t, fmt.Sprintf("web-%d", n), 80, 20)
	}
	s.now = s.now.Add(time.Minute)
	if text := page(); strings.Count(text, " silent for ") != 2 || !strings.Contains(text, "3 more shippers silent or behind") {
		t.Error("the alarms of many")
	}
}

func TestSourcePages(t *testing.T) {
	s := newSite(t)
	id := s.shipper(t, "web-1", 200, 90)
	s.reject(t, id, "r1", `{"members":{"message":"<script>alert(1)</script>"}}`)
	s.reject(t, id, "r2", "")
	for path, want := range map[string][]string{
		"/sources":                          {"web-1", "silent", "Nothing came for"},
		"/sources/" + id:                    {"web-1", "silent", "missing_time", "Time is missing", `class="gap"`, ">6,600<"},
		"/sources/" + id + "?code=not_json": {"No rejected record is kept", "Only those that are <code>not_json</code>", `href="/sources/` + id + `#rejects">Show all`},
		"/sources/" + id + "/rejects/r1":    {"&lt;script&gt;alert(1)", "An admin can try it again"},
		"/sources/" + id + "/rejects/r2":    {"Nothing of the record itself is kept"},
	} {
		got := s.do(t, ask{path: path, who: "session viewer"})
		for _, text := range want {
			if got.status != 200 || !strings.Contains(strings.ReplaceAll(got.body, "\u202f", " "), text) {
				t.Errorf("%s (%d) lacks %q", path, got.status, text)
			}
		}
	}
	got := s.do(t, ask{path: "/sources/" + id + "/rejects/r1", who: "session admin"})
	if !strings.Contains(got.body, "Try again") {
		t.Error("an admin cannot try again")
	}
	got = s.do(t, ask{method: "POST", path: "/sources/" + id + "/rejects/r1/replay", who: "session admin"})
	if got.status != 200 || !strings.Contains(got.body, "It was still not taken: time is missing.") {
		t.Errorf("%d", got.status)
	}
}

// A source that names more new clients than may have incidents is named on every page, and its own says how many failures there were.
func TestAlarms_ManyNewClients(t *testing.T) {
	s := newSite(t)
	id := s.shipper(t, "web-1", 60, 0)
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.CountSource(ctx, store.SourceCounts{Source: id, At: s.now, Accepted: 2000, Gathered: 1200})
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := s.do(t, ask{path: "/causes", who: "session viewer"}).body; !strings.Contains(text, "Shipper web-1 names more new clients than may have incidents: 1,200 failures gathered in 10 minutes") {
		t.Error("no alarm")
	}
	if text := s.page(t, "/sources", "session viewer"); !strings.Contains(text, ">many new clients</span>") || !strings.Contains(text, "1,200 failures of more new clients than may have incidents in the last 10 minutes.") {
		t.Error("the list of sources says nothing")
	}
	if text := s.do(t, ask{path: "/sources/" + id, who: "session viewer"}).body; !strings.Contains(text, "1,200 failures, gathered into") {
		t.Error("the source's page says nothing")
	}
	var one sourceJSON
	if s.get(t, "/api/v1/sources/"+id, &one); one.Day.Gathered != 1200 {
		t.Errorf("%+v", one.Day)
	}
}

// A shipper that gives one id to two records is seen on its page and in the answer.
func TestSources_Altered(t *testing.T) {
	s := newSite(t)
	id := s.shipper(t, "web-1", 60, 0)
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.CountSource(ctx, store.SourceCounts{Source: id, At: s.now, Duplicates: 9, Altered: 7})
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := s.page(t, "/sources/"+id, "session viewer"); !strings.Contains(text, "9, 7 of them with other content: the first counts") {
		t.Error("the source's page says nothing")
	}
	var one sourceJSON
	if s.get(t, "/api/v1/sources/"+id, &one); one.Day.Altered != 7 {
		t.Errorf("%+v", one.Day)
	}
}
