package classify_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"authwatch/classify"
)

// systemsOf are the systems of texts.tsv whose words the verifier of a corpus speaks: its own and those of the library below it.
func systemsOf() map[string][]string {
	return map[string][]string{
		"express-jwt":               {"express-jwt", "jsonwebtoken (npm)"},
		"express-oauth2-jwt-bearer": {"express-oauth2-jwt-bearer (Auth0)", "jose (npm, panva)"},
		"fosite":                    {"ory/fosite (Hydra)"},
		"golang-jwt":                {"golang-jwt v5"},
		"jose":                      {"jose (npm, panva)"},
		"oidc-provider":             {"node-oidc-provider", "jose (npm, panva)"},
		"passport-jwt":              {"jsonwebtoken (npm)"},

		"fastify-jwt":       {"fastify-jwt"},
		"go-jwt-middleware": {"go-jwt-middleware (Auth0)"},
		"go-oidc":           {"coreos/go-oidc"},
		"jwx":               {"lestrrat-go/jwx v2"},
		"koa-jwt":           {"jsonwebtoken (npm)"},
		"better-auth":       {"jose (npm, panva)"},

		"aws-jwt-verify":      {"aws-jwt-verify"},
		"echo-jwt":            {"golang-jwt v5"},
		"go-jose":             {"go-jose v4"},
		"google-auth-library": {"Google (service accounts)", "google-auth (python)"},
		"jwtauth":             {"lestrrat-go/jwx v2"},
		"okta-jwt-verifier":   {"okta-jwt-verifier (js)", "Okta"},

		"authlib":            {"Authlib"},
		"flask-jwt-extended": {"flask-jwt-extended", "PyJWT"},
		"hashicorp-cap":      {"Vault JWT auth", "go-jose v4"},
		"mcp-sdk":            {"jose (npm, panva)"},
		"rack-oauth2":        {"ruby-jwt", "ForgeRock AM / OpenAM"},
		"simplejwt":          {"Django REST SimpleJWT", "PyJWT"},
	}
}

// TestLeaveOneOut scores each corpus without the documented texts of its own verifier, as if that had never been seen, beside the
// figures with all texts and with none. docs/accuracy.md holds the table. What the texts of the others and the lexicon do not carry
// over must not turn into wrong proofs or false alarms.
func TestLeaveOneOut(t *testing.T) {
	texts := classify.DocumentedTexts()
	all, none := classify.NewKnowledge(texts), classify.NewKnowledge(nil)
	for _, view := range []struct {
		name, see      string
		accepted, left float64 // least share accepted over all corpora, and most that leaving out may cost
	}{
		{"all", "all", 0.98, 0.01},
		{"response only", "response", 0.70, 0.03},
	} {
		t.Run(view.name, func(t *testing.T) {
			var with, without classify.Tally
			var table strings.Builder
			for _, name := range slices.Sorted(maps.Keys(systemsOf())) {
				others := slices.DeleteFunc(slices.Clone(texts), func(x classify.Text) bool { return slices.Contains(systemsOf()[name], x.System) })
				if len(others) == len(texts) {
					t.Fatalf("no text is of %v", systemsOf()[name])
				}
				paths, err := filepath.Glob("testdata/*/" + name + ".ndjson")
				if err != nil || len(paths) != 1 {
					t.Fatalf("corpus %s: %v %v", name, paths, err)
				}
				full, left, bare := &score{knowledge: all}, &score{knowledge: classify.NewKnowledge(others)}, &score{knowledge: none}
				for _, s := range []*score{full, left, bare} {
					s.run(t, paths[0], view.see, true)
				}
				with, without = with.Plus(full.Tally), without.Plus(left.Tally)
				fmt.Fprintf(&table, "| %s | %d | %s | %s | %s |\n", name, full.Failures, shares(full), shares(left), shares(bare))
			}
			t.Logf("\n| corpus | failures | all texts | without its own | no texts |\n|---|---|---|---|---|\n%s", table.String())
			if without.ProvenWrong > 0 || without.FalseAlarms > 0 {
				t.Errorf("%d proven and wrong, %d false alarms", without.ProvenWrong, without.FalseAlarms)
			}
			if got := without.Share(without.Accepted); got < view.accepted || got < with.Share(with.Accepted)-view.left {
				t.Errorf("accepted %.4f without the verifier's own texts, %.4f with them; want %.2f and at most %.2f less", got, with.Share(with.Accepted), view.accepted, view.left)
			}
		})
	}
}

func shares(s *score) string {
	return fmt.Sprintf("%.3f / %.3f / %d", s.Share(s.Strict), s.Share(s.Accepted), s.Wrong)
}
