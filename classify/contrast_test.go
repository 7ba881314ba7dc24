package classify

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// spread counts "dimension value n" lines.
func spread(lines ...string) Spread {
	s := Spread{}
	for _, text := range lines {
		var d, v string
		var n int64
		if _, err := fmt.Sscan(text, &d, &v, &n); err != nil {
			panic(err)
		}
		s.Add(Dimension(d), v, n)
	}
	return s
}

func TestContrasts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		here    Spread
		there   map[Baseline]Spread
		unknown bool
		want    []string // "dimension value baseline"
	}{
		{name: "nothing to compare with", here: spread("access_token.kid k2 40")},
		{name: "only here", here: spread("access_token.kid k2 40"), there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 90")}, want: []string{"access_token.kid k2 accepted"}},
		{name: "as often there", here: spread("access_token.kid k1 40"), there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 90")}},
		{name: "two accepted requests are too few", here: spread("access_token.kid k2 40"), there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 2")}},
		{name: "a share of a third tells, of a half does not", here: spread("access_token.kid k2 400", "access_token.aud a 400"),
			there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 2000", "access_token.kid k2 1000", "access_token.aud a 500", "access_token.aud b 500")},
			want:  []string{"access_token.kid k2 accepted"}},
		{name: "the value that most have", here: spread("access_token.kid k2 30", "access_token.kid k3 70"),
			there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 90")}, want: []string{"access_token.kid k3 accepted"}},
		{name: "half of them is not most", here: spread("access_token.kid k2 30", "access_token.kid k3 30"), there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 90")}},
		{name: "more support comes first", here: spread("access_token.kid k2 40", "access_token.typ none 40"),
			there: map[Baseline]Spread{BaselineAccepted: spread("access_token.kid k1 5", "access_token.typ jwt 5000")}, want: []string{"access_token.typ none accepted", "access_token.kid k2 accepted"}},
		{name: "what works comes before what fails", here: spread("endpoint e2 40", "access_token.kid k2 40"),
			there: map[Baseline]Spread{BaselineFailures: spread("endpoint e1 90"), BaselineAccepted: spread("access_token.kid k1 90")}, want: []string{"access_token.kid k2 accepted", "endpoint e2 failures"}},
		{name: "its service beside its other failures only", here: spread("service s2 40"), there: map[Baseline]Spread{BaselineFailures: spread("service s1 90"), BaselineSameClient: spread("service s2 20")}},
		{name: "few failures are of one client anyway", here: spread("client c 2"), there: map[Baseline]Spread{BaselineTraffic: spread("client c 0", "client … 900")}},
		{name: "other clients only where nothing is known of this one", here: spread("access_token.aud a2 40", "access_token.typ t2 40"),
			there: map[Baseline]Spread{BaselineAccepted: spread("access_token.aud a2 40"), BaselineOthersAccepted: spread("access_token.aud a1 90", "access_token.typ t1 90")},
			want:  []string{"access_token.typ t2 others_accepted"}},
		{name: "another client's key tells nothing", here: spread("client_assertion.kid k2 40"), there: map[Baseline]Spread{BaselineOthersAccepted: spread("client_assertion.kid k1 90"), BaselineFailures: spread("client_assertion.kid k1 90")}},
		{name: "the address of nobody known does", here: spread("client_ip x 40"), there: map[Baseline]Spread{BaselineFailures: spread("client_ip y 90")}, unknown: true, want: []string{"client_ip x failures"}},
		{name: "where requests went is told once", here: spread("api h2 40", "endpoint e 40", "method GET 40"),
			there: map[Baseline]Spread{BaselineAccepted: spread("api h1 90"), BaselineFailures: spread("endpoint e2 90", "method POST 90")}, want: []string{"api h2 accepted"}},
		{name: "it may be among what was not told apart", here: spread("user_agent u 40"), there: map[Baseline]Spread{BaselineAccepted: spread("user_agent v 20", "user_agent … 20")}},
		{name: "it is known not to be among it", here: spread("client c 40", "client … 2"), there: map[Baseline]Spread{BaselineTraffic: spread("client c 0", "client … 900")}, want: []string{"client c traffic"}},
		{name: "what is not told apart is no value", here: spread("endpoint … 40"), there: map[Baseline]Spread{BaselineFailures: spread("endpoint e 90")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range Contrasts(tt.here, tt.there, !tt.unknown) {
				got = append(got, fmt.Sprintf("%s %s %s", c.Dimension, c.Value, c.Baseline))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestContrasts_AtMostSixWithTheirValues(t *testing.T) {
	here, there := Spread{}, Spread{}
	for _, k := range SightKinds()[8:16] {
		d := Dimension(k)
		here.Add(d, "new", 30)
		for n := range 6 {
			there.Add(d, fmt.Sprint("old", n), int64(10-n))
		}
	}
	list := Contrasts(here, map[Baseline]Spread{BaselineAccepted: there}, true)
	if len(list) != contrastsShown {
		t.Fatalf("%d contrasts", len(list))
	}
	want := []ContrastValue{{"new", 30, 0}, {"old0", 0, 10}, {"old1", 0, 9}, {"old2", 0, 8}}
	if c := list[0]; !slices.Equal(c.Values, want) || c.Here != (Part{30, 30}) || c.There != (Part{0, 45}) || !math.IsInf(c.Lift(), 1) {
		t.Errorf("%+v", c)
	}
	if lift := (Contrast{Here: Part{40, 50}, There: Part{10, 100}}).Lift(); lift != 8 {
		t.Errorf("lift %v", lift)
	}
}

// What a failure shows has the same values as what accepted requests leave behind: otherwise nothing could be compared.
func TestFeatures_AgreeWithSights(t *testing.T) {
	exchanges, _ := corpusExchanges(t)
	seen := map[Dimension]bool{}
	for _, e := range exchanges {
		shown := map[Dimension]string{}
		for _, f := range e.Features(WrongAudience) {
			if _, twice := shown[f.Dimension]; twice {
				t.Fatalf("%s twice", f.Dimension)
			}
			if !slices.Contains(Dimensions(), f.Dimension) {
				t.Fatalf("%s is not listed", f.Dimension)
			}
			shown[f.Dimension], seen[f.Dimension] = f.Value, true
		}
		passed := e
		passed.Outcome = Accepted
		for _, s := range Sights(string(passed.AppendLook(nil, nil))) {
			if got, ok := shown[Dimension(s.Kind)]; s.Kind.IsHabit() && (!ok || got != s.Value) {
				t.Fatalf("%s: a failure shows %q, an accepted request %q", s.Kind, got, s.Value)
			}
		}
		if shown[DimensionEndpoint] != e.Endpoint || strings.Contains(shown[DimensionMethod], " ") {
			t.Fatalf("%+v", shown)
		}
	}
	elsewhere := []Dimension{DimensionClient, DimensionEnvironment, DimensionClientIP, Dimension(SightUserAgent)} // of the incident, or not in the corpora
	for _, d := range Dimensions() {
		if !seen[d] && !slices.Contains(elsewhere, d) {
			t.Errorf("no failure of the corpora shows %s", d)
		}
	}
}
