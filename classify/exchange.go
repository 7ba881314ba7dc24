package classify

// An Outcome says what a record means for authentication.
type Outcome string

// The outcomes. Only Failed is judged; Accepted is history and denominator; Other is only counted.
const (
	Failed   Outcome = "failed"   // an authentication or authorization failure
	Accepted Outcome = "accepted" // the server accepted the token or the assertion, or the exchange carried auth and succeeded
	Other    Outcome = "other"    // says nothing about authentication: a 404, a public page, a business error without auth
)

// An Exchange is a record placed: whose it is, where it happened and what it means.
type Exchange struct {
	Record      *Record
	Profile     *Profile // never nil: an unknown provider has the RFC rules only
	Provider    string   // the record's, else the profile's, else the host that answered
	Environment string   // by the host that was called, else the record's; "" when unknown
	ClientID    string   // the record's, else client_id of the form, else the token's own claims; "" when unknown
	Phase       Phase
	Endpoint    string // "POST api.example.com/v1/orders/{id}": variable path segments folded, bounded
	Outcome     Outcome

	path         string          // that was called
	routes       []ScopeRule     // the profile's, from the first that the path fits
	requirements *requirements   // of the profile's tokens; nil when nobody has made them out
	knowledge    *Knowledge      // by which its words are read; nil for none
	causes       map[Code]*Cause // the catalogue, when whoever placed the exchange keeps it
	desks        *desks          // for its examination; nil for none
	odds         *odds           // by which its words are believed; nil for the usual ones
	hearings     *hearings       // of answers that were heard before; nil for none
	forms        *forms          // that were read before; nil for none
	print        string          // of its token, once it was asked for
	heard        *words          // what was said, once it was asked for, if the hearings remember it
}

// Profiles is the set of profiles in force, in order of preference.
type Profiles []*Profile

// Locate places one record whose words are read without documented texts. A Classifier is quicker for more than one.
func (ps Profiles) Locate(r *Record) Exchange {
	return newPlaces(ps).locate(r, &Classifier{knowledge: NewKnowledge(nil)})
}

// A Classifier places records by the profiles and the documented texts in force. It is immutable; any number of goroutines may share it.
type Classifier struct {
	places    *places
	knowledge *Knowledge
	causes    map[Code]*Cause
	desks     *desks
	odds      *odds
	hearings  *hearings
	forms     *forms
	endpoints *endpoints
}

// New puts profiles and documented texts together; a nil Knowledge leaves the words to the lexicon.
func New(profiles Profiles, k *Knowledge) *Classifier {
	if k == nil {
		k = NewKnowledge(nil)
	}
	causes := map[Code]*Cause{}
	for _, row := range Catalogue() {
		causes[row.Code] = &row
	}
	o := usualOdds()
	return &Classifier{places: newPlaces(profiles), knowledge: k, causes: causes, desks: &desks{}, odds: &o, hearings: newHearings(), forms: newForms(), endpoints: newEndpoints()}
}

// Locate places a record. It is pure and never fails: what cannot be told stays empty.
func (c *Classifier) Locate(r *Record) Exchange {
	return c.places.locate(r, c)
}
