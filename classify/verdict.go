package classify

import "time"

// A Phase is the step of the protocol that failed.
type Phase string

// The phases of an exchange.
const (
	TokenRequest Phase = "token_request"
	APICall      Phase = "api_call"
	ClientSide   Phase = "client_side" // there was no response at all
)

// A Confidence says how a cause is known.
type Confidence string

// The confidences, best first.
const (
	Proven   Confidence = "proven"   // a check demonstrates the cause and nothing contradicts it
	Stated   Confidence = "stated"   // the server's words name the cause
	Inferred Confidence = "inferred" // only generic signs
)

// A Fault says who has to act.
type Fault string

// The faults that a cause may be.
const (
	FaultClient   Fault = "client"
	FaultProvider Fault = "provider"
	FaultAPI      Fault = "api"
	FaultNetwork  Fault = "network"
	FaultUnknown  Fault = "unknown"
)

// Faults lists them.
func Faults() []Fault {
	return []Fault{FaultClient, FaultProvider, FaultAPI, FaultNetwork, FaultUnknown}
}

// A Witness is where a piece of evidence comes from.
type Witness string

// The witnesses that judge a failure; request is the token witness looking at the request's form.
const (
	WitnessResponse Witness = "response"
	WitnessToken    Witness = "token"
	WitnessRequest  Witness = "request"
	WitnessHistory  Witness = "history"
)

// A Verdict is the judgement of one auth failure. Its JSON form is the contract of API, CLI and export.
type Verdict struct {
	ID           string        `json:"id"`
	Time         time.Time     `json:"time"`
	Provider     string        `json:"provider,omitempty"`
	Environment  string        `json:"environment,omitempty"`
	ClientID     string        `json:"client_id,omitempty"`
	Phase        Phase         `json:"phase"`
	Cause        Code          `json:"cause"`
	Confidence   Confidence    `json:"confidence"`
	Fault        Fault         `json:"fault"`
	Summary      string        `json:"summary"`
	Evidence     []Evidence    `json:"evidence"`
	Checks       []*Check      `json:"checks"` // verdicts share them: nobody changes one
	Alternatives []Alternative `json:"alternatives"`
	Fix          Fix           `json:"fix"`
}

// Evidence is one observation. It speaks for its Cause: the verdict's, or another one that was considered.
type Evidence struct {
	Witness  Witness `json:"witness"`
	Path     string  `json:"path,omitempty"` // dotted path into the record: client_assertion.claims.aud
	Observed any     `json:"observed,omitempty"`
	Expected any     `json:"expected,omitempty"`
	Detail   string  `json:"detail"`          // one sentence
	Cause    Code    `json:"cause,omitempty"` // empty: a server that gave no reason speaks for nothing
}

// A CheckResult is the outcome of one check.
type CheckResult string

// The results of a check.
const (
	Pass         CheckResult = "pass"
	Fail         CheckResult = "fail"
	NotCheckable CheckResult = "not_checkable"
)

// A Check is one demand on the token or the request, re-run at the event's time.
type Check struct {
	Check  string      `json:"check"` // audience, expiry, …
	Result CheckResult `json:"result"`
	Path   string      `json:"path,omitempty"` // the value that was checked: client_assertion.claims.aud
	Detail string      `json:"detail"`
}

// An Alternative is another cause that the same signs allow.
type Alternative struct {
	Cause      Code       `json:"cause"`
	Confidence Confidence `json:"confidence"`
}

// A Fix is what would have made the request pass.
type Fix struct {
	Edits        []Edit   `json:"edits,omitempty"`
	Verified     bool     `json:"verified"`                // every runnable check passes with Edits applied
	NotCheckable []string `json:"not_checkable,omitempty"` // checks that could not be re-run
	Steps        []string `json:"steps"`                   // what to do, for people
}

// An Edit is one change of the record, in the manner of RFC 6902: op is replace, add or remove.
type Edit struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}
