package ingest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"

	"authwatch/classify"

	"github.com/golang-jwt/jwt/v5"
)

// WithProfiles returns a redactor that, before it drops the signature of a raw token, verifies it against the JWKS
// file of the token's profile, where the profile names one.
func (r *Redactor) WithProfiles(profiles classify.Profiles) (*Redactor, error) {
	v := &verifier{classifier: classify.New(profiles, nil), keys: map[string][]publicKey{}}
	for _, p := range profiles {
		if p.JWKSFile == "" {
			continue
		}
		data, err := os.ReadFile(p.JWKSFile)
		if err != nil {
			return nil, fmt.Errorf("read jwks_file of profile %s: %w", p.ID, err)
		}
		if v.keys[p.ID], err = parseJWKS(data); err != nil {
			return nil, fmt.Errorf("read jwks_file of profile %s: %w", p.ID, err)
		}
	}
	out := *r
	out.verifier = v
	return &out, nil
}

// A verifier knows the public keys of profiles.
type verifier struct {
	classifier *classify.Classifier
	keys       map[string][]publicKey // by profile
}

type publicKey struct {
	kid string
	key crypto.PublicKey
}

// check returns valid, invalid, or "" when it cannot be told: no keys, a kid that is not among them, an algorithm that
// does not fit. A key set may be older than the token, so only a key of the token's own kid proves a signature wrong.
func (v *verifier) check(rec *classify.Record, t rawToken) string {
	if len(v.keys) == 0 {
		return ""
	}
	keys := v.keys[v.classifier.Locate(rec).Profile.ID]
	alg, _ := t.jwt.Header.Get("alg").(string)
	method := jwt.GetSigningMethod(alg)
	if len(keys) == 0 || method == nil || strings.HasPrefix(alg, "HS") || alg == "none" {
		return ""
	}
	at := strings.LastIndexByte(t.text, '.')
	signature, err := segmentBytes(t.text[at+1:])
	if err != nil {
		return ""
	}
	kid, _ := t.jwt.Header.Get("kid").(string)
	for _, k := range keys {
		if kid != "" && k.kid != kid {
			continue
		}
		switch err := method.Verify(t.text[:at], signature, k.key); {
		case err == nil:
			return "valid"
		case kid != "" && !errors.Is(err, jwt.ErrInvalidKeyType) && !errors.Is(err, jwt.ErrInvalidKey):
			return "invalid"
		}
	}
	return ""
}

// parseJWKS reads the RSA, EC and OKP keys of a JWK set (RFC 7517); other keys are passed over.
func parseJWKS(data []byte) ([]publicKey, error) {
	var set struct {
		Keys []struct {
			KTY, KID, CRV, N, E, X, Y string
		}
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, errors.New("not a JWK set")
	}
	var out []publicKey
	for _, k := range set.Keys {
		var key crypto.PublicKey
		switch k.KTY {
		case "RSA":
			key = rsaKey(k.N, k.E)
		case "EC":
			key = ecKey(k.CRV, k.X, k.Y)
		case "OKP":
			if x, err := segmentBytes(k.X); err == nil && k.CRV == "Ed25519" && len(x) == ed25519.PublicKeySize {
				key = ed25519.PublicKey(x)
			}
		}
		if key != nil {
			out = append(out, publicKey{kid: k.KID, key: key})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no RSA, EC or Ed25519 key in the JWK set")
	}
	return out, nil
}

func rsaKey(n, e string) crypto.PublicKey {
	modulus, err1 := segmentBytes(n)
	exponent, err2 := segmentBytes(e)
	if err1 != nil || err2 != nil || len(modulus) == 0 || len(modulus) > 2048 || len(exponent) > 4 {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}
}

func ecKey(crv, x, y string) crypto.PublicKey {
	var curve elliptic.Curve
	switch crv {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil
	}
	size := (curve.Params().BitSize + 7) / 8
	xs, err1 := segmentBytes(x)
	ys, err2 := segmentBytes(y)
	if err1 != nil || err2 != nil || len(xs) > size || len(ys) > size {
		return nil
	}
	point := make([]byte, 1+2*size)
	point[0] = 4
	copy(point[1+size-len(xs):], xs)
	copy(point[1+2*size-len(ys):], ys)
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil
	}
	return key
}
