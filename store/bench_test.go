package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"authwatch/classify"
)

// A load makes the writes of shippers: batches of 1,000 records of 400 clients, of which a few cause most of the traffic.
type load struct {
	random  *rand.Rand
	clients *rand.Zipf
	at      time.Time
}

func newLoad(seed uint64) *load {
	random := rand.New(rand.NewPCG(seed, seed))
	return &load{random: random, clients: rand.NewZipf(random, 1.1, 8, 399), at: noon()}
}

func (l *load) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[l.random.IntN(16)]
	}
	return string(b)
}

// A loadBatch is what one request leaves to be written.
type loadBatch struct {
	deliveries []Delivery
	failures   []Failure
	traffic    map[[2]string]*Traffic
	facts      []classify.Fact
}

func (l *load) batch(records, percent int) *loadBatch {
	b := &loadBatch{traffic: map[[2]string]*Traffic{}}
	for range records {
		l.at = l.at.Add(86 * time.Millisecond)
		c := fmt.Sprintf("harborline-dispatch-%d", l.clients.Uint64())
		endpoint := "GET api.harborline.test/" + []string{"orders", "invoices", "shipments", "status"}[l.random.IntN(4)]
		d := Delivery{Source: "key", Key: l.hex(32), Time: l.at}
		d.Prepare()
		b.deliveries = append(b.deliveries, d)
		if l.random.IntN(100) < percent {
			b.failures = append(b.failures, l.failure(c, endpoint))
			if l.random.IntN(2) == 0 {
				b.facts = append(b.facts, classify.Fact{Key: key(c + " " + l.hex(22)), FirstSeen: l.at, LastSeen: l.at,
					Count: 1, FirstExchange: l.hex(32), FirstTokenPrint: l.hex(32), Expires: l.at.Add(time.Hour)})
			}
			continue
		}
		where := [2]string{c, l.at.Format("15:04")}
		if b.traffic[where] == nil {
			b.traffic[where] = &Traffic{Provider: "exchange", Environment: "production", ClientID: c, First: l.at}
		}
		b.traffic[where].Last = l.at
		b.traffic[where].Count++
	}
	return b
}

func (l *load) failure(c, endpoint string) Failure {
	causes := []classify.Code{classify.WrongAudience, classify.TokenExpired, classify.ScopeGap}
	f := fail(0, client(c), cause(causes[l.random.IntN(3)]))
	f.RecordID, f.RequestID, f.TraceID, f.Endpoint, f.Verdict.Time, f.ReceivedAt = l.hex(32), l.hex(32), l.hex(32), endpoint, l.at, l.at.Add(time.Second)
	f.Record = fmt.Appendf(nil, `{"time":"%s","id":"%s","service":"dispatch","request_id":"%s","trace_id":"%s","client_ip":"10.179.215.57","user_agent":"Go-http-client/2.0",`+
		`"request":{"method":"GET","url":"https://api.harborline.test/%s","headers":{"accept":"application/json","authorization":"Bearer [jwt]"}},`+
		`"response":{"status":401,"headers":{"content-type":"application/json","server":"nginx","www-authenticate":"Bearer error=\"invalid_token\"","x-request-id":"%s"},`+
		`"body":{"error":"invalid_token","error_description":"the access token is not meant for this API"}},"access_token":{"header":{"alg":"RS256","kid":"as-1","typ":"at+jwt"},`+
		`"claims":{"aud":"https://reports.example","client_id":"%s","exp":%d,"iat":%d,"iss":"https://id.harborline.test/","jti":"%s","sub":"%s"}}}`,
		l.at.UTC().Format(millisForm), f.RecordID, f.RequestID, f.TraceID, endpoint, l.hex(20), c, l.at.Unix()+3000, l.at.Unix()-600, l.hex(22), c)
	for _, check := range []string{"authorization_header", "structure", "token_type", "algorithm", "key_id", "signature", "required_claims", "claim_types", "issuer", "audience", "expiry", "issued_at", "scope"} {
		f.Verdict.Checks = append(f.Verdict.Checks, &classify.Check{Check: check, Result: classify.Pass, Path: "access_token.claims", Detail: "what the check of " + check + " found is as it should be, by RFC 7519"})
	}
	f.Verdict.Evidence = []classify.Evidence{{Witness: classify.WitnessToken, Path: "access_token.claims.aud", Observed: "https://reports.example",
		Expected: "https://api.harborline.test", Detail: "The token was made for another API.", Cause: f.Verdict.Cause}}
	f.Verdict.Fix.Steps = []string{strings.Repeat("Decode the access token and read its audience. ", 4), "Ask for a token for this API.", "Compare with the documentation of the provider."}
	return f
}

func (b *loadBatch) save(ctx context.Context, tx *Tx) error {
	if _, err := tx.Claim(ctx, noon(), b.deliveries); err != nil {
		return err
	}
	if err := tx.Observe(ctx, b.facts); err != nil {
		return err
	}
	if err := tx.AddFailures(ctx, b.failures); err != nil {
		return err
	}
	traffic := make([]Traffic, 0, len(b.traffic))
	for _, one := range b.traffic {
		traffic = append(traffic, *one)
	}
	return tx.AddTraffic(ctx, traffic)
}

// identities notes that its records came, and nothing else.
func (b *loadBatch) identities(ctx context.Context, tx *Tx) error {
	_, err := tx.Claim(ctx, noon(), b.deliveries)
	return err
}

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkWrite is the writer alone: eight senders, 1,000 records a write, everything prepared outside of its turn. The first case is the
// least that a record costs which must not count twice: its identity, durably.
func BenchmarkWrite(b *testing.B) {
	for _, c := range []struct {
		name    string
		percent int
		save    func(*loadBatch, context.Context, *Tx) error
	}{
		{"identities", 0, (*loadBatch).identities},
		{"0%", 0, (*loadBatch).save},
		{"10%", 10, (*loadBatch).save},
		{"100%", 100, (*loadBatch).save},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, err := Open(b.Context(), Options{DSN: filepath.Join(b.TempDir(), "bench.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			const size, senders = 1000, 8
			l := newLoad(1)
			next := func() *loadBatch {
				one := l.batch(size, c.percent)
				if err := s.Pack(one.failures); err != nil {
					b.Fatal(err)
				}
				return one
			}
			for range 10 { // templates, clients and incidents of the first batches
				one := next()
				if err := s.Write(b.Context(), func(ctx context.Context, tx *Tx) error { return c.save(one, ctx, tx) }); err != nil {
					b.Fatal(err)
				}
			}
			batches := make(chan *loadBatch, b.N)
			for range b.N {
				batches <- next()
			}
			close(batches)
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu(b)
			var all sync.WaitGroup
			for range senders {
				all.Go(func() {
					for one := range batches {
						err := s.Write(b.Context(), func(ctx context.Context, tx *Tx) error { return c.save(one, ctx, tx) })
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N*size), "cpu-µs/record")
		})
	}
}

// BenchmarkPack is what keeping a failure costs outside of the writer's turn.
func BenchmarkPack(b *testing.B) {
	s, err := Open(b.Context(), Options{DSN: filepath.Join(b.TempDir(), "bench.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l := newLoad(1)
	list := make([]Failure, 1000)
	for i := range list {
		list[i] = l.failure(fmt.Sprintf("client-%d", i%100), "GET api.harborline.test/orders")
	}
	for range 3 {
		if err := s.Pack(list); err != nil {
			b.Fatal(err)
		}
		if err := s.Write(b.Context(), func(context.Context, *Tx) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	bytes, i := 0, 0
	for b.Loop() {
		if err := s.Pack(list[i%len(list) : i%len(list)+1]); err != nil {
			b.Fatal(err)
		}
		bytes += len(list[i%len(list)].body)
		i++
	}
	b.ReportMetric(float64(bytes)/float64(i), "bytes/failure")
}
