package classify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"authwatch/classify"
	"authwatch/classify/profile"
)

// seedRows lists what the two documents that authwatch grew from name, row by row: the troubleshooting page of the
// exchange and the error table of the health API. Each fixture says on its first line which row it stands for.
func seedRows() []string {
	return []string{
		"exchange: 401, token in the Authorization header",
		"exchange: 401, token expired after 180 seconds",
		"exchange: 401, format is Bearer eyJ…",
		"exchange: 401, issued by the Auth0 domain of your environment",
		"exchange: 403, which scopes the token has",
		"exchange: 403, which scope the endpoint requires",
		"exchange: 403, scopes are space-separated in the scope claim",
		"exchange: invalid_client, private key does not match the registered public key",
		"exchange: invalid_client, wrong private key file",
		"exchange: invalid_client, private key file corrupted or in an invalid format",
		"exchange: invalid_client_assertion, wrong aud (the API URL)",
		"exchange: invalid_client_assertion, expired exp",
		"exchange: invalid_client_assertion, missing required claims (iss, sub, aud, iat, exp, jti)",
		"exchange: invalid_client_assertion, reused jti",
		"exchange: invalid_client_assertion, wrong signing algorithm (must be RS256)",
		"exchange: wrong environment credentials, invalid_client errors",
		"exchange: wrong environment credentials, 401 on API calls",
		"exchange: wrong environment credentials, token works in one environment but not another",
		"exchange: table of environments, auth domain",
		"exchange: table of environments, API audience",
		"exchange: cannot reuse keys, the same private key in multiple environments",
		"exchange: cannot reuse keys, preprod credentials in production",
		"exchange: cannot reuse keys, transferred Client IDs",
		"exchange: token works sometimes but not others (expiring mid-session)",
		"exchange: token expired immediately after creation (system clock)",
		"exchange: wrong audience claim",
		"exchange: reused JTI",
		"exchange: authorization, specific trading accounts",
		"exchange: authorization, certain endpoints (missing scopes)",
		"exchange: authorization, certain actions (insufficient permissions)",
		"exchange: wrong key format, DER",
		"exchange: wrong key format, JWK",
		"exchange: wrong algorithm, other than RS256",
		"exchange: wrong algorithm, HS256",
		"exchange: no authentication failure",
		"health: blank error_description, aud",
		"health: blank error_description, alg",
		"health: blank error_description, jti",
		"health: blank error_description, iat",
		"health: blank error_description, every value correct",
		"health: x-www-form-urlencoded content-type required",
		"health: Missing grant_type parameter",
		"health: The grant_type parameter should equal 'client_credentials'",
		"health: Missing client assertion type",
		"health: Invalid client assertion type",
		"health: Missing client assertion",
		"health: JWT header kid property is required",
		"health: Public key not found, check client_id, kid and Redox dashboard settings, (a) client_id from iss",
		"health: Public key not found, check client_id, kid and Redox dashboard settings, (b) public keys from the JWKS URL or dashboard",
		"health: Public key not found, check client_id, kid and Redox dashboard settings, (c) kid of the JWT header",
		"health: Unexpected X claim value, iss",
		"health: Unexpected X claim value, sub",
		"health: Unexpected X claim value, jti",
		"health: Unexpected X claim value, aud",
		"health: Unexpected X claim value, typ",
		"health: X claim timestamp check failed, iat",
		"health: X claim timestamp check failed, iat (it should be in the past)",
		"health: X claim timestamp check failed, iat (too far in the past)",
		"health: X claim timestamp check failed, nbf",
		"health: X claim timestamp check failed, exp",
		"health: JWTs must have three components",
		"health: JWT is malformed",
		"health: no authentication failure",
	}
}

// A seedCase is one fixture: records in the order in which they arrive, of which the last is judged.
type seedCase struct {
	row     string
	records []classify.Record
	want    map[string]string
}

func readSeed(t *testing.T, path string) seedCase {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(archive.Comment), "\n")
	row, ok := strings.CutPrefix(first, "# row: ")
	if !ok || len(archive.Files) != 2 {
		t.Fatalf("%s needs a first line \"# row: …\" and two files", path)
	}
	c := seedCase{row: row, want: map[string]string{}}
	dec := json.NewDecoder(strings.NewReader(string(archive.Files[0].Data)))
	for {
		var r classify.Record
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		c.records = append(c.records, r)
	}
	for line := range strings.Lines(string(archive.Files[1].Data)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !slices.Contains([]string{"cause", "confidence", "fault", "evidence", "fix", "edit"}, name) {
			t.Fatalf("%s: line %q", path, line)
		}
		c.want[name] = value
	}
	return c
}

// judgeLast runs the records in order, as the pipeline does: look up history, judge, then remember.
func judgeLast(profiles classify.Profiles, records []classify.Record) (classify.Exchange, classify.Verdict) {
	history := classify.History{}
	var e classify.Exchange
	var v classify.Verdict
	for i := range records {
		e = profiles.Locate(&records[i])
		v = classify.Classify(e, lookup(history, e.Keys()))
		history.Observe(e.Facts())
	}
	return e, v
}

// Every failure, symptom and cause that the two documents name is recognised and explained, and what is no failure raises nothing.
func TestSeeds(t *testing.T) {
	profiles, err := profile.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("testdata/seeds/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			c := readSeed(t, path)
			covered[c.row] = true
			e, v := judgeLast(profiles, c.records)
			checkSeed(t, c, e, v)
		})
	}
	want := seedRows()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(covered)); !slices.Equal(got, want) {
		t.Errorf("fixtures cover\n%s\nthe documents have\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func checkSeed(t *testing.T, c seedCase, e classify.Exchange, v classify.Verdict) {
	t.Helper()
	if c.want["cause"] == "none" {
		if e.Outcome == classify.Failed {
			t.Errorf("raised %s: %s", v.Cause, v.Summary)
		}
		return
	}
	if e.Outcome != classify.Failed {
		t.Fatalf("outcome %s, want a failure of cause %s", e.Outcome, c.want["cause"])
	}
	if e.Environment == "" {
		t.Error("the environment is not told by the host")
	}
	if got := string(v.Cause); got != c.want["cause"] {
		t.Errorf("cause %s (%s), want %s; alternatives %v; %s", got, v.Confidence, c.want["cause"], v.Alternatives, v.Summary)
		return
	}
	if v.Summary == "" {
		t.Error("no summary")
	}
	if want := c.want["confidence"]; want != "" && string(v.Confidence) != want {
		t.Errorf("confidence %s, want %s", v.Confidence, want)
	}
	if string(v.Fault) != c.want["fault"] {
		t.Errorf("fault %s, want %s", v.Fault, c.want["fault"])
	}
	if want := c.want["evidence"]; want != "" && !slices.ContainsFunc(v.Evidence, func(e classify.Evidence) bool {
		return e.Path == want && e.Cause == v.Cause
	}) {
		t.Errorf("no evidence for %s at %s in %s", v.Cause, want, asJSON(v.Evidence))
	}
	if steps := strings.Join(v.Fix.Steps, "\n"); !strings.Contains(steps, c.want["fix"]) {
		t.Errorf("the fix does not say %q:\n%s", c.want["fix"], steps)
	}
	if want := c.want["edit"]; want != "" && !slices.ContainsFunc(v.Fix.Edits, func(e classify.Edit) bool {
		return fmt.Sprintf("%s = %v", e.Path, e.Value) == want
	}) {
		t.Errorf("no edit %q in %s", want, asJSON(v.Fix.Edits))
	}
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// The remedies of the two documents, each under the cause that it belongs to. An on-call engineer must find them in the
// catalogue even when the fixture of a cause shows another one.
func TestSeeds_Remedies(t *testing.T) {
	tests := []struct {
		code     classify.Code
		provider string
		phrase   string
	}{
		{classify.MissingToken, "", "Authorization: Bearer <token>"},
		{classify.MissingToken, "polymarket", "/v1/accounts/whoami"},
		{classify.TokenExpired, "polymarket", "Request a new one from Auth0 and retry"},
		{classify.TokenExpired, "polymarket", "180 seconds (3 minutes)"},
		{classify.MalformedAuthorizationHeader, "polymarket", "Bearer eyJ"},
		{classify.WrongIssuer, "polymarket", "Auth0 domain of your environment"},
		{classify.ScopeGap, "polymarket", "Decode your access token"},
		{classify.ScopeGap, "polymarket", "verify that the endpoint requires a scope you have"},
		{classify.ScopeGap, "polymarket", "Contact support to request additional scopes for your Client ID"},
		{classify.ScopeFormat, "polymarket", "\"read:orders write:orders\""},
		{classify.KeyMismatch, "polymarket", "matches the public key you submitted during onboarding"},
		{classify.KeyMismatch, "polymarket", "re-onboard with the correct public key"},
		{classify.WrongAudience, "polymarket", "NOT the API URL"},
		{classify.MissingClaim, "polymarket", "jwt.decode(your_assertion, options={\"verify_signature\": False})"},
		{classify.MissingClaim, "polymarket", "iss, sub, aud, iat, exp, jti"},
		{classify.MalformedJWT, "polymarket", "cut -d. -f2 | base64 -d | jq"},
		{classify.WrongEnvironment, "polymarket", "separate key pairs, Client IDs, Auth0 domains and API audiences"},
		{classify.WrongEnvironment, "polymarket", "pmx-dev01.us.auth0.com with https://api.dev01.polymarketexchange.com"},
		{classify.WrongEnvironment, "polymarket", "pmx-preprod.us.auth0.com with https://api.preprod.polymarketexchange.com"},
		{classify.WrongEnvironment, "polymarket", "pmx-prod.us.auth0.com with https://api.polymarketexchange.com"},
		{classify.KeyReusedAcrossEnvironments, "polymarket", "complete separate onboarding"},
		{classify.KeyReusedAcrossEnvironments, "polymarket", "transfer Client IDs between environments"},
		{classify.ExpiredMidSession, "", "buffer of 30 seconds"},
		{classify.ExpiredMidSession, "polymarket", "token_expiry = time.time() + 180"},
		{classify.ClockSkew, "", "NTP"},
		{classify.ClockSkew, "polymarket", "Run date, compare with the actual time"},
		{classify.JTIReuse, "polymarket", "str(uuid.uuid4())"},
		{classify.AccountAccessDenied, "polymarket", "specific trading account"},
		{classify.InsufficientPermissions, "polymarket", "authorization issue"},
		{classify.BadKeyFormat, "polymarket", "PEM format"},
		{classify.BadKeyFormat, "", "openssl rsa -inform DER -in key.der -out key.pem"},
		{classify.WrongAlgorithm, "polymarket", "You must use RS256 (RSA with SHA-256)"},
		{classify.InvalidTokenRequest, "polymarket", "Test with curl"},
		{classify.Unclassified, "polymarket", "environment (dev, preprod, prod), Client ID, error messages and decoded JWT claims (never share your private key)"},

		{classify.Unclassified, "redox", "confirm that all parameter values (aud, alg, jti) are correct"},
		{classify.WrongContentType, "redox", "application/x-www-form-urlencoded"},
		{classify.InvalidGrantType, "redox", "grant_type set to client_credentials"},
		{classify.InvalidAssertionType, "redox", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		{classify.MissingAssertion, "redox", "client_assertion with the value of your signed assertion"},
		{classify.MissingKID, "redox", "several public keys and key rotation"},
		{classify.UnknownKey, "redox", "JWKS URL or the dashboard"},
		{classify.UnknownKey, "redox", "Save Changes"},
		{classify.InvalidClaim, "redox", "iss, sub, jti, aud or typ"},
		{classify.AssertionTooOld, "redox", "within the past 5 minutes"},
		{classify.ClockSkew, "redox", "10 seconds of clock skew"},
		{classify.ClockSkew, "redox", "Check that the system clock works as expected"},
		{classify.MalformedJWT, "redox", "JWTs must have three components"},
	}
	for _, tt := range tests {
		cause, ok := classify.Lookup(tt.code)
		if !ok {
			t.Errorf("no row for %s", tt.code)
			continue
		}
		steps := cause.Fix
		for _, at := range cause.FixAt {
			if at.Provider == tt.provider {
				steps = at.Steps
			}
		}
		if !strings.Contains(strings.Join(steps, "\n"), tt.phrase) {
			t.Errorf("%s at %q does not say %q", tt.code, tt.provider, tt.phrase)
		}
	}
}
