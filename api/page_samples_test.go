package api

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// wrongAudience is a whole failure: record, three witnesses, checks and a verified fix.
func wrongAudience(at time.Time) store.Failure {
	const audience, endpoint = "https://api.preprod.exchange.example", "https://auth.preprod.exchange.example/oauth/token"
	iat := at.Add(-4 * time.Second).Unix()
	rec := classify.Record{
		Time: at, ID: "gw-81f2", RequestID: "req-shared", Service: "order-router", ClientID: "orders-bot", UserAgent: "orders/4.2 go-http-client/2.0", ClientIP: "10.2.0.14",
		Request: &classify.Request{Method: "POST", URL: endpoint, Headers: classify.HeadersOf(map[string]string{"content-type": "application/json", "accept": "*/*"}),
			Body: classify.Body(`{"grant_type":"client_credentials","client_assertion":"[jwt]","audience":"` + audience + `"}`)},
		Response: &classify.Response{Status: 401, Headers: classify.HeadersOf(map[string]string{"content-type": "application/json"}),
			Body: classify.Body(`{"error":"invalid_client","error_description":"Client authentication failed"}`)},
		ClientAssertion: &classify.JWT{
			Header: classify.ObjectOf(map[string]any{"alg": "RS256", "kid": "orders-2026-10", "typ": "JWT"}),
			Claims: classify.ObjectOf(map[string]any{"iss": "orders-bot", "sub": "orders-bot", "aud": audience, "iat": json.Number(fmt.Sprint(iat)),
				"exp": json.Number(fmt.Sprint(iat + 300)), "jti": "0f9c1c8e-6a35-4a51-9d0e-1f1b7f1b2f77"}),
		},
	}
	stored, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	const path = "client_assertion.claims.aud"
	return store.Failure{
		Source: "test", RecordID: fmt.Sprint("aud-", at.UnixMilli()), ReceivedAt: at.Add(time.Second), RequestID: rec.RequestID, Service: rec.Service,
		Endpoint: "POST auth.preprod.exchange.example/oauth/token", Method: "POST", URL: endpoint, Status: 401, Record: stored,
		Verdict: classify.Verdict{
			Time: at, Provider: "exchange", Environment: "preprod", ClientID: "orders-bot", Phase: classify.TokenRequest,
			Cause: classify.WrongAudience, Confidence: classify.Proven, Fault: classify.FaultClient,
			Summary: "aud is the API URL " + audience + "; the token endpoint expects " + endpoint + ".",
			Evidence: []classify.Evidence{
				{Witness: classify.WitnessToken, Path: path, Observed: audience, Expected: []string{endpoint}, Detail: "The assertion names the API as its audience, not the token endpoint.", Cause: classify.WrongAudience},
				{Witness: classify.WitnessResponse, Path: "response.body.error", Observed: "invalid_client", Detail: "The server says that it could not authenticate the client, and nothing more.", Cause: classify.KeyMismatch},
			},
			Checks: []*classify.Check{
				{Check: "audience", Result: classify.Fail, Path: path, Detail: "is the API's URL of preprod"},
				{Check: "algorithm", Result: classify.Pass, Path: "client_assertion.header.alg", Detail: "RS256 is allowed"},
				{Check: "expiry", Result: classify.Pass, Path: "client_assertion.claims.exp", Detail: "ahead of the request"},
				{Check: "issued_at", Result: classify.Pass, Path: "client_assertion.claims.iat", Detail: "4 s before the request"},
				{Check: "signature", Result: classify.NotCheckable, Detail: "the profile names no keys"},
			},
			Alternatives: []classify.Alternative{{Cause: classify.KeyMismatch, Confidence: classify.Inferred}},
			Fix: classify.Fix{Edits: []classify.Edit{{Op: "replace", Path: path, Value: endpoint}}, Verified: true, NotCheckable: []string{"signature"},
				Steps: []string{"Set aud to the token endpoint of preprod when the assertion is built.", "Leave the form's audience as it is: it names the API that the access token is for."}},
		},
	}
}

// plainFailure is a failure with little to it.
func plainFailure(at time.Time, cause classify.Code, environment, client string, c classify.Confidence, fault classify.Fault) store.Failure {
	row, _ := classify.Lookup(cause)
	return store.Failure{
		Source: "test", RecordID: fmt.Sprint(cause, client, environment, at.UnixMilli()), ReceivedAt: at, RequestID: fmt.Sprint("req-", at.UnixMilli()),
		Endpoint: "GET api.exchange.example/v1/orders/{id}", Method: "GET", URL: "https://api.exchange.example/v1/orders/77", Status: 401,
		Record: json.RawMessage(`{"time":"` + at.Format(time.RFC3339) + `","response":{"status":401,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}}}`),
		Verdict: classify.Verdict{Time: at, Provider: "exchange", Environment: environment, ClientID: client, Phase: classify.APICall, Cause: cause,
			Confidence: c, Fault: fault, Summary: row.Title + ": as the server's answer and the token show.", Evidence: []classify.Evidence{
				{Witness: classify.WitnessResponse, Path: "response.headers.www-authenticate", Observed: "invalid_token", Detail: "The challenge says invalid_token.", Cause: cause}},
			Checks: []*classify.Check{}, Alternatives: []classify.Alternative{}, Fix: classify.Fix{Steps: row.Fix}},
	}
}

// busyDays is a day up to now and the same day a week before: several causes, clients and environments, and successes.
func busyDays(now time.Time) (failures []store.Failure, traffic []store.Traffic) {
	for _, start := range []time.Time{now.Add(-week - day), now.Add(-day)} {
		thisWeek := start.After(now.Add(-2 * day))
		for m := range 24 * 12 {
			at := start.Add(time.Duration(m) * 5 * time.Minute)
			for i, client := range []string{"orders-bot", "risk-engine", "clinic-intake", "report-export"} {
				if (m+i)%3 > 0 {
					traffic = append(traffic, store.Traffic{First: at.Add(time.Duration(i) * time.Second), Last: at.Add(time.Duration(i) * time.Second), Count: 1, Provider: "exchange", Environment: "prod", ClientID: client})
				}
			}
			if m%19 == 0 {
				failures = append(failures, plainFailure(at, classify.TokenExpired, "prod", "risk-engine", classify.Proven, classify.FaultClient))
			}
			if m%31 == 5 {
				failures = append(failures, plainFailure(at, classify.ScopeGap, "prod", "report-export", classify.Stated, classify.FaultClient))
			}
			if !thisWeek {
				continue
			}
			if m > 240 {
				failures = append(failures, wrongAudience(at.Add(40*time.Second)), wrongAudience(at.Add(90*time.Second)))
			}
			if m > 130 && m < 170 && m%2 == 0 {
				failures = append(failures, plainFailure(at, classify.ProviderUnavailable, "prod", "clinic-intake", classify.Stated, classify.FaultProvider))
			}
			if m%40 < m/40 {
				failures = append(failures, plainFailure(at, classify.JTIReuse, "prod", "clinic-intake", classify.Proven, classify.FaultClient))
			}
			if m%60 == 7 {
				failures = append(failures, plainFailure(at, classify.Unclassified, "preprod", "", classify.Inferred, classify.FaultUnknown))
			}
		}
	}
	return failures, traffic
}

// addBusyDay stores busyDays.
func (s *site) addBusyDay(t *testing.T) {
	t.Helper()
	failures, traffic := busyDays(s.now)
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		var list []store.Delivery
		for _, f := range failures {
			list = append(list, store.Delivery{Source: f.Source, Key: f.RecordID})
		}
		if _, err := tx.Claim(ctx, s.now, list); err != nil {
			return err
		}
		if err := tx.AddTraffic(ctx, traffic); err != nil {
			return err
		}
		return tx.AddFailures(ctx, failures)
	})
	if err != nil {
		t.Fatal(err)
	}
}
