package classify

// snippetSource is the template of a language. Every value in it goes through text or shell; the comments hold none.
func snippetSource(language string) (string, bool) {
	switch language {
	case "curl":
		return snippetCurl, true
	case "python":
		return snippetPython, true
	case "node":
		return snippetNode, true
	case "go":
		return snippetGo, true
	case "java":
		return snippetJava, true
	}
	return "", false
}

const snippetCurl = `#!/bin/sh
# Needs openssl{{if eq .Family "ES"}}, xxd{{end}} and curl.
set -eu
b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

now=$(date +%s)
header={{shell (printf "{%s}" (object .FullHeader))}}
claims=$(printf '{%s,"jti":"%s",{{if .NotBefore}}"nbf":%d,{{end}}"iat":%d,"exp":%d}' \
  {{shell (object .Claims)}} \
  "$(openssl rand -hex 16)" {{if .NotBefore}}"$now" {{end}}"$now" "$((now + {{.Lifetime}}))")
unsigned=$(printf %s "$header" | b64url).$(printf %s "$claims" | b64url)
{{- if eq .Family "ES"}}
signature=$(printf %s "$unsigned" | openssl dgst -sha{{.Bits}} -sign private_key.pem | openssl asn1parse -inform DER |
  sed -n 's/.*INTEGER *://p' | while read -r n; do printf '%{{.HalfSignature}}s' "$n" | tr ' ' 0; done | xxd -r -p | b64url)
{{- else}}
signature=$(printf %s "$unsigned" | openssl dgst -sha{{.Bits}} -sign private_key.pem
{{- if eq .Family "PS"}} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest{{end}} | b64url)
{{- end}}

{{if .JSON -}}
curl {{shell .Endpoint}} -H 'Content-Type: application/json' \
  --data "$(printf '{"grant_type":"client_credentials","client_assertion_type":"%s","client_assertion":"%s"%s}' \
    urn:ietf:params:oauth:client-assertion-type:jwt-bearer "$unsigned.$signature" {{if .Body}}{{shell (printf ",%s" (object .Body))}}{{else}}''{{end}})"
{{else -}}
curl {{shell .Endpoint}} \
  --data-urlencode grant_type=client_credentials \
  --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
{{- range .Body}}
  --data-urlencode {{shell (printf "%s=%s" .Name .Value)}} \
{{- end}}
  --data-urlencode "client_assertion=$unsigned.$signature"
{{end}}`

const snippetPython = `# pip install "pyjwt[crypto]" requests
import time
import uuid

import jwt
import requests

with open("private_key.pem") as file:
    key = file.read()
now = int(time.time())
assertion = jwt.encode(
    {
{{- range .Claims}}
        {{text .Name}}: {{text .Value}},
{{- end}}
        "jti": str(uuid.uuid4()),  # a new one for each request
{{- if .NotBefore}}
        "nbf": now,
{{- end}}
        "iat": now,
        "exp": now + {{.Lifetime}},
    },
    key,
    algorithm={{text .Algorithm}},
{{- if .Header}}
    headers={ {{- range $i, $m := .Header}}{{if $i}}, {{end}}{{text $m.Name}}: {{text $m.Value}}{{end -}} },
{{- end}}
)
response = requests.post(
    {{text .Endpoint}},
    {{if .JSON}}json{{else}}data{{end}}={
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
{{- range .Body}}
        {{text .Name}}: {{text .Value}},
{{- end}}
    },
    timeout=10,
)
if not response.ok:
    raise SystemExit(f"{response.status_code} {response.text}")
access_token = response.json()["access_token"]
`

const snippetNode = `// npm install jose; run as an ES module
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { SignJWT, importPKCS8 } from "jose";

const key = await importPKCS8(await readFile("private_key.pem", "utf8"), {{text .Algorithm}});
const now = Math.floor(Date.now() / 1000);
const assertion = await new SignJWT({
{{- range .Claims}}
  {{text .Name}}: {{text .Value}},
{{- end}}
  jti: randomUUID(), // a new one for each request
{{- if .NotBefore}}
  nbf: now,
{{- end}}
  iat: now,
  exp: now + {{.Lifetime}},
})
  .setProtectedHeader({ {{- range $i, $m := .FullHeader}}{{if $i}},{{end}} {{text $m.Name}}: {{text $m.Value}}{{end}} })
  .sign(key);

const response = await fetch({{text .Endpoint}}, {
  method: "POST",
  headers: { "Content-Type": {{if .JSON}}"application/json"{{else}}"application/x-www-form-urlencoded"{{end}} },
  body: {{if .JSON}}JSON.stringify({{else}}new URLSearchParams({{end}}{
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
{{- range .Body}}
    {{text .Name}}: {{text .Value}},
{{- end}}
  }),
});
if (!response.ok) throw new Error(` + "`${response.status} ${await response.text()}`" + `);
const { access_token } = await response.json();
`

const snippetGo = `// go get github.com/golang-jwt/jwt/v5
package main

import (
	{{- if .JSON}}
	"bytes"
	{{- end}}
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	{{- if not .JSON}}
	"net/url"
	{{- end}}
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	pem, err := os.ReadFile("private_key.pem")
	if err != nil {
		log.Fatal(err)
	}
	key, err := jwt.Parse{{if eq .Family "ES"}}EC{{else if eq .Family "Ed"}}Ed{{else}}RSA{{end}}PrivateKeyFromPEM(pem)
	if err != nil {
		log.Fatal(err)
	}
	now := time.Now().Unix()
	token := jwt.NewWithClaims(jwt.SigningMethod{{.Algorithm}}, jwt.MapClaims{
		{{- range .Claims}}
		{{text .Name}}: {{text .Value}},
		{{- end}}
		"jti": rand.Text(), // a new one for each request
		{{- if .NotBefore}}
		"nbf": now,
		{{- end}}
		"iat": now,
		"exp": now + {{.Lifetime}},
	})
	{{- range .Header}}
	token.Header[{{text .Name}}] = {{text .Value}}
	{{- end}}
	assertion, err := token.SignedString(key)
	if err != nil {
		log.Fatal(err)
	}
	{{- if .JSON}}
	body, err := json.Marshal(map[string]string{
		"grant_type":            "client_credentials",
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		"client_assertion":      assertion,
		{{- range .Body}}
		{{printf "%-25s" (printf "%s:" (text .Name))}}{{text .Value}},
		{{- end}}
	})
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.Post({{text .Endpoint}}, "application/json", bytes.NewReader(body))
	{{- else}}
	response, err := http.PostForm({{text .Endpoint}}, url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
		{{- range .Body}}
		{{printf "%-25s" (printf "%s:" (text .Name))}}{ {{- text .Value -}} },
		{{- end}}
	})
	{{- end}}
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string ` + "`json:\"access_token\"`" + `
		Error       string ` + "`json:\"error\"`" + `
		Description string ` + "`json:\"error_description\"`" + `
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		log.Fatal(response.Status, " ", answer.Error, " ", answer.Description)
	}
}
`

const snippetJava = `// The JDK alone is enough, 17 or later. The key in PKCS#8: openssl pkcs8 -topk8 -nocrypt
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.Signature;
{{- if eq .Family "PS"}}
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
{{- end}}
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.UUID;

public class TokenRequest {
    public static void main(String[] args) throws Exception {
        String pem = Files.readString(Path.of("private_key.pem")).replaceAll("-----[A-Z ]+-----|\\s", "");
        var key = KeyFactory.getInstance("{{.JavaKey}}")
            .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        long now = System.currentTimeMillis() / 1000;
        String header = {{text (printf "{%s}" (object .FullHeader))}};
        String claims = {{text (printf "{%s" (object .Claims))}}
            + ",\"jti\":\"" + UUID.randomUUID() + "\"" // a new one for each request
{{- if .NotBefore}}
            + ",\"nbf\":" + now
{{- end}}
            + ",\"iat\":" + now + ",\"exp\":" + (now + {{.Lifetime}}) + "}";
        String unsigned = base64url(header.getBytes(StandardCharsets.UTF_8)) + "." + base64url(claims.getBytes(StandardCharsets.UTF_8));
        var signature = Signature.getInstance("{{.JavaSignature}}");
{{- if eq .Family "PS"}}
        signature.setParameter(new PSSParameterSpec("SHA-{{.Bits}}", "MGF1", MGF1ParameterSpec.SHA{{.Bits}}, {{.Bits}} / 8, 1));
{{- end}}
        signature.initSign(key);
        signature.update(unsigned.getBytes(StandardCharsets.US_ASCII));
        String assertion = unsigned + "." + base64url(signature.sign());

{{- if .JSON}}
        String body = "{\"grant_type\":\"client_credentials\""
            + ",\"client_assertion_type\":\"urn:ietf:params:oauth:client-assertion-type:jwt-bearer\""
{{- if .Body}}
            + {{text (printf ",%s" (object .Body))}}
{{- end}}
            + ",\"client_assertion\":\"" + assertion + "\"}";
{{- else}}
        String body = "grant_type=client_credentials"
            + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
{{- range .Body}}
            + {{text (parameter .)}}
{{- end}}
            + "&client_assertion=" + assertion;
{{- end}}
        var response = HttpClient.newHttpClient().send(
            HttpRequest.newBuilder(URI.create({{text .Endpoint}}))
                .header("Content-Type", {{if .JSON}}"application/json"{{else}}"application/x-www-form-urlencoded"{{end}})
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(response.statusCode() + " " + response.body());
        }
        String answer = response.body(); // its access_token is the token
    }

    private static String base64url(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }
}
`
