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
// # Complaints
//
// The words of a server are read as a complaint: a subject (what it is about: the audience, the signature, …), the cause that
// the phrase names if nothing else is known, and a strength. Texts are split into clauses and each clause into notions ("audience",
// "missing", "not", …); a short ordered table maps notions to complaints. There is no list of whole sentences, so that software
// that was never seen is understood as well as its vocabulary is usual. Numbered codes that mean more than their wording
// (AADSTS700027, IDX10503, 394304) are looked up. invalid_client, invalid_token and other codes that stand for everything are no
// complaint at all. Definitions of the RFCs that servers repeat ("is otherwise malformed"), examples in parentheses and
// enumerations ("malformed or has incorrect claims") are known to say nothing. Library texts are translated for where they are met:
// "token expired" from a token endpoint is about the assertion.
//
// # Findings
//
// A check of the token, the request or history that shows a fault leaves a finding: a cause, a weight, the value and what was
// expected. Demonstrated means that a rule of the profile or of an RFC was re-run and fails. Likely means that the sign is better
// than the plain reading of the server's words: an assertion made for five minutes that arrives seven minutes old looks like a slow
// clock, a kid that was never accepted while others of the same issuer were is an unknown key. Possible means that it may explain
// what nothing else does. What is learnt from the provider's own successes is never more than likely. Checks that cannot be run say why.
//
// # Fusion
//
// Each cause has symptoms: the subjects that servers complain about when they meet it. An unknown client is reported as an unknown
// client, as a wrong issuer, as a missing key or as a bad signature, by the order in which a server looks. So:
//
//  1. If the complaint is understood, only findings that can cause it may decide. The others stay visible as evidence for another
//     cause. A claim error from a server that verifies signatures first excludes the key, for its subject fits no key fault.
//  2. Demonstrated findings beat likely ones, these beat the cause that the words name, this beats possible findings.
//  3. Among equals the profile's check order decides, if the words do not; then precedence: what keeps a server from reading on comes
//     before what it would have found later, the particular (wrong environment) before the general (wrong audience).
//  4. If no finding and no words decide, what remains is read by what is in order: an assertion that passes every check that can be
//     run and is refused with invalid_client was most likely signed with another key, because the signature is what a log cannot show;
//     a token that worked before and has not expired was revoked; a 403 is about what the caller may do. This is never
//     more than inferred. A bare 401 without a token stays unclassified, with candidates.
//
// # Confidence
//
// Proven needs a demonstrated finding that the complaint, if one was understood, fits, and no second demonstrated fault that could be
// the reason as well, unless the profile's check order settles which was met first. It also needs a status that does not speak against
// it: a server error or a 403 may have reasons of its own. Stated means that the server's words name the cause. Everything else is
// inferred.
//
// # Replay and forgery
//
// A jti counts as reused only between different exchanges, and only if the earlier use was of the same token or was accepted, since
// anybody can put somebody's jti into a forged token. An access token's jti repeats on every call and is never looked at.
//
// # Fix
//
// Each finding brings the edits that would repair it. The smallest set (one to three edits) with which every check that can be run
// passes is searched by running them all again on the edited record. What cannot be checked is named. Edits never concern the server.
package classify
