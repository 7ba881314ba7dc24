package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// hostile are strings that became markup, script or another reading elsewhere.
func hostile() []string {
	return []string{
		`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `</title></textarea><svg/onload=alert(1)>`, "javascript:alert(1)",
		`{{.User}}{{template "x"}}`, "\u202egnp.exe\u0000\u001b[2J", "<!--<script>", "data:text/html,<script>alert(1)</script>", `" autofocus onfocus="alert(1)`, "../../../../etc/passwd%00",
		strings.Repeat("A", 20000), "\u2028\u2029</pre>",
	}
}

// hostileFailure has the same string wherever log text can reach a page.
func hostileFailure(at time.Time, n int, text string) store.Failure {
	value := classify.ObjectOf(map[string]any{text: text, "aud": []any{text, map[string]any{text: text}}, "iss": text, "sub": text, "exp": text, "iat": json.Number("1e300"), "scope": map[string]any{text: nil}})
	body, err := json.Marshal(map[string]any{text: text})
	if err != nil {
		panic(err)
	}
	headers := classify.HeadersOf(map[string]string{text: text, "www-authenticate": text})
	rec := classify.Record{Time: at, ID: text, Service: text, ClientID: text, RequestID: text, TraceID: text, ClientIP: text, UserAgent: text, Error: text,
		Request:         &classify.Request{Method: text, URL: text, Headers: headers, Body: body},
		Response:        &classify.Response{Status: 401, Headers: headers, Body: body},
		ClientAssertion: &classify.JWT{Header: value, Claims: value, Malformed: text}, AccessToken: &classify.JWT{Header: value, Claims: value}}
	stored, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	return store.Failure{
		Source: "test", RecordID: fmt.Sprint("hostile", n), ReceivedAt: at, RequestID: text, TraceID: text, Service: text, Endpoint: text, Method: text, URL: text, Status: 401, Record: stored,
		Verdict: classify.Verdict{Time: at, Provider: text, Environment: text, ClientID: text, Phase: classify.APICall, Cause: classify.Unclassified,
			Confidence: classify.Inferred, Fault: classify.FaultUnknown, Summary: text,
			Evidence:     []classify.Evidence{{Witness: classify.WitnessToken, Path: text, Observed: text, Expected: []string{text}, Detail: text, Cause: classify.Code(text)}},
			Checks:       []*classify.Check{{Check: text, Result: classify.Fail, Path: "client_assertion.claims.iss", Detail: text}},
			Alternatives: []classify.Alternative{{Cause: classify.Code(text), Confidence: classify.Inferred}},
			Fix:          classify.Fix{Edits: []classify.Edit{{Op: text, Path: text, Value: text}}, NotCheckable: []string{text}, Steps: []string{text}}},
	}
}

func TestPages_HostileTextStaysText(t *testing.T) {
	s := newSite(t)
	var list []store.Failure
	for n, text := range hostile() {
		list = append(list, hostileFailure(s.now.Add(-time.Duration(n+1)*time.Minute), n, text))
	}
	s.write(t, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Claim(ctx, s.now, []store.Delivery{{Source: "test", Key: "1"}}); err != nil {
			return err
		}
		return tx.AddFailures(ctx, list)
	})
	paths := []string{"/", "/failures", "/incidents?state=all", "/clients", "/environments", "/causes/unclassified", "/live?since=1.0", "/live?q=" + url.QueryEscape(`-client:"<script>alert(1)</script>"`)}
	for _, f := range list {
		paths = append(paths, "/failures/"+f.ID, "/incidents/"+f.IncidentID, "/incidents/"+f.IncidentID+"/over")
		paths = append(paths, "/incidents?client="+url.QueryEscape(f.Verdict.ClientID[:min(len(f.Verdict.ClientID), 200)]))
	}
	for _, c := range regexp.MustCompile(`href="(/clients/[^"]+)"`).FindAllStringSubmatch(s.page(t, "/clients", "session viewer"), -1) {
		paths = append(paths, c[1])
	}
	for _, path := range paths {
		body := s.page(t, path, "session responder")
		body = regexp.MustCompile(`\svalue="[^"]*"`).ReplaceAllString(body, "") // of a form's field: it has to come back as it is
		for _, raw := range []string{"<script>", "<img", "<svg/", "<!--", "\u202e", "\u0000", "\u001b", "onfocus=\""} {
			if strings.Contains(body, raw) {
				t.Errorf("%.60s holds %q unescaped", path, raw)
			}
		}
	}
	if len(paths) < 40 {
		t.Errorf("only %d pages were read", len(paths))
	}
}
