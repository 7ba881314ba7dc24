package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A shipper whose request is in hand when the signal comes still gets its answer, and what it sent is committed.
func TestServe_DrainsWhatIsInHand(t *testing.T) {
	s := startServer(t)
	key := s.key("ingest")
	body, send := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, s.url+"/ingest/v1/responses", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Expect", "100-continue") // is answered by the first look at the body
	begun := make(chan struct{})
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(begun) }}))
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}}
	defer client.CloseIdleConnections()
	type result struct {
		status int
		text   string
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		resp, err := client.Do(req)
		if err != nil {
			answered <- result{err: err}
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		answered <- result{resp.StatusCode, string(text), err}
	}()
	record := `{"time":"2026-11-20T10:00:50Z","id":"f3","request":{"method":"GET","url":"https://api.example.com/v1"},"response":{"status":401}}`
	select {
	case <-begun:
	case got := <-answered:
		t.Fatalf("it is not read: %+v", got)
	}
	if _, err := io.WriteString(send, record[:40]); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.awaitShut()
	if _, err := io.WriteString(send, record[40:]); err != nil {
		t.Fatal(err)
	}
	send.Close()
	got := <-answered
	if got.err != nil || got.status != http.StatusOK || !strings.Contains(got.text, `"accepted":1`) {
		t.Errorf("%+v", got)
	}
}

// awaitShut returns once the server takes no more connections.
func (s *testServer) awaitShut() {
	s.t.Helper()
	for range 1200 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			return
		}
		conn.Close()
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatal("the server still takes connections")
}

func TestRefuseWhileDraining(t *testing.T) {
	s := &server{}
	reached := 0
	h := s.refuseWhileDraining(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	before := httptestGet(h)
	s.draining.Store(true)
	after := httptestGet(h)
	if before.Code != http.StatusOK || after.Code != http.StatusServiceUnavailable || reached != 1 {
		t.Errorf("%d before, %d after, reached %d times", before.Code, after.Code, reached)
	}
	if after.Header().Get("Retry-After") == "" || !strings.Contains(after.Body.String(), `"status":503`) {
		t.Errorf("%v %s", after.Header(), after.Body)
	}
}

func httptestGet(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	return w
}

func TestServe_SecondStartKeepsTheFirstUsersLink(t *testing.T) {
	s := startServer(t)
	link := s.link()
	s.close()
	again := newTestServer(t, s.db).start([]string{"serve", "--db", s.db, "--listen", "127.0.0.1:0"})
	resp, err := http.Get(again.url + "/setup/" + link[strings.LastIndex(link, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the first start's link: %s", resp.Status)
	}
	if strings.Contains(again.stderr.String(), "setup-token") {
		t.Error("a second start made another link")
	}
}

// Without --demo there is no sample data, and the first page says how to send the first record. The README says it as well.
func TestServe_FirstRecord(t *testing.T) {
	s := startServer(t)
	s.signIn()
	for _, want := range []string{"Nothing", "curl", s.url + "/ingest/v1/responses", "authwatch key create --scope ingest"} {
		if page := string(s.page("/")); !strings.Contains(page, want) {
			t.Errorf("the first page lacks %q", want)
		}
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	shell := strings.NewReplacer("'$(date -u +%FT%TZ)'", now.UTC().Format(time.RFC3339), "'$NOW'", fmt.Sprint(now.Unix()), "'$((NOW + 300))'", fmt.Sprint(now.Unix()+300))
	_, example, _ := strings.Cut(shell.Replace(string(readme)), "-d '")
	record, _, found := strings.Cut(example, "'\n")
	if !found {
		t.Fatal("the README has no curl line with a record")
	}
	if got := s.post(s.key("ingest"), "/ingest/v1/responses", []byte(record)); got.Accepted != 1 {
		t.Errorf("%+v", got)
	}
	type incident struct{ Cause, Environment, Confidence string }
	got := list[incident](s, s.key("read"), "/api/v1/incidents")
	if want := (incident{"wrong_audience", "preprod", "proven"}); len(got) != 1 || got[0] != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
