package alert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// A sendError says why a message was not taken, by a class from a closed set: what a server answers, and addresses that may be
// secrets, never get further than here.
type sendError struct {
	class     string        // timeout, dns, refused, tls, blocked_address, network, http_<status> or smtp_<code>
	permanent bool          // trying again would be in vain
	wait      time.Duration // that the receiver asked for
}

// Error is the class.
func (e *sendError) Error() string { return e.class }

// classOf finds the class of an error of the network.
func classOf(err error) *sendError {
	var known *sendError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errBlocked):
		return &sendError{class: "blocked_address", permanent: true}
	case errors.As(err, &dns):
		return &sendError{class: "dns"}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &sendError{class: "timeout"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &sendError{class: "refused"}
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &unknown):
		return &sendError{class: "tls"}
	}
	return &sendError{class: "network"}
}

var errBlocked = errors.New("the address is none that a receiver may have")

// dialer refuses addresses after names were looked up, so that no answer of a DNS server leads elsewhere.
func (s settings) dialer() *net.Dialer {
	return &net.Dialer{Timeout: s.timeout, Control: func(_, address string, _ syscall.RawConn) error {
		place, err := netip.ParseAddrPort(address)
		if err != nil || !mayDial(place.Addr(), s.private) {
			return errBlocked
		}
		return nil
	}}
}

// mayDial keeps link-local addresses, where clouds keep credentials, from every receiver, and this machine and private networks
// from those that are not said to be there.
func mayDial(ip netip.Addr, private bool) bool {
	ip = ip.Unmap()
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() {
		return false
	}
	near := ip.IsLoopback() || ip.IsPrivate()
	for _, shared := range []string{"0.0.0.0/8", "100.64.0.0/10", "240.0.0.0/4"} {
		near = near || netip.MustParsePrefix(shared).Contains(ip)
	}
	return private || !near
}

// post sends JSON. A redirect is not followed, and of the answer only the status is looked at.
func (s settings) post(ctx context.Context, url string, body any, header map[string]string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // receivers show text, not HTML
	if err := encoder.Encode(body); err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return s.postBytes(ctx, url, bytes.TrimSpace(text.Bytes()), header)
}

func (s settings) postBytes(ctx context.Context, url string, body []byte, header map[string]string) error {
	transport := &http.Transport{
		DialContext: s.dialer().DialContext, TLSClientConfig: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
	}
	client := &http.Client{Transport: transport, Timeout: s.timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return &sendError{class: "network", permanent: true}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "authwatch")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return classOf(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // what it says is not ours to keep
	return statusError(response)
}

func statusError(r *http.Response) error {
	if r.StatusCode >= 200 && r.StatusCode < 300 {
		return nil
	}
	e := &sendError{class: "http_" + strconv.Itoa(r.StatusCode), permanent: r.StatusCode < 500}
	if r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusRequestTimeout {
		e.permanent = false
	}
	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.wait = min(time.Duration(seconds)*time.Second, maxPause)
	}
	return e
}
