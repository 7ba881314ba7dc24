package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// readJSON reads a body that is one JSON object into a struct, each member by its exact name: a member with a typing mistake
// must not be a change that does something else. What is wrong is said by place, and never quoted.
func readJSON(r *http.Request, into any) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != mediaJSON && media != "application/merge-patch+json" {
		return fail(http.StatusUnsupportedMediaType, "Send Content-Type: application/json.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if faults := readMembers(body, reflect.ValueOf(into).Elem(), ""); len(faults) > 0 {
		return fail(http.StatusBadRequest, "The body is not a JSON object with the members that belong here.", faults...)
	}
	return nil
}

// readMembers fills a struct from a JSON object; pointer is where the object stands in the body.
func readMembers(data []byte, into reflect.Value, pointer string) (faults []fault) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return []fault{{Pointer: pointer, Code: "not_an_object", Detail: "a JSON object is due here"}}
	}
	columns := columnsOf(into.Type())
	for name, value := range members {
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		if at < 0 {
			var allowed []string
			for _, c := range columns {
				allowed = append(allowed, c.name)
			}
			faults = append(faults, fault{Pointer: pointer, Code: "unknown_member", Detail: "a member that does not exist here", Allowed: allowed})
			continue
		}
		field, place := into.FieldByIndex(columns[at].index), pointer+"/"+name
		if field.Kind() == reflect.Struct && field.Type() != reflect.TypeFor[time.Time]() {
			faults = append(faults, readMembers(value, field, place)...)
			continue
		}
		if err := json.Unmarshal(value, field.Addr().Interface()); err != nil {
			faults = append(faults, fault{Pointer: place, Code: mistyped(field.Type()), Detail: typeWords(field.Type())})
		}
	}
	slices.SortFunc(faults, func(a, b fault) int { return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Code, b.Code)) })
	return faults
}

func mistyped(t reflect.Type) string {
	if isTime(t) {
		return "not_rfc3339"
	}
	return "wrong_type"
}

func isTime(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[*time.Time]()
}

// typeWords says what a member has to be.
func typeWords(t reflect.Type) string {
	if t.Kind() == reflect.Pointer && !isTime(t) {
		t = t.Elem()
	}
	switch {
	case isTime(t):
		return "a time as RFC 3339 has it"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "an array"
	case t.Kind() == reflect.Map:
		return "an object"
	default:
		return "a number"
	}
}
