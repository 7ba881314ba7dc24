package classify

import "cmp"

// Said is what was said about a failure, as the response witness hears it: the code (an OAuth error, or what stands in its place) and the
// words, cut to what evidence shows. Either is "" where there is none; a page of HTML has no words.
func Said(e Exchange) (code, text string) {
	w := e.hear()
	return w.code, cmp.Or(w.text, w.said)
}

// BodyValues calls each with every string and number of a response body, in document order, and its dotted path from
// response.body: what Meaning.Code is compared with.
func BodyValues(body Body, each func(path, value string)) {
	readBody(body, func(path, _, value string) { each(path, value) })
}
