package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
)

// A Key is a throw-away signing key: it lives as long as the process.
type Key struct {
	KID     string
	private crypto.Signer
}

func newKey(algorithm, kid string) (Key, error) {
	var (
		private crypto.Signer
		err     error
	)
	if strings.HasPrefix(algorithm, "ES") {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return Key{}, fmt.Errorf("make key %s: %w", kid, err)
	}
	return Key{KID: kid, private: private}, nil
}

// JWK returns the public half.
func (k Key) JWK(algorithm string) (map[string]any, error) {
	jwk := map[string]any{"kid": k.KID, "use": "sig", "alg": algorithm}
	switch public := k.private.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 0x04, x, y
		if err != nil {
			return nil, fmt.Errorf("encode key %s: %w", k.KID, err)
		}
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	}
	return jwk, nil
}

func keySet(algorithm string, keys ...Key) (map[string]any, error) {
	list := []any{}
	for _, k := range keys {
		jwk, err := k.JWK(algorithm)
		if err != nil {
			return nil, err
		}
		list = append(list, jwk)
	}
	return map[string]any{"keys": list}, nil
}

// PEM returns the private half as a client's operator keeps it.
func (k Key) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", k.KID, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// sign makes a compact JWS. It is written out because a library refuses most of the faults that are wanted here: another
// alg than the key's, no alg, claims of the wrong type.
func sign(header, claims map[string]any, key Key) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encode header: %w", err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	input := b64(h) + "." + b64(c)
	signature, err := key.signature(input, header["alg"])
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", key.KID, err)
	}
	return input + "." + b64(signature), nil
}

func (k Key) signature(input string, alg any) ([]byte, error) {
	digest := sha256.Sum256([]byte(input))
	switch alg {
	case "none":
		return nil, nil
	case "HS256": // the classic confusion: the public key as the secret
		public, err := x509.MarshalPKIXPublicKey(k.private.Public())
		if err != nil {
			return nil, err
		}
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		mac.Write([]byte(input))
		return mac.Sum(nil), nil
	case "PS256":
		if private, ok := k.private.(*rsa.PrivateKey); ok {
			return rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
	case "RS512":
		if private, ok := k.private.(*rsa.PrivateKey); ok {
			hash := crypto.SHA512.New()
			hash.Write([]byte(input))
			return rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA512, hash.Sum(nil))
		}
	}
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:])
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}
	return nil, fmt.Errorf("no signature with alg %v", alg)
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
