package classify

import "time"

// Questions are what a judgement may have to ask history beside what every one of its phase may: nobody asks who was accepted where the
// profile says it.
type questions uint8

const (
	ofForm      questions = 1 << iota // whether tokens are decoded where they are accepted
	ofJSON                            // whether token requests in JSON are
	ofIssuer                          // whose tokens
	ofAudience                        // for whom
	ofAlgorithm                       // signed how
	ofSharers                         // whose a key is as well: an assertion's may be that of another client

	allQuestions = ofForm | ofJSON | ofIssuer | ofAudience | ofAlgorithm | ofSharers
)

func (e *Exchange) questions() (q questions) {
	env := e.environment()
	if e.Phase == APICall || e.Record.ClientAssertion == nil {
		q |= ofForm
	}
	if e.sentJSON() {
		q |= ofJSON
	}
	if env == nil || len(env.Issuers) == 0 {
		q |= ofIssuer
	}
	if len(e.wantedAudiences(env)) == 0 {
		q |= ofAudience
	}
	if len(e.algorithms()) == 0 {
		q |= ofAlgorithm
	}
	if e.Phase == TokenRequest {
		q |= ofSharers
	}
	return q
}

// askedMentions are the facts of Keys.
func (e *Exchange) askedMentions(l mentions) mentions {
	if e.Outcome == Other || e.Phase == ClientSide {
		return l
	}
	q := e.questions()
	switch {
	case q&ofForm == 0:
	case e.Phase == APICall:
		l = l.own(FactShape, string(APICall), "jwt")
		l = l.own(FactShape, string(APICall), "opaque")
	default:
		l = l.both(FactShape, string(TokenRequest), "jwt")
	}
	if q&ofJSON != 0 {
		l = l.own(FactShape, string(TokenRequest), jsonMedia)
	}
	l = e.grantKeys(l)
	if e.Phase == APICall {
		if print := e.tokenPrint(); print != "" {
			l = l.whole(FactToken, print)
		}
	} else if e.ClientID != "" {
		l = l.whole(FactClient, e.ClientID).everywhere()
		l = l.whole(FactClient, anyName)
	}
	if e.ClientID != "" {
		l = l.clock(e.ClientID, e.Record.Time)
		l = l.clock(e.ClientID, e.Record.Time.Add(-time.Hour))
	}
	return e.tokenKeys(l, q)
}

// tokenKeys name what a decoded token shows, as far as there are questions about it.
func (e *Exchange) tokenKeys(l mentions, q questions) mentions {
	t := e.credential()
	if t == nil || t.Claims == nil {
		return l
	}
	iss := textOf(t.Claims.Get("iss"))
	owner := iss
	if e.Phase == TokenRequest {
		if owner == "" {
			owner = e.ClientID
		}
		if iss != "" && iss != e.ClientID {
			l = l.whole(FactClient, iss).everywhere()
		}
		if jti := textOf(t.Claims.Get("jti")); jti != "" {
			l = l.own(FactJTI, iss, jti)
		}
	} else if iss != "" && q&ofIssuer != 0 {
		l = l.whole(FactIssuer, iss).everywhere()
		l = l.whole(FactIssuer, anyName)
	}
	if kid := textOf(t.Header.Get("kid")); kid != "" {
		l = l.both(FactKID, owner, kid)
		l = l.own(FactKID, owner, anyName)
		if distinctive(kid) && q&ofSharers != 0 {
			l = l.both(FactKID, anyName, kid)
		}
	} else if e.Outcome == Failed {
		l = l.own(FactKID, owner, anyName) // whether accepted ones name their key
	}
	if q&ofAudience != 0 {
		list, _ := audiencesOf(t.Claims.Get("aud"))
		for _, aud := range list[:min(len(list), 4)] {
			l = l.both(FactAudience, string(e.Phase), aud)
		}
		l = l.own(FactAudience, string(e.Phase), anyName)
	}
	if alg := textOf(t.Header.Get("alg")); alg != "" && q&ofAlgorithm != 0 {
		l = l.own(FactShape, string(e.Phase), "alg ", alg)
		l = l.own(FactShape, string(e.Phase), "alg")
	}
	return l
}
