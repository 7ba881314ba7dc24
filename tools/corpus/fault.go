package main

// A Fault is one entry of the scenario list: what is wrong with a request, and so what the truth is about its refusal.
type Fault struct {
	ID    string
	Cause string   // a code of authwatch's catalogue
	Also  []string // causes that nothing in the record tells apart from Cause; docs/corpus.md argues each
	Times int      // how often it is injected, with other values each time; 0 means 3

	Request bool // it spoils a token request; else an API call

	// Mode is the server that is asked, modeNormal unless said.
	Mode string

	// Silent says that neither the request nor the token shows the fault: only the server's words can.
	Silent bool

	Applies func(System) bool // nil: to every system
	Inject  func(*attempt)
}

func (f Fault) times() int {
	if f.Times == 0 {
		return 3
	}
	return f.Times
}

func (f Fault) appliesTo(s System) bool { return f.Applies == nil || f.Applies(s) }

// The servers that are started for each environment. They differ in nothing but this.
const (
	modeNormal  = "normal"
	modeLimited = "limited" // two requests a minute
	modeBlocked = "blocked" // an address filter refuses everybody
	modeNoKeys  = "nokeys"  // the issuer's keys cannot be fetched: nothing listens there
	modeBadKeys = "badkeys" // they cannot be fetched: the issuer answers 503
	modeGone    = "gone"    // a reverse proxy answers for a server that is not there
)

// faults lists everything that can be injected, by the identifiers that the corpora share: T token request, R API call,
// K the client's key, P the provider.
func faults() []Fault {
	all := callFaults()
	all = append(all, tokenFaults()...)
	all = append(all, clientFaults()...)
	return append(all, rareFaults()...)
}
