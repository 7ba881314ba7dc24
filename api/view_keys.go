package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A signingKey is one kid of one owner in one environment, with everybody who judged tokens that name it.
type signingKey struct {
	Provider     string
	Environment  string
	Token        string // client_assertion or access_token
	Owner        string // iss of the token
	KID          string // "" where the header names none
	Clients      []string
	Verifiers    []verifier
	AlsoIn       []string // other environments of the provider in which the kid was seen
	FirstSeen    time.Time
	LastSeen     time.Time
	LastAccepted time.Time
	Findings     []finding
}

// A verifier is a host that was sent tokens of a key. Times and counts are those of a sighting.
type verifier struct {
	Host string
	store.Sighting
}

// A finding is what the lanes of keys show together.
type finding struct {
	Code  string // rotated, stale_verifier, key_not_known, key_swapped, shared_across_environments
	Words string
}

// longKID is from where on a kid is not chosen twice by chance, as "1" or "default" are.
const longKID = 8

// keysOf puts sightings of kids together, those seen last first.
func keysOf(list []store.Sighting, now time.Time) []*signingKey {
	type name struct{ provider, environment, token, owner, kid string }
	found := map[name]*signingKey{}
	var keys []*signingKey
	for _, s := range list {
		token, _, _ := strings.Cut(string(s.Kind), ".")
		n := name{s.Provider, s.Environment, token, s.Owner, s.Value}
		k := found[n]
		if k == nil {
			k = &signingKey{Provider: s.Provider, Environment: s.Environment, Token: token, Owner: s.Owner, KID: s.Value, FirstSeen: s.FirstSeen}
			found[n] = k
			keys = append(keys, k)
		}
		k.add(s)
	}
	type kid struct{ provider, token, kid string }
	type owner struct{ provider, token, environment, owner string }
	named, owned := map[kid][]*signingKey{}, map[owner][]*signingKey{}
	for _, k := range keys {
		slices.Sort(k.Clients)
		slices.SortFunc(k.Verifiers, func(a, b verifier) int { return cmp.Compare(a.Host, b.Host) })
		byKID, byOwner := kid{k.Provider, k.Token, k.KID}, owner{k.Provider, k.Token, k.Environment, k.Owner}
		named[byKID], owned[byOwner] = append(named[byKID], k), append(owned[byOwner], k)
	}
	for _, k := range keys {
		k.findRefusals(now)
		k.findSharing(named[kid{k.Provider, k.Token, k.KID}])
		k.findRotation(owned[owner{k.Provider, k.Token, k.Environment, k.Owner}], now)
	}
	slices.SortStableFunc(keys, func(a, b *signingKey) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Token, b.Token), cmp.Compare(a.Owner, b.Owner),
			b.FirstSeen.Compare(a.FirstSeen))
	})
	return keys
}

func (k *signingKey) add(s store.Sighting) {
	if s.FirstSeen.Before(k.FirstSeen) {
		k.FirstSeen = s.FirstSeen
	}
	k.LastSeen, k.LastAccepted = latestOf(k.LastSeen, s.LastSeen), latestOf(k.LastAccepted, s.LastAccepted)
	if s.ClientID != "" && !slices.Contains(k.Clients, s.ClientID) {
		k.Clients = append(k.Clients, s.ClientID)
	}
	i := slices.IndexFunc(k.Verifiers, func(v verifier) bool { return v.Host == s.Host })
	if i < 0 {
		k.Verifiers = append(k.Verifiers, verifier{s.Host, s})
		return
	}
	v := &k.Verifiers[i]
	v.FirstSeen, v.LastSeen = earliestOf(v.FirstSeen, s.FirstSeen), latestOf(v.LastSeen, s.LastSeen)
	v.FirstAccepted, v.LastAccepted = earliestOf(v.FirstAccepted, s.FirstAccepted), latestOf(v.LastAccepted, s.LastAccepted)
	v.FirstRejected, v.LastRejected = earliestOf(v.FirstRejected, s.FirstRejected), latestOf(v.LastRejected, s.LastRejected)
	v.Accepted, v.Rejected, v.Other = v.Accepted+s.Accepted, v.Rejected+s.Rejected, v.Other+s.Other
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// earliestOf is the earlier of two times of which the zero time is none.
func earliestOf(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// refuses is true of a host whose last word on the key was no.
func (v *verifier) refuses() bool { return v.Rejected > 0 && v.LastRejected.After(v.LastAccepted) }

// since is from when on a host that refuses has done so, as far as is known.
func (v *verifier) since() time.Time {
	if v.FirstRejected.After(v.LastAccepted) {
		return v.FirstRejected
	}
	return v.LastAccepted
}

// findRefusals says what the hosts that refuse the key show beside the others.
func (k *signingKey) findRefusals(now time.Time) {
	name := k.title()
	for n := range k.Verifiers {
		bad := &k.Verifiers[n]
		if !bad.refuses() {
			continue
		}
		since := stamp(bad.since(), now)
		good := slices.IndexFunc(k.Verifiers, func(v verifier) bool { return v.LastAccepted.After(bad.since().Add(-day)) && !v.refuses() })
		switch {
		case good >= 0 && k.Token == "access_token":
			k.Findings = append(k.Findings, finding{"stale_verifier", name + " is accepted by " + line(k.Verifiers[good].Host) + " and refused by " + line(bad.Host) + " since " + since +
				": the key set (JWKS) that " + line(bad.Host) + " keeps is stale. Refresh or restart it; the client has nothing to change."})
		case bad.Accepted > 0:
			k.Findings = append(k.Findings, finding{"key_swapped", name + " was accepted by " + line(bad.Host) + " until " + stamp(bad.LastAccepted, now) +
				" and is refused since: another key goes by the same kid, or it was withdrawn."})
		case k.LastAccepted.IsZero():
			reason := ": its public key was not given to the server."
			if k.KID == "" {
				reason = ": the server finds the key by the kid of the header."
			}
			k.Findings = append(k.Findings, finding{"key_not_known", name + " was never accepted and is refused by " + line(bad.Host) + " since " + since + reason})
		}
	}
}

// findSharing looks for the kid in other environments.
func (k *signingKey) findSharing(named []*signingKey) {
	if len(k.KID) < longKID {
		return
	}
	for _, other := range named {
		if other.Environment != k.Environment && !slices.Contains(k.AlsoIn, other.Environment) {
			k.AlsoIn = append(k.AlsoIn, other.Environment)
			k.Findings = append(k.Findings, finding{"shared_across_environments", k.title() + " was seen in " + environmentName(k.Environment) + " and in " + environmentName(other.Environment) + ": each should have keys of its own."})
		}
	}
}

// findRotation looks for keys of its owner in whose place it came.
func (k *signingKey) findRotation(owned []*signingKey, now time.Time) {
	for _, other := range owned {
		succeeds := other.LastAccepted.Before(k.LastAccepted) && other.FirstSeen.Before(k.FirstSeen) && !other.LastAccepted.IsZero() && other.LastAccepted.Before(k.FirstSeen.Add(day))
		if succeeds {
			k.Findings = append(k.Findings, finding{"rotated", k.title() + " came at " + stamp(k.FirstSeen, now) + " in the place of " + other.title() + ", which was accepted last at " + stamp(other.LastAccepted, now) + "."})
		}
	}
}

func (k *signingKey) title() string {
	if k.KID == "" {
		return "A token without a kid"
	}
	return "Key " + line(k.KID)
}

func environmentName(name string) string {
	if name == "" {
		return "an unknown environment"
	}
	return line(name)
}

// A lanesView draws when each key was accepted and refused by each host. The drawing and the table hold the same.
type lanesView struct {
	Title   string
	Summary string
	Groups  []laneGroup
	Labels  []string
	Width   int
}

// A laneGroup is the keys of one owner in one place.
type laneGroup struct {
	Title    string
	Place    string
	Findings []string
	Lanes    []laneView
}

// A laneView is one key at one host.
type laneView struct {
	Key      string
	Host     string
	Words    string // of the drawing
	Seen     string // path: from first to last
	Good     string // path: from the first to the last time that it was accepted
	Bad      string // path: from the first to the last time that it was refused
	State    badge
	First    moment
	Last     moment
	Accepted string
	Rejected tally
	Other    tally
	Clients  string
}

const (
	laneWidth  = 960
	laneHeight = 20
)

// clientsInLink bounds the clients that an address names.
const clientsInLink = 20

// failures lists those of the key's clients where it was seen, between two times: a record is not found by its key.
func (k *signingKey) failures(first, last time.Time) string {
	pairs := []string{"provider", k.Provider, "environment", k.Environment}
	if len(k.Clients) <= clientsInLink {
		for _, client := range k.Clients {
			pairs = append(pairs, "client", client)
		}
	}
	return recordsURL(first, last, pairs...)
}

// lanesOf draws keys in a window.
func lanesOf(keys []*signingKey, w window) lanesView {
	v := lanesView{Title: "Signing keys", Labels: axisLabels(w), Width: laneWidth}
	refused, lanes := 0, 0
	var last *signingKey
	for _, k := range keys {
		if last == nil || last.Provider != k.Provider || last.Environment != k.Environment || last.Token != k.Token || last.Owner != k.Owner {
			whose := "Assertions of "
			if k.Token == "access_token" {
				whose = "Access tokens of "
			}
			v.Groups = append(v.Groups, laneGroup{Title: whose + cmp.Or(line(k.Owner), "an unknown issuer"), Place: placeOf(k.Provider, k.Environment)})
			last = k
		}
		g := &v.Groups[len(v.Groups)-1]
		for _, f := range k.Findings {
			g.Findings = append(g.Findings, f.Words)
		}
		for n := range k.Verifiers {
			lane := laneOf(k, &k.Verifiers[n], w)
			lanes++
			if k.Verifiers[n].refuses() {
				refused++
			}
			g.Lanes = append(g.Lanes, lane)
		}
	}
	v.Summary = counted(int64(len(keys)), "key", "keys") + " at " + counted(int64(lanes), "place", "places") + " " + w.words()
	switch refused {
	case 0:
		v.Summary += "; none is refused now."
	default:
		v.Summary += "; " + count(int64(refused)) + " refused by who saw it last."
	}
	return v
}

func laneOf(k *signingKey, s *verifier, w window) laneView {
	lane := laneView{Key: sightValue(classify.SightTokenKID, k.KID), Host: cmp.Or(line(s.Host), "unknown host"), First: at(s.FirstSeen, w.Now, "–"), Last: at(s.LastSeen, w.Now, "–"),
		Accepted: count(s.Accepted), Rejected: tallyOf(s.Rejected, k.failures(s.FirstRejected, s.LastRejected)), Other: tallyOf(s.Other, k.failures(s.FirstSeen, s.LastSeen)), Clients: counted(int64(len(k.Clients)), "client", "clients")}
	lane.Seen = laneBar(w, s.FirstSeen, s.LastSeen, 9, 2)
	lane.Good = laneBar(w, s.FirstAccepted, s.LastAccepted, 2, 9)
	lane.Bad = laneBar(w, s.FirstRejected, s.LastRejected, 12, 6)
	lane.Words = "Key " + lane.Key + " at " + lane.Host + ": seen from " + lane.First.Text + " to " + lane.Last.Text
	switch {
	case s.refuses():
		lane.State = badge{"state-open", "refused", "The last time that it mattered the key was refused."}
		lane.Words += ", refused since " + stamp(s.since(), w.Now)
	case s.Accepted > 0:
		lane.State = badge{"state-resolved", "accepted", "The last time that it mattered the key was accepted."}
		lane.Words += ", accepted last at " + stamp(s.LastAccepted, w.Now)
	default:
		lane.State = badge{"state-silenced", "not known", "It came only in failures that had another reason."}
	}
	return lane
}

// laneBar is a bar from one time to another, cut to the window; "" when it lies outside. What is shorter than can be seen is a dot.
func laneBar(w window, from, to time.Time, y, height float64) string {
	if from.IsZero() || to.Before(w.From) || from.After(w.To) {
		return ""
	}
	span := float64(w.To.Sub(w.From))
	x := func(t time.Time) float64 { return laneWidth * min(max(float64(t.Sub(w.From))/span, 0), 1) }
	left, right := x(from), x(to)
	if right-left < 4 {
		left = min(left, laneWidth-4)
		right = left + 4
	}
	return "M" + short(left) + " " + short(y) + "H" + short(right) + "V" + short(y+height) + "H" + short(left) + "Z"
}
