package ingest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authwatch/classify"

	"github.com/golang-jwt/jwt/v5"
)

func mint(t *testing.T, method jwt.SigningMethod, kid string, key any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims{"iss": "https://as.lab.test", "sub": "u", "exp": 1795316340})
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// jwks writes a JWK set with public keys and returns its path.
func jwks(t *testing.T, keys map[string]crypto.PublicKey) string {
	t.Helper()
	var list []map[string]string
	for kid, key := range keys {
		switch k := key.(type) {
		case *rsa.PublicKey:
			list = append(list, map[string]string{"kty": "RSA", "kid": kid, "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())})
		case *ecdsa.PublicKey:
			point, err := k.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			size := (len(point) - 1) / 2
			list = append(list, map[string]string{"kty": "EC", "kid": kid, "crv": k.Curve.Params().Name, "x": b64(point[1 : 1+size]), "y": b64(point[1+size:])})
		case ed25519.PublicKey:
			list = append(list, map[string]string{"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": b64(k)})
		}
	}
	list = append(list, map[string]string{"kty": "oct", "kid": "shared", "k": "c2VjcmV0"})
	data, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSignature_IsCheckedThenDropped(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	otherRSA, _ := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	edPublic, edKey, _ := ed25519.GenerateKey(rand.Reader)
	profiles := testProfile()
	profiles[0].JWKSFile = jwks(t, map[string]crypto.PublicKey{"r": &rsaKey.PublicKey, "e": &ecKey.PublicKey, "o": edPublic})
	red, err := testRedactor(t).WithProfiles(profiles)
	if err != nil {
		t.Fatal(err)
	}
	good := mint(t, jwt.SigningMethodRS256, "r", rsaKey)
	tampered := strings.Split(good, ".")
	tampered[1] = segment(`{"iss":"https://as.lab.test","sub":"root","exp":1795316340}`)
	tests := map[string]struct{ token, want string }{
		"RS256":              {good, "valid"},
		"PS256":              {mint(t, jwt.SigningMethodPS256, "r", rsaKey), "valid"},
		"ES256":              {mint(t, jwt.SigningMethodES256, "e", ecKey), "valid"},
		"EdDSA":              {mint(t, jwt.SigningMethodEdDSA, "o", edKey), "valid"},
		"no kid":             {mint(t, jwt.SigningMethodRS256, "", rsaKey), "valid"},
		"another key":        {mint(t, jwt.SigningMethodRS256, "r", otherRSA), "invalid"},
		"tampered":           {strings.Join(tampered, "."), "invalid"},
		"unknown kid":        {mint(t, jwt.SigningMethodRS256, "new", otherRSA), ""},
		"no kid, other key":  {mint(t, jwt.SigningMethodRS256, "", otherRSA), ""},
		"kid of another alg": {mint(t, jwt.SigningMethodRS256, "e", rsaKey), ""},
		"HS256, public key":  {mint(t, jwt.SigningMethodHS256, "r", rsaKey.PublicKey.N.Bytes()), ""},
		"none":               {mint(t, jwt.SigningMethodNone, "r", jwt.UnsafeAllowNoneSignatureType), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"time":"2026-11-22T03:00:00Z","request":{"url":"https://api.lab.test/v1","headers":{"authorization":"Bearer %s"}},"response":{"status":401}}`, tt.token)
			rec := decodeOne(t, red, []byte(body))
			if rec.AccessToken == nil || rec.AccessToken.Signature != tt.want {
				t.Fatalf("%+v, want %q", rec.AccessToken, tt.want)
			}
			stored, err := json.Marshal(rec)
			if err != nil {
				t.Fatal(err)
			}
			if signature := tt.token[strings.LastIndexByte(tt.token, '.')+1:]; len(signature) > 20 && strings.Contains(string(stored), signature[:20]) {
				t.Error("the signature is kept")
			}
		})
	}
}

// A sender's word that a signature was checked is not believed.
func TestSignature_IsNotTakenFromTheWire(t *testing.T) {
	rec := decodeOne(t, testRedactor(t), []byte(`{"time":"2026-11-22T03:00:00Z","access_token":{"header":{},"claims":{},"signature":"valid"},"response":{"status":401}}`))
	if rec.AccessToken.Signature != "" {
		t.Errorf("%+v", rec.AccessToken)
	}
}

func TestWithProfiles_RefusesBadKeySets(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON": "-----BEGIN", "no keys": `{"keys":[]}`, "only shared": `{"keys":[{"kty":"oct","k":"YQ"}]}`,
		"no point": `{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`, "huge exponent": `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQABAQABAQAB"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "jwks.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := testRedactor(t).WithProfiles(classify.Profiles{{ID: "p", JWKSFile: path}}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
