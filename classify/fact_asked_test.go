package classify_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

// What a failure does not ask history for changes no verdict on it, whatever else history holds of the same client, key, token and place.
func TestKeys_NothingElseMatters(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	spared := map[classify.FactKind]int{}
	for _, path := range corpora(t) {
		for _, profiles := range []classify.Profiles{nil, {profileOf(t, path)}, {sayingLess(*profileOf(t, path))}} {
			replay(t, classify.New(profiles, k), path, "all", func(l labelled, e classify.Exchange, _ classify.History) {
				if e.Outcome != classify.Failed {
					return
				}
				asked := classify.History{}
				for _, key := range e.Keys() {
					asked[key] = acceptedBefore(key, l.Record.Time)
				}
				others := classify.History{}
				for _, key := range namedBy(e) {
					if _, is := asked[key]; !is {
						others[key] = acceptedBefore(key, l.Record.Time)
						spared[key.Kind]++
					}
				}
				for _, h := range []classify.History{{}, asked} {
					want := classify.Classify(e, h)
					for key, f := range others {
						more := maps.Clone(h)
						more[key] = f
						if got := classify.Classify(e, more); !reflect.DeepEqual(got, want) {
							t.Fatalf("%s: %+v changes the verdict on %s\n got %+v\nwant %+v", path, key, l.Record.ID, got, want)
						}
					}
					more := maps.Clone(h)
					maps.Copy(more, others)
					if got := classify.Classify(e, more); !reflect.DeepEqual(got, want) {
						t.Fatalf("%s: all others change the verdict on %s\n got %+v\nwant %+v", path, l.Record.ID, got, want)
					}
				}
			})
		}
	}
	for _, kind := range []classify.FactKind{classify.FactShape, classify.FactKID, classify.FactAudience, classify.FactIssuer} {
		if spared[kind] == 0 {
			t.Errorf("every failure asks for all facts of the kind %s", kind)
		}
	}
}

// sayingLess is a profile that does not say who is accepted where.
func sayingLess(p classify.Profile) *classify.Profile {
	p.Environments = slices.Clone(p.Environments)
	for n := range p.Environments {
		env := &p.Environments[n]
		for _, u := range slices.Concat(env.APIAudiences, env.Issuers) {
			_, host, _ := strings.Cut(u, "://")
			host, _, _ = strings.Cut(host, "/")
			env.Hosts = append(slices.Clone(env.Hosts), host)
		}
		env.APIAudiences, env.Issuers = nil, nil
	}
	return &p
}

func acceptedBefore(k classify.Key, at time.Time) classify.Fact {
	at = at.Add(-time.Minute)
	return classify.Fact{Key: k, FirstSeen: at, LastSeen: at, FirstAccepted: at, LastAccepted: at, Count: 9}
}

// namedBy are all keys that an exchange would name if it had been accepted, or if no profile were known.
func namedBy(e classify.Exchange) (keys []classify.Key) {
	unruled, accepted := e, e
	unruled.Profile, accepted.Outcome = &classify.Profile{}, classify.Accepted
	keys = unruled.Keys()
	for _, f := range accepted.Facts() {
		if f.Key.Kind != classify.FactJTI && f.Key.Kind != classify.FactClock { // which the failure itself says
			keys = append(keys, f.Key)
		}
	}
	for _, environment := range []string{e.Environment, "*"} {
		for _, name := range []string{"api_call jwt", "api_call opaque", "token_request jwt", "token_request opaque", "token_request application/json"} {
			keys = append(keys, classify.Key{Kind: classify.FactShape, Provider: e.Provider, Environment: environment, Name: name})
		}
	}
	return keys
}
