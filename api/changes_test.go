package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func (s *site) tell(t *testing.T, body string, header ...string) answer {
	t.Helper()
	h := map[string]string{"Content-Type": "application/json"}
	for i := 0; i+1 < len(header); i += 2 {
		h[header[i]] = header[i+1]
	}
	return s.do(t, ask{method: "POST", path: "/api/v1/changes", who: "respond", body: body, header: h})
}

func TestChanges(t *testing.T) {
	s := newSite(t)
	got := s.tell(t, `{"title":"orders-bot 4109 with hunter2","environment":"prod","client_id":"client-b","url":"https://ci.example/run/4109","reference":"run-4109","time":"2026-11-22T11:00:00+01:00"}`)
	var told changeJSON
	if err := json.Unmarshal([]byte(got.body), &told); err != nil || got.status != http.StatusCreated {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	if told.Title != "orders-bot 4109 with [secret]" || told.By != "test respond" || told.Kind != "deploy" || told.Time.Hour() != 10 {
		t.Errorf("%+v", told)
	}
	if got := s.tell(t, `{"title":"orders-bot 4109","reference":"run-4109"}`); got.status != http.StatusOK || !strings.Contains(got.body, told.ID) {
		t.Errorf("told twice: %d %s", got.status, got.body)
	}
	first, second := s.tell(t, `{"title":"x"}`, "Idempotency-Key", "k1"), s.tell(t, `{"title":"x"}`, "Idempotency-Key", "k1")
	if first.status != http.StatusCreated || second.status != http.StatusOK {
		t.Errorf("with an Idempotency-Key: %d, then %d", first.status, second.status)
	}
	var list struct{ Data []changeJSON }
	s.get(t, "/api/v1/changes?environment=prod&from=2026-11-22T10:00:00Z&to=2026-11-22T10:00:01Z", &list)
	if len(list.Data) != 1 || list.Data[0].Reference != "run-4109" {
		t.Errorf("%+v", list.Data)
	}
}

func TestChanges_Refused(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]string{
		`{}`: "/title", `{"title":"x","kind":"party"}`: "/kind", `{"title":"x","url":"javascript:alert(1)"}`: "/url",
		`{"title":"x","url":"https://user:secret@ci.example/"}`: "/url", `{"title":"x","time":"2026-11-24T00:00:00Z"}`: "/time",
		`{"title":"` + strings.Repeat("x", 257) + `"}`: "/title", `{"title":7}`: "/title",
		`{"title":"x","colour":"red"}`: "", `[]`: "", `{"title":"x"} {"title":"y"}`: "", `{"title":"x","time":"noon"}`: "/time", `{"Title":"x"}`: "",
	} {
		p := problemIn(t, s.tell(t, body), http.StatusBadRequest)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != want {
			t.Errorf("%s: %+v", body, p.Errors)
		}
	}
	if got := s.do(t, ask{method: "POST", path: "/api/v1/changes", who: "respond", body: "title=x"}); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d", got.status)
	}
}
