package classify

import "testing"

// The built-in profiles are matched with the systems whose texts are documented, whatever the number and the remarks in their names.
func TestText_SaidBy(t *testing.T) {
	for _, tt := range []struct {
		system, id, title string
		want              bool
	}{
		{"GitHub Apps", "github-app", "GitHub App", true},
		{"Microsoft Entra ID", "entra", "Microsoft Entra ID (certificate credentials)", true},
		{"Google (service accounts)", "google", "Google service account", true},
		{"Apple App Store Connect", "appstoreconnect", "Apple App Store Connect", true},
		{"Sign in with Apple", "apple-signin", "Sign in with Apple", true},
		{"Salesforce (JWT bearer)", "salesforce", "Salesforce (JWT bearer)", true},
		{"Keycloak (<= 25)", "keycloak", "Keycloak (signed JWT)", true},
		{"Apple App Store Connect", "apple-signin", "Sign in with Apple", false},
		{"Okta", "", "", false},
		{"Authlib", "auth0", "Auth0 (private key JWT)", false},
		{"jose (npm, panva)", "npm", "", false}, // a remark is no name
	} {
		if got := (Text{System: tt.system}).SaidBy(tt.id, tt.title); got != tt.want {
			t.Errorf("%s by %s %q: %v", tt.system, tt.id, tt.title, got)
		}
	}
}
