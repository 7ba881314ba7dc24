// Package classify decides which documented cause made an authentication or authorization fail, and shows why.
//
// It is pure: no I/O, no clock, no randomness, no package state. History comes in as values. The same exchange and history give the
// same verdict, byte for byte, whatever the order of the checks.
//
// # Three witnesses
//
// The response says something (status, WWW-Authenticate, OAuth error, text), the token and the request show something when every
// check is re-run at the event's own time, and history knows something (this jti, this token, this key were seen before). None of
// them is enough: one provider hides 19 faults behind two codes, a bad kid reads "invalid signature" at the next, and a blank
// description is documented behaviour.
//
// The event's time is the server's: its own Date field when it sent one and it differs from the log's time by more than two seconds
// (less is rounding and latency) and less than a day (more is no clock). A time fault that holds by one of the two clocks only is
// never demonstrated.
//
// # Complaints
//
// The words of a server are read as a complaint: a set of subjects (what it is about: the audience, the signature, …), the cause that
// the words name if nothing else is known, and a strength: 3 names subject and fault, 2 the subject, 1 is generic and only ever a last
// resort. Two readers find it.
//
// Documented texts (Knowledge) are recognised first. A text of one system and one cause counts as named; a text that several causes
// share stands for the likeliest that no check speaks against, and is never more than inferred; a text that its system says of
// everything is no complaint, and its causes are only mentioned. So are those of words that every refusal is made of ("client
// authentication failed"), and those of a text that lists what may be wrong or stands for faults of three sorts, unless the provider is known
// to be the system that documents them: the next one means something else.
//
// The lexicon reads everything else. Texts are split into clauses and each clause into notions ("audience", "missing", "not", …); a
// short table, ordered from the rare notion to the common one, maps notions to complaints. There is no list of whole sentences, so that
// software that was never seen is understood as well as its vocabulary is usual. Of several clauses the last of the strongest counts:
// libraries wrap the reason in what it led to. invalid_client, invalid_token and other codes that stand for everything are no complaint
// at all. Definitions of the RFCs that servers repeat ("is otherwise malformed"), examples in parentheses and enumerations
// ("malformed or has incorrect claims") are known to say nothing. Library texts are translated for where they are met:
// "token expired" from a token endpoint is about the assertion. What a gateway or the server noted beside its answer (Record.Error) is
// heard after what the client was told. Of the page of a proxy, a firewall or a framework little is believed: its prose says no more than
// its status, an exception's page quotes the server's own source.
//
// # Findings
//
// A check of the token, the request or history that shows a fault leaves a finding: a cause, a weight, the value and what was
// expected.
//
//   - demonstrated (4000): a rule of the profile or of an RFC was re-run and fails, or history has an accepted use of the same jti.
//   - likely (3000): the sign is better than the plain reading of the server's words. An assertion made for five minutes that arrives
//     seven minutes old looks like a slow clock; a kid that was never accepted while others of the same issuer were is an unknown key.
//     What is learnt from the provider's own successes is never more than this.
//   - named words (2500), hinted words (2200).
//   - possible (2000): it may explain what nothing else does: JSON sent to an unknown server that answers a bare 400.
//   - what the provider documents a bare answer to mean (1020), what remains (1000), vague words (900).
//
// Within one weight the profile's check order decides (100 a place, while no words do), a cause that the words name too (50), then
// precedence (0 to 48, traits.go): what keeps a server from reading on comes before what it would have found later, the particular
// (wrong environment) before the general (wrong audience). The distances between the weights are larger than anything that is added
// within one, so that the weights are an order and nothing is ever summed up: ten weak signs are no proof.
//
// # Symptoms
//
// Each cause has symptoms (traits.go): the subjects that servers complain about when they meet it. They follow from the order in
// which verifiers work. A verifier takes the token apart, finds out whose it is, fetches that party's key, verifies the signature, and
// only then reads the claims; some report the claims of a token that they could not verify, none reports the signature of a token whose
// claims it has judged. So:
//
//   - An unknown client, a wrong issuer and a wrong environment come out as the client or the issuer (looked up by name), or as
//     the key, the kid or the signature (looked up by key).
//   - A wrong algorithm and a missing kid come out as the key or the signature; a malformed token as anything about its structure.
//   - An audience, a time or a jti comes out as itself only. A complaint about one of them therefore excludes every key fault, and a
//     complaint about a key excludes them.
//   - A claim that is missing or ill-formed comes out as that claim.
//
// # Fusion
//
//  1. If the complaint is understood, only findings that can cause it may decide. The others stay visible as evidence for another
//     cause.
//  2. The words are believed no further than the record (weigh.go, and the next section). Words that are outweighed do not count, stay
//     in sight as an alternative, and the verdict is not proven. "Authentication is missing" is refuted by a well-formed token in the
//     log, "no such key" by a key that other calls were accepted with: then the server could not get at it.
//  3. Demonstrated findings beat likely ones, these beat the cause that the words name, this beats possible findings.
//  4. If no finding and no words decide, the profile may say what its provider documents the bare answer to mean, unless a check
//     that passes refutes it. Else what remains is read by what is in order: an assertion that passes every check that can be run and
//     is refused with invalid_client was most likely signed with another key, because the signature is what a log cannot show; a token
//     that worked before and has not expired was revoked; a 403 is about what the caller may do, and about what accepted tokens at the
//     same endpoint have and this one has not; a client that got no answer could not reach the server. A bare 401 without a token stays
//     unclassified, with candidates.
//
// # Words against the record
//
// A check shows a fault, the words are about something else, and no finding fits them. Two stories are possible. Either the request has
// two faults, and the server came to the other one first; or it has this one, and the words were misread or mislead. The odds are kept in
// bits, n bits being one case in two to the n, and the less rare story is told; at a draw the record is.
//
// For the first story: two faults that do not come from each other, 5 bits, or 3 when the fault is likely and not demonstrated; 4 more if
// the check that the words' cause would fail was run and passes, because then the profile or a clock is wrong too; 3 more if this
// server is documented to check the shown fault first; 1 less for faults that many servers do not mind (the type of a token, an odd value
// of a claim, an iat that is ahead). A missing scope counts only after a 403, and that and a used jti only if what the words name is in
// order: servers come to these last, and a jti may be somebody else's.
//
// For the second: a reading by the lexicon is about something else in one case of sixteen (4 bits: on the first answers of seven verifiers that
// nobody had met, 32 of 592 verdicts were wrong, and all by words), one that names no fault in one of eight; a text that another system documents in
// one of 32; the system's own documented text, a registered code or the status in one of 256. "The signature did not verify" is worth 2 bits unless it
// is the system's own: verifying is one call in most libraries, and many a server reports whatever it returned by that name. The page with which
// a gateway refuses is worth none: it names who refused and not why. TestOdds varies each of these and fits them on all systems but one;
// little hangs on their exact values.
//
// So an expired token beats a stranger's sentence about its audience (5+4 against 4) and his "unknown key" (5 against 4), and loses to
// unsupported_grant_type (5 against 8) and to AADSTS700027 at Entra, unless the profile says that Entra looks at the time before the signature.
//
// # Confidence
//
// Proven needs a demonstrated finding that the complaint, if one was understood, fits, and no second demonstrated fault that could be
// the reason as well, unless the profile's check order settles which was met first. It also needs a status that does not speak against
// it: a server error or a 403 may have reasons of its own. Stated means that the server's words name the cause. Everything else is
// inferred.
//
// # History
//
// A jti counts as reused only between different exchanges, and only if the earlier use was of the same token or was accepted, since
// anybody can put somebody's jti into a forged token. An access token's jti repeats on every call and is never looked at.
//
// A client's clock is estimated by the largest iat minus server time of its assertions in this hour and the last: network and queues
// only make an assertion look older. The estimate is an interval: one second down for rounding, and up by two seconds and the
// lifetime over n+1, because a client may keep an assertion for its whole lifetime and n tries rarely all meet old ones. A slow clock
// is demonstrated only when the whole interval says that the assertion was expired when it was made.
//
// # Fix
//
// Each finding brings the edits that would repair it. The smallest set (one to three edits) with which every check that can be run
// passes is searched by running those again on the edited record that read what the edits change (rule.go; a test holds this to running
// all of them, on every corpus). What cannot be checked is named. Edits never concern the server.
//
// # Speed
//
// A Classifier is made once: it keeps hosts and token endpoints in tables, the desks that examinations work on, and what it heard in answers
// that came more than once, since servers repeat themselves. None of that shows in a verdict.
package classify
