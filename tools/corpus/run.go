package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Corpus is what one run recorded.
type Corpus struct {
	Lines    []Line
	Sent     map[string]int // by fault: requests that reached the verifier, or errors of the client's library
	Accepted map[string]int // by fault: how many of them the verifier did not mind
}

// record attacks the system and writes down what it says.
func record(ctx context.Context, w *world, verifier string) (*Corpus, error) {
	r := &recorder{w: w, ctx: ctx, verifier: verifier, corpus: &Corpus{Sent: map[string]int{}, Accepted: map[string]int{}}}
	short, err := r.warmUp()
	if err != nil {
		return nil, err
	}
	for i, job := range r.plan() {
		if i%12 == 11 {
			if err := r.healthy(w.envs[i/12%2]); err != nil {
				return nil, err
			}
		}
		if err := r.inject(job.fault, job.n); err != nil {
			return nil, fmt.Errorf("fault %s: %w", job.fault.ID, err)
		}
	}
	if err := r.expire(short); err != nil {
		return nil, err
	}
	markUndecidable(r.corpus.Lines)
	return r.corpus, nil
}

type recorder struct {
	w        *world
	ctx      context.Context
	verifier string
	corpus   *Corpus
	limited  bool // the rate limits are used up
}

type job struct {
	fault Fault
	n     int
}

// plan lists every injection, in an order that the seed decides.
func (r *recorder) plan() []job {
	var jobs []job
	for _, f := range r.w.sys.faults() {
		for n := range min(f.times(), r.w.sys.times()) {
			jobs = append(jobs, job{f, n})
		}
	}
	r.w.rnd.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
	return jobs
}

// faults lists those that can be injected into this system.
func (s System) faults() []Fault {
	var list []Fault
	add := func(faults []Fault, wanted bool) {
		for _, f := range faults {
			if wanted && f.appliesTo(s) && !slices.Contains(s.Dies, f.ID) {
				list = append(list, f)
			}
		}
	}
	if s.Only != nil {
		for _, f := range faults() {
			add([]Fault{f}, slices.Contains(s.Only, f.ID))
		}
		return list
	}
	add(callFaults(), s.Calls)
	add(tokenFaults(), s.Tokens)
	add(clientFaults(), true)
	return list
}

// warmUp records successes, the context of what follows, and returns calls whose tokens are about to expire.
func (r *recorder) warmUp() ([]*attempt, error) {
	var short []*attempt
	for _, env := range r.w.envs {
		for range 3 {
			if err := r.healthy(env); err != nil {
				return nil, err
			}
		}
	}
	for n := 0; r.w.sys.Calls && r.w.sys.Only == nil && n < 3; n++ {
		a := r.w.call(r.w.envs[n%2], n)
		a.shift(time.Hour-3*time.Second, time.Hour)
		if err := r.accepted(a); err != nil {
			return nil, err
		}
		short = append(short, a)
	}
	return short, nil
}

// expire waits until the tokens of calls have expired and repeats the calls.
func (r *recorder) expire(calls []*attempt) error {
	fault := Fault{ID: "R05", Cause: "expired_mid_session", Also: []string{"token_expired"}}
	for _, a := range calls {
		expired := time.Unix(a.claims["exp"].(int64), 0).Add(r.w.sys.Skew + 1100*time.Millisecond) // some clocks of whole seconds lag some milliseconds behind
		select {
		case <-time.After(time.Until(expired)):
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
		if err := r.failure(fault, a); err != nil {
			return err
		}
	}
	return nil
}

// healthy records a success of each kind.
func (r *recorder) healthy(env *environment) error {
	if r.w.sys.Calls {
		if err := r.accepted(r.w.call(env, 0)); err != nil {
			return err
		}
	}
	if r.w.sys.Tokens {
		return r.accepted(r.w.request(env, 0))
	}
	return nil
}

// accepted sends a healthy request. A verifier that refuses it makes every other answer worthless.
func (r *recorder) accepted(a *attempt) error {
	line, err := r.send(a)
	if err != nil {
		return err
	}
	if line.Response.Status >= 300 {
		return fmt.Errorf("a healthy request to %s was refused: %s", line.Request.URL, marshal(line.Response))
	}
	r.corpus.Lines = append(r.corpus.Lines, Line{Record: line})
	return nil
}

// inject sends the n-th request with the fault f.
func (r *recorder) inject(f Fault, n int) error {
	env := r.w.envs[(n+int(f.ID[1]))%2] // in turn, and not all faults first in the same one
	if f.Inject == nil {
		return r.clientSide(f, env)
	}
	healthy := r.w.call
	if f.Request {
		healthy = r.w.request
	}
	a := healthy(env, n)
	if f.Mode != "" {
		a.mode = f.Mode
	}
	f.Inject(a)
	if f.Mode == modeLimited && !r.limited {
		r.limited = true
		for _, env := range r.w.envs {
			if err := r.useUpLimit(env); err != nil {
				return err
			}
		}
	}
	if a.replay {
		if err := r.accepted(a); err != nil {
			return err
		}
	}
	if a.established {
		for _, env := range r.w.envs {
			if err := r.accepted(r.w.requestOf(env, a.client)); err != nil {
				return err
			}
		}
	}
	return r.failure(f, a)
}

// useUpLimit makes the calls that the rate limit still allows.
func (r *recorder) useUpLimit(env *environment) error {
	for range 2 {
		a := r.w.call(env, 0)
		a.mode = modeLimited
		if err := r.accepted(a); err != nil {
			return err
		}
	}
	return nil
}

// failure sends an attempt that carries the fault f. If the verifier does not mind, the exchange is context.
func (r *recorder) failure(f Fault, a *attempt) error {
	rec, err := r.send(a)
	if err != nil {
		return err
	}
	r.corpus.Sent[f.ID]++
	line := Line{Record: rec}
	if rec.Response.Status < 300 {
		r.corpus.Accepted[f.ID]++
	} else {
		line.Truth = r.truth(f, a.also)
		line.Truth.Optional = f.Cause == "provider_unavailable" && rec.Response.Status >= 500 && rec.AccessToken != nil
	}
	r.corpus.Lines = append(r.corpus.Lines, line)
	return nil
}

func (r *recorder) truth(f Fault, also []string) *Truth {
	all := append([]string{}, slices.Concat(f.Also, also, r.w.sys.Vague[f.ID])...) // a list in JSON even when it is empty
	return &Truth{Cause: f.Cause, Also: all, Fault: f.ID, Verifier: r.verifier}
}

// clientSide records a failure that has no answer.
func (r *recorder) clientSide(f Fault, env *environment) error {
	client := r.w.sys.Clients[r.w.rnd.IntN(len(r.w.sys.Clients)-1)]
	failure, err := clientError(f.ID, r.w.sys, env, client)
	if err != nil {
		return err
	}
	rec := r.newRecord(env, client)
	rec.ClientID, rec.Request = client, &Message{Method: http.MethodPost, URL: env.tokenEndpoint(r.w.sys)}
	rec.Error = r.w.rewriter(env, "http://127.0.0.1:0", origin(env.Issuer), "")(failure.Error())
	r.corpus.Sent[f.ID]++
	r.corpus.Lines = append(r.corpus.Lines, Line{Record: rec, Truth: r.truth(f, nil)})
	return nil
}

func (r *recorder) newRecord(env *environment, client string) Record {
	service := 0
	for i, c := range r.w.sys.Clients {
		if c == client {
			service = i
		}
	}
	return Record{
		Time: time.Now().UTC().Truncate(time.Millisecond), ID: uuid(r.w.rnd), Provider: "lab-" + r.w.sys.Name,
		Environment: env.Name, Service: r.w.sys.Services[service%len(r.w.sys.Services)],
	}
}

// send sends the attempt and writes down the exchange.
func (r *recorder) send(a *attempt) (Record, error) {
	token := ""
	if a.header != nil {
		signed, err := sign(a.header, a.claims, a.key)
		if err != nil {
			return Record{}, err
		}
		token = signed
	}
	if a.header != nil || a.form == nil {
		token = a.spoil(token)
	}
	req, natural, sent, err := a.http(r.ctx, token)
	if err != nil {
		return Record{}, err
	}
	base := a.env.servers[a.mode]
	res, err := r.w.client.Do(req)
	if err != nil {
		return Record{}, fmt.Errorf("ask %s: %w", natural, err)
	}
	defer res.Body.Close()
	answer, err := response(res, r.w.rewriter(a.env, base, origin(natural), token))
	if err != nil {
		return Record{}, err
	}
	rec := r.newRecord(a.env, a.client)
	rec.Request, rec.Response = sent, answer
	if a.form != nil {
		rec.ClientID, rec.ClientAssertion = a.form.Get("client_id"), decode(token)
	} else if sent.Headers["authorization"] != "" {
		rec.AccessToken = decode(token)
	}
	return rec, nil
}

// http builds the request, its natural URL and what a log shows of it.
func (a *attempt) http(ctx context.Context, token string) (*http.Request, string, *Message, error) {
	method, path, natural, content := a.method, a.path, a.env.API+a.path, ""
	sent := &Message{Headers: map[string]string{"accept": "application/json"}}
	switch {
	case a.form != nil:
		if token != "" {
			a.form.Set("client_assertion", token)
		}
		method, path, natural = http.MethodPost, a.sys.TokenPath, a.env.tokenEndpoint(a.sys)
		content, sent.Body = encodeForm(a.form, a.contentType), cutForm(a.form)
		sent.Headers["content-type"] = a.contentType
	case method == http.MethodPost || method == http.MethodPut:
		content = fmt.Sprintf(`{"note":"n%d"}`, 100+a.rnd.IntN(900))
		sent.Headers["content-type"], sent.Body = "application/json", map[string]any{"note": content[9:13]}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.env.servers[a.mode]+path, strings.NewReader(content))
	if err != nil {
		return nil, "", nil, fmt.Errorf("build request: %w", err)
	}
	for name, value := range sent.Headers {
		req.Header.Set(name, value)
	}
	if a.form == nil {
		if value := a.authorization(token); value != "" {
			req.Header.Set("Authorization", value)
			sent.Headers["authorization"] = cutAuthorization(value, token)
		}
	}
	sent.Method, sent.URL = method, natural
	return req, natural, sent, nil
}
