package classify

import (
	"strings"
	"testing"
)

func TestAccount(t *testing.T) {
	for _, tt := range []struct {
		name, path, account string
		want                Code
	}{
		{"another account", "/v1/accounts/acc_7731/orders", "acc_9018", AccountAccessDenied},
		{"its own account", "/v1/accounts/acc_9018/orders", "acc_9018", ScopeGap},
		{"another name in an unusual collection", "/rest/schools/kiel-04/members", "cowes-11", AccountAccessDenied},
		{"the redactor kept the type of the claim alone", "/v1/accounts/acc_7731/orders", "string(8)", AccountAccessDenied},
		{"nothing in the route is an account", "/v1/orders/7731", "string(8)", ScopeGap},
		{"an order's number is no account", "/v1/orders/7731", "9018", ScopeGap},
	} {
		t.Run(tt.name, func(t *testing.T) {
			record := strings.NewReplacer("PATH", tt.path, "ACCOUNT", tt.account).Replace(`{"time":"2026-11-20T14:03:20Z","provider":"strict",
				"request":{"method":"GET","url":"https://api.example.comPATH","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":403,"body":"Forbidden"},
				"access_token":{"header":{"alg":"RS256"},"claims":{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795183690,"scope":"a","account_id":"ACCOUNT"}}}`)
			p := strictProfile()
			p.Scopes = nil
			v := Classify(Profiles{p}.Locate(recordOf(t, record)), nil)
			if v.Cause != tt.want || v.Confidence == Proven {
				t.Errorf("%s (%s), want %s, not proven: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}
