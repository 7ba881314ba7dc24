package api

import (
	"strings"
	"testing"

	"authwatch/classify"
)

func TestTextsOf_GroupsAndBounds(t *testing.T) {
	var texts []classify.Text
	for system := 'a'; system < 'a'+maxTextSystems+2; system++ {
		for range maxSystemTexts + 1 {
			texts = append(texts, classify.Text{System: string(system), Text: "token expired", Cause: classify.TokenExpired, Also: []classify.Code{classify.ClockSkew}, Source: "o/n:f.go", Verbatim: true})
		}
	}
	got := textsOf(texts, classify.ClockSkew)
	if len(got.Systems) != maxTextSystems || len(got.Systems[0].Texts) != maxSystemTexts {
		t.Errorf("%d systems with %d texts", len(got.Systems), len(got.Systems[0].Texts))
	}
	if want := maxTextSystems + 2*(maxSystemTexts+1); got.Left != want {
		t.Errorf("%d left out, want %d", got.Left, want)
	}
	text := got.Systems[0].Texts[0]
	if !text.Shared || len(text.Also) != 1 || text.Also[0].Code != string(classify.TokenExpired) || text.Quoted {
		t.Errorf("text %+v", text)
	}
}

func TestSourceOf(t *testing.T) {
	for _, tt := range []struct{ source, url string }{
		{"jwt/ruby-jwt:lib/jwt/claims.rb", "https://github.com/jwt/ruby-jwt/blob/HEAD/lib/jwt/claims.rb"},
		{"https://docs.example.com/errors", "https://docs.example.com/errors"},
		{"https://a.example/x https://b.example/y", ""},
		{"quoted in a public thread", ""},
		{"javascript:alert(1)", ""},
		{"http://plain.example/x", ""},
	} {
		if got := sourceOf(tt.source); got.URL != tt.url || got.Title == "" {
			t.Errorf("%s: %+v, want URL %q", tt.source, got, tt.url)
		}
	}
}

// The page of a cause shows what servers are documented to say, and what the engine says of a recorded answer.
func TestCausePage_TextsAndExample(t *testing.T) {
	s := newSite(t)
	s.api.Knowledge = classify.NewKnowledge(classify.DocumentedTexts())
	r := &classify.Record{Time: s.now, ID: "r", Response: &classify.Response{Status: 401, Body: classify.Body(`{"error_description":"jwt audience invalid. expected: <script>"}`)}}
	s.api.Examples = map[classify.Code]Example{classify.WrongAudience: {
		Verifier: "verifier@1.2.3", Record: r, Profile: &classify.Profile{}, Verdict: classify.Classify(classify.New(nil, s.api.Knowledge).Locate(r), nil),
	}}
	page := s.page(t, "/causes/wrong_audience", "session responder")
	for _, want := range []string{"What servers say", "jwt audience invalid. expected: {audiences}", "Also:", "https://github.com/auth0/node-jsonwebtoken/blob/HEAD/verify.js", "A recorded answer of verifier@1.2.3", "more texts are known"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>") {
		t.Error("the example's text is markup")
	}
	if page := s.page(t, "/causes/key_reused_across_environments", "session responder"); strings.Contains(page, "A recorded answer") || strings.Contains(page, "What servers say") {
		t.Error("a cause without texts and without a recorded answer shows some")
	}
}

// The API tells the same, and what one provider is documented to say when it is asked for.
func TestCause_TextsAndExample(t *testing.T) {
	s := newSite(t)
	s.api.Knowledge = classify.NewKnowledge(classify.DocumentedTexts())
	r := &classify.Record{Time: s.now, ID: "r", Response: &classify.Response{Status: 401, Body: classify.Body(`{"error_description":"jwt expired"}`)}}
	s.api.Examples = map[classify.Code]Example{classify.TokenExpired: {
		Verifier: "verifier@1.2.3", Record: r, Profile: &classify.Profile{}, Verdict: classify.Classify(classify.New(nil, s.api.Knowledge).Locate(r), nil),
	}}
	type answerOf struct {
		Texts []struct {
			System string
			Usual  bool
			Also   []string
		}
		Example *struct{ Verifier string }
	}
	var all, own, none answerOf
	s.get(t, "/api/v1/causes/token_expired", &all)
	s.get(t, "/api/v1/causes/token_expired?provider=keycloak", &own)
	s.get(t, "/api/v1/causes/token_expired?provider=nobody", &none)
	if len(all.Texts) < 40 || !all.Texts[0].Usual || all.Example == nil || all.Example.Verifier != "verifier@1.2.3" {
		t.Errorf("%d texts, %+v", len(all.Texts), all.Example)
	}
	if len(own.Texts) == 0 || len(own.Texts) >= len(all.Texts) || len(none.Texts) != 0 {
		t.Errorf("%d texts of one provider, %d of nobody", len(own.Texts), len(none.Texts))
	}
	for _, text := range own.Texts {
		if !strings.HasPrefix(text.System, "Keycloak") {
			t.Errorf("keycloak says what %s does", text.System)
		}
	}
	page := s.page(t, "/causes/token_expired?provider=keycloak", "session responder")
	if first := strings.Index(page, "<dt>Keycloak"); first < 0 || first > strings.Index(page, "<dt>Microsoft.IdentityModel") && strings.Contains(page, "<dt>Microsoft.IdentityModel") {
		t.Error("the provider's own texts do not come first")
	}
}
