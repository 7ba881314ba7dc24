package api

import (
	"net/http"
	"strings"
	"testing"
)

// The page shows every operation and every object that the description has.
func TestReferencePage(t *testing.T) {
	s := newSite(t)
	body := s.page(t, "/reference", "session viewer") + s.page(t, "/reference/objects", "session viewer")
	for _, tag := range s.terms.document.Tags {
		body += s.page(t, "/reference/"+tag.Name, "session viewer")
	}
	if got := s.do(t, ask{path: "/reference/nothing", who: "session viewer"}); got.status != http.StatusNotFound {
		t.Errorf("a part that is none: %d", got.status)
	}
	for path, item := range s.terms.document.Paths.Map() {
		for method, operation := range item.Operations() {
			if !strings.Contains(body, `id="`+operation.OperationID+`"><code>`+method+" "+path) {
				t.Errorf("%s %s is not shown", method, path)
			}
		}
	}
	for name, schema := range s.terms.document.Components.Schemas {
		if len(schema.Value.Properties) > 0 && !strings.Contains(body, `id="schema-`+name+`"`) {
			t.Errorf("%s is not shown", name)
		}
	}
	for _, want := range []string{`href="/reference/objects#schema-Incident"`, "Scope respond.", "-X PATCH", "jti_reuse,clock_skew", "last_seen | first_seen | count", "(50 unless given)"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
