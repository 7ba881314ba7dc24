package alert

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/store"
)

// A mailServer speaks as much SMTP (RFC 5321, 3207, 4954) as a submission server does.
type mailServer struct {
	address  string
	ca       string // file
	starttls bool
	refuse   string // answer to RCPT
	config   *tls.Config

	mu    sync.Mutex
	mails []sentMail
	auth  []string
}

type sentMail struct {
	from string
	to   []string
	data string
	tls  bool
}

func openMailServer(t *testing.T, starttls bool) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{address: l.Addr().String(), starttls: starttls, ca: filepath.Join(t.TempDir(), "ca.pem"),
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}
	if err := os.WriteFile(s.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer conn.Close()
	var m sentMail
	r, w := textproto.NewReader(bufio.NewReader(conn)), conn
	say := func(text string) { fmt.Fprintf(w, "%s\r\n", text) }
	say("220 mail ready")
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if s.starttls && !m.tls {
				say("250-mail\r\n250 STARTTLS")
			} else {
				say("250-mail\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(conn, s.config)
			m = sentMail{tls: true}
			r, w = textproto.NewReader(bufio.NewReader(secure)), secure
		case "AUTH":
			s.mu.Lock()
			s.auth = append(s.auth, rest)
			s.mu.Unlock()
			say("235 ok")
		case "MAIL":
			m.from = rest
			say("250 ok")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			m.to = append(m.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			data, err := r.ReadDotBytes()
			if err != nil {
				return
			}
			m.data = string(data)
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what")
		}
	}
}

func (s *mailServer) taken() []sentMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sentMail{}, s.mails...)
}

func mailReceiver(t *testing.T, s *mailServer, more string) Receiver {
	t.Helper()
	return configured(t, "receivers:\n- name: out\n  email:\n    server: "+s.address+"\n    from: authwatch@example.com\n    to: [oncall@example.com, second@example.com]\n    ca_file: "+s.ca+"\n"+more,
		map[string]string{"PASSWORD": "mail-canary"})[0]
}

func TestEmail(t *testing.T) {
	server := openMailServer(t, true)
	d := openDesk(t, mailReceiver(t, server, "    username: aw\n    password_env: PASSWORD\n"))
	incident := d.fireOne("klient-ü\r\nBcc: evil@example.com")
	d.deliver()
	if _, err := d.Store.ChangeIncident(t.Context(), incident.ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	d.deliver()
	mails := server.taken()
	if len(mails) != 2 || !mails[0].tls || mails[0].from != "FROM:<authwatch@example.com>" || len(mails[0].to) != 2 {
		t.Fatalf("%+v; log %v", mails, d.told())
	}
	if want := "PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00aw\x00mail-canary")); server.auth[0] != want {
		t.Errorf("auth %q", server.auth[0])
	}
	first, second := readMail(t, mails[0].data), readMail(t, mails[1].data)
	subject, err := new(mime.WordDecoder).DecodeHeader(first.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "FIRING [prod] klient-ü\uFFFD\uFFFDBcc: evil@example.com: ") || first.Header.Get("Bcc") != "" {
		t.Errorf("subject %q, %v", subject, err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(first.Body))
	if err != nil || !strings.Contains(string(body), "https://aw.example/i/"+incident.ID) || !strings.Contains(string(body), "Why: the jti was used before") {
		t.Errorf("%s, %v", body, err)
	}
	if first.Header.Get("References") == "" || first.Header.Get("References") != second.Header.Get("References") || !strings.Contains(second.Header.Get("Subject"), "RESOLVED") {
		t.Errorf("the end does not answer the beginning: %v", second.Header)
	}
	if strings.Contains(d.log.String(), "canary") || strings.Contains(mails[0].data, "canary") {
		t.Error("the password leaked")
	}
}

func readMail(t *testing.T, data string) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEmail_Refused(t *testing.T) {
	server := openMailServer(t, true)
	server.refuse = "550 5.1.1 no such canary"
	d := openDesk(t, mailReceiver(t, server, ""))
	if class, err := d.Test(t.Context(), "out"); err != nil || class != "smtp_550" {
		t.Errorf("%q, %v", class, err)
	}
	// A server that offers no STARTTLS, or somebody who took the offer away, gets neither password nor mail.
	plain := openMailServer(t, false)
	d = openDesk(t, mailReceiver(t, plain, "    username: aw\n    password_env: PASSWORD\n"))
	if class, err := d.Test(t.Context(), "out"); err != nil || class != "tls" || len(plain.auth) > 0 || len(plain.taken()) > 0 {
		t.Errorf("%q, %v, %v", class, err, plain.auth)
	}
	d = openDesk(t, mailReceiver(t, plain, "    tls: none\n"))
	if class, err := d.Test(t.Context(), "out"); err != nil || class != "" || len(plain.taken()) != 1 {
		t.Errorf("%q, %v", class, err)
	}
}
