package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

// Traffic describes a generated file. The same description gives the same bytes.
type traffic struct {
	seed    uint64
	records int
	percent int           // of the records that are auth failures, exactly
	clients int           // that take part; a few of them cause most of the traffic
	from    time.Time     // of the first record
	step    time.Duration // from one record to the next, on average
	format  format        // of its lines; "" is native too
}

// failures is how many auth failures the file holds.
func (t traffic) failures() int { return (t.records*t.percent + 50) / 100 }

// end is after the last record. Each step is from a half to one and a half of the average, so the last record wanders by some
// 0.3·√records steps; ten times that is room enough.
func (t traffic) end() time.Time {
	return t.from.Add(time.Duration(t.records+1+int(3*math.Sqrt(float64(t.records)))) * t.step)
}

// write streams the records to w, one a line.
func (t traffic) write(w io.Writer) error {
	g, err := newGenerator(t)
	if err != nil {
		return err
	}
	for line := g.next(); line != nil; line = g.next() {
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("write record: %w", err)
		}
	}
	return nil
}

// writeFile streams the records to a new file and returns its size.
func (t traffic) writeFile(path string) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := t.write(w); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil { // what the kernel writes later would hold up the commits of the servers
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), f.Close()
}

// A client is one program that calls one provider in one environment.
type client struct {
	provider    provider
	environment environment
	id, kid     string
	service     string
	ip, agent   string
	faults      []answer // what goes wrong for it when something does

	tokenID string // of the access token it holds
	issued  time.Time
}

// tokenLifetime is how long a client uses one access token.
const tokenLifetime = time.Hour

// A generator makes the records of a file one by one.
type generator struct {
	traffic
	rng     *rand.Rand
	clients []*client
	zipf    *rand.Zipf
	at      time.Time
	made    int
	failed  int
	line    []byte
}

func newGenerator(t traffic) (*generator, error) {
	byServer, err := readAnswers()
	if err != nil {
		return nil, err
	}
	if t.clients < 1 {
		return nil, fmt.Errorf("generate traffic: %d clients", t.clients)
	}
	rng := rand.New(rand.NewPCG(t.seed, t.seed))
	g := &generator{traffic: t, rng: rng, at: t.from, zipf: rand.NewZipf(rng, 1.1, 8, uint64(t.clients-1))}
	for range t.clients {
		g.clients = append(g.clients, g.newClient(byServer))
	}
	return g, nil
}

func (g *generator) newClient(byServer map[string][]answer) *client {
	agents := []string{"Go-http-client/2.0", "python-requests/2.32.3", "axios/1.7.9", "okhttp/4.12.0", "Apache-HttpClient/5.3.1 (Java/21.0.5)", "curl/8.11.0"}
	services := []string{"dispatch", "billing", "returns", "tracking", "reports", "sync", "gateway", "mobile-bff"}
	p := pick(g.rng, providers())
	number := g.rng.IntN(9000) + 1000
	c := &client{
		provider: p, environment: environments()[0], service: pick(g.rng, services), agent: pick(g.rng, agents),
		ip: fmt.Sprintf("10.%d.%d.%d", g.rng.IntN(256), g.rng.IntN(256), 1+g.rng.IntN(254)),
	}
	if g.rng.IntN(5) == 0 {
		c.environment = environments()[1]
	}
	c.id = fmt.Sprintf("%s-%s-%d", p.name, c.service, number)
	c.kid = fmt.Sprintf("%s-%s-%d", p.name, c.environment.name, number%7)
	answers := slices.Clone(byServer[p.server])
	g.rng.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
	c.faults = answers[:min(3, len(answers))]
	return c
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// next returns the next record with its line feed, or nil after the last one. The bytes are good until the next call.
func (g *generator) next() []byte {
	left := g.records - g.made
	if left == 0 {
		return nil
	}
	g.made++
	g.at = g.at.Add(g.step/2 + time.Duration(g.rng.Int64N(int64(g.step)+1)))
	c := g.clients[g.zipf.Uint64()]
	r := record{rng: g.rng, b: g.line[:0], client: c, at: g.at, format: g.format}
	// Selection sampling (Knuth, volume 2, algorithm S): a random order that holds the share exactly.
	if g.rng.IntN(left) < g.failures()-g.failed {
		g.failed++
		r.refused(pick(g.rng, c.faults))
	} else {
		r.accepted()
	}
	g.line = append(r.b, '\n')
	return g.line
}

// path fills in the numbers of a route.
func (r *record) path(route string) (method, path string) {
	method, path, _ = strings.Cut(route, " ")
	if before, after, ok := strings.Cut(path, "{id}"); ok {
		path = fmt.Sprintf("%s%d%s", before, 10000+r.rng.IntN(90000), after)
	}
	return method, path
}
