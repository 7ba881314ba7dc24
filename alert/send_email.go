package alert

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"authwatch/store"
)

// email speaks SMTP: with STARTTLS, with TLS from the first byte, or in clear where the operator says so.
type email struct{ settings }

// errNoTLS says that the server offers no STARTTLS: an attacker on the way may have removed the offer.
var errNoTLS = &sendError{class: "tls"}

func (r email) send(ctx context.Context, n note) error {
	body, err := r.mail(n)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*r.timeout)
	defer cancel()
	if err := r.deliver(ctx, body); err != nil {
		return mailError(err)
	}
	return nil
}

func (r email) deliver(ctx context.Context, body []byte) error {
	host, _, err := net.SplitHostPort(r.address)
	if err != nil {
		return err
	}
	conn, err := r.dialer().DialContext(ctx, "tcp", r.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	config := &tls.Config{ServerName: host, RootCAs: r.roots, MinVersion: tls.VersionTLS12}
	if r.tls == "tls" {
		conn = tls.Client(conn, config)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if r.tls == "starttls" {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return errNoTLS
		}
		if err := client.StartTLS(config); err != nil {
			return err
		}
	}
	if r.username != "" {
		if err := client.Auth(smtp.PlainAuth("", r.username, r.key.text, host)); err != nil {
			return err
		}
	}
	return r.hand(client, body)
}

func (r email) hand(client *smtp.Client, body []byte) error {
	if err := client.Mail(r.from); err != nil {
		return err
	}
	for _, to := range r.to {
		if err := client.Rcpt(to); err != nil {
			return err
		}
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = client.Quit() // the mail is taken: what becomes of the goodbye is no matter
	return nil
}

// mailError keeps the server's code and none of its words. A code from 500 on is final (RFC 5321 section 4.2.1).
func mailError(err error) error {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return &sendError{class: "smtp_" + strconv.Itoa(answer.Code), permanent: answer.Code >= 500}
	}
	return classOf(err)
}

// mail writes the message. The end of an alert answers its beginning, so that mail programs show them together.
func (r email) mail(n note) ([]byte, error) {
	m := n.message
	domain := r.from[strings.LastIndexByte(r.from, '@')+1:]
	mark := "FIRING"
	switch m.Status {
	case store.DeliverResolved:
		mark = "RESOLVED"
	case store.DeliverTest:
		mark = "TEST"
	}
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", r.from)
	header("To", strings.Join(r.to, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", mark+" "+m.Title))
	header("Date", n.now.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+n.delivery+"@"+domain+">")
	header("References", "<"+m.ID+"@"+domain+">")
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(mailText(m))); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	return b.Bytes(), nil
}

func mailText(m Message) string {
	lines := []string{strings.TrimSuffix(m.Text, m.URL), "", m.URL}
	if m.Summary != "" && m.Status == store.DeliverFiring {
		lines = append(lines, "", "Why: "+oneLine(clip(m.Summary, 500)))
	}
	lines = append(lines, "", "Rule: "+oneLine(m.Rule.Name)+", alert "+m.ID)
	return strings.Join(lines, "\r\n") + "\r\n"
}
