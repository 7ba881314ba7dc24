package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"authwatch/classify"
)

const (
	expiredCall = `{"time":"2026-11-22T11:59:00Z","id":"a","provider":"exchange","environment":"prod","client_id":"order-router",` +
		`"request":{"method":"GET","url":"https://api.exchange.example/v1/orders","headers":{"authorization":"Bearer [jwt]"}},` +
		`"response":{"status":401},"access_token":{"header":{"alg":"RS256"},"claims":{"aud":"https://api.exchange.example","exp":1795000000,"iat":1794999820}}}`
	goodCall = `{"time":"2026-11-22T11:59:01Z","id":"b","provider":"exchange","environment":"prod",` +
		`"request":{"method":"GET","url":"https://api.exchange.example/v1/orders","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":200}}`
)

func TestClassify(t *testing.T) {
	s := newSite(t)
	post := func(body, accept string) answer {
		return s.do(t, ask{method: "POST", path: "/api/v1/classify", who: "read", body: body, header: map[string]string{"Accept": accept}})
	}
	got := post(expiredCall+"\nnot json\n"+goodCall, "application/json")
	var out classifyJSON
	if err := json.Unmarshal([]byte(got.body), &out); got.status != 200 || err != nil {
		t.Fatalf("%d %s %v", got.status, got.body, err)
	}
	if len(out.Data) != 1 || out.Data[0].ID != "a" || out.Data[0].Cause != classify.TokenExpired {
		t.Errorf("one verdict for the one failure: %+v", out.Data)
	}
	if len(out.Errors) != 1 || *out.Errors[0].Index != 1 || out.Errors[0].Code != "not_json" {
		t.Errorf("errors: %+v", out.Errors)
	}
	lines := post(expiredCall+"\nnot json\n"+goodCall, "application/x-ndjson")
	if lines.header.Get("Content-Type") != "application/x-ndjson" || lines.header.Get("Authwatch-Rejected") != "1" || strings.Count(lines.body, "\n") != 1 {
		t.Errorf("%v %q", lines.header, lines.body)
	}
	if none := post(goodCall, "*/*"); strings.TrimSpace(none.body) != `{"data":[]}` {
		t.Errorf("no failure: %s", none.body)
	}
	for _, body := range []string{"", "not json", "[]x"} {
		problemIn(t, post(body, "*/*"), http.StatusUnprocessableEntity)
	}
	var page list[failureJSON]
	if s.get(t, "/api/v1/failures", &page); len(page.Data) != 0 {
		t.Errorf("stored: %+v", page.Data)
	}
}

// History is what came earlier in the same body and nothing else.
func TestClassify_HistoryIsOfOneRequest(t *testing.T) {
	s := newSite(t)
	same := `"provider":"exchange","environment":"prod","access_token":{"header":{"alg":"RS256"},"claims":{"aud":"https://api.exchange.example","exp":1795348740,"iat":1795348560,"jti":"x","sub":"order-router"}},` +
		`"request":{"method":"GET","url":"https://api.exchange.example/v1/orders","headers":{"authorization":"Bearer [jwt]"}}`
	// 1795348740 is 2026-11-22T11:59:00Z.
	accepted := `{"time":"2026-11-22T11:58:00Z","id":"a",` + same + `,"response":{"status":200}}`
	refused := `{"time":"2026-11-22T11:59:30Z","id":"b",` + same + `,"response":{"status":401}}`
	cause := func(body string) classify.Code {
		got := s.do(t, ask{method: "POST", path: "/api/v1/classify", who: "read", body: body})
		var out classifyJSON
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || len(out.Data) != 1 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return out.Data[0].Cause
	}
	if got := cause(accepted + "\n" + refused); got != classify.ExpiredMidSession {
		t.Errorf("after a success: %s", got)
	}
	if got := cause(refused); got != classify.TokenExpired {
		t.Errorf("alone: %s", got)
	}
}
