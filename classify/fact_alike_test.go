package classify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

// An index that knows failures which are alike names the facts that each names by itself, whatever one differs in from another.
func TestFactIndex_Alike(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	for _, path := range corpora(t) {
		classifiers := []*classify.Classifier{classify.New(nil, k), classify.New(classify.Profiles{profileOf(t, path)}, k)} // which ask for different facts
		var index classify.FactIndex
		failures := 0
		lines := readCorpus(t, path)
		for _, l := range lines[:min(len(lines), 60)] {
			for _, r := range likeRecords(l.Record) {
				for _, c := range classifiers {
					e := c.Locate(r)
					if e.Outcome == classify.Failed && e.Phase != classify.ClientSide {
						failures++
					}
					var named []classify.Key
					for _, n := range index.AppendKeys(nil, &e) {
						named = append(named, index.Keys()[n])
					}
					if want := e.Keys(); !slices.Equal(named, want) {
						t.Fatalf("%s: %s names\n%q\nand not\n%q", path, r.ID, named, want)
					}
				}
			}
		}
		if known := classify.KnownAlike(&index); known > failures*3/4 {
			t.Errorf("%s: %d of %d failures are like none before", path, known, failures)
		}
	}
}

// likeRecords are a record, and copies of it that differ in one thing each.
func likeRecords(of *classify.Record) []*classify.Record {
	list := []*classify.Record{of, of}
	with := func(change func(r *classify.Record)) {
		r := *of
		if of.Request != nil {
			request := *of.Request
			r.Request = &request
		}
		for _, t := range []**classify.JWT{&r.AccessToken, &r.ClientAssertion} {
			if *t != nil {
				token := **t
				*t = &token
			}
		}
		change(&r)
		list = append(list, &r)
	}
	for _, after := range []time.Duration{time.Second, time.Hour, -24 * time.Hour, -1e6 * time.Hour} {
		with(func(r *classify.Record) { r.Time = r.Time.Add(after) })
	}
	for _, text := range []string{"", "a", "a b", "\xff", strings.Repeat("long ", 50)} {
		with(func(r *classify.Record) { r.ClientID = text })
		with(func(r *classify.Record) { r.Provider = text })
		with(func(r *classify.Record) { r.Environment = text })
		if of.Request != nil {
			with(func(r *classify.Record) { r.Request.URL += "/" + text })
			with(func(r *classify.Record) {
				r.Request.Headers = r.Request.Headers.With("authorization", "Bearer [opaque fp:"+text+"]")
			})
			with(func(r *classify.Record) {
				r.Request.Headers = r.Request.Headers.With("content-type", "application/json")
			})
		}
	}
	for _, value := range []any{nil, "", "a", "b", "a b", "\xfe", 7, []any{"a", "b"}, []any{"b", 1}, map[string]any{"a": 1}, strings.Repeat("long ", 50)} {
		for _, name := range []string{"iss", "aud", "jti", "scope", "scp", "roles", "permissions", "sub"} {
			with(func(r *classify.Record) {
				for _, t := range []*classify.JWT{r.AccessToken, r.ClientAssertion} {
					if t != nil {
						t.Claims = t.Claims.With(name, value)
					}
				}
			})
		}
		for _, name := range []string{"kid", "alg", "typ"} {
			with(func(r *classify.Record) {
				for _, t := range []*classify.JWT{r.AccessToken, r.ClientAssertion} {
					if t != nil {
						t.Header = t.Header.With(name, value)
					}
				}
			})
		}
	}
	with(func(r *classify.Record) { r.AccessToken, r.ClientAssertion = nil, nil })
	with(func(r *classify.Record) { r.AccessToken, r.ClientAssertion = &classify.JWT{}, &classify.JWT{} })
	with(func(r *classify.Record) { r.AccessToken, r.ClientAssertion = r.ClientAssertion, r.AccessToken })
	return list
}
