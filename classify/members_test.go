package classify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Lists say and write what maps of the same members do, few members and many.
func TestMembers_LikeAMap(t *testing.T) {
	for _, n := range []int{0, 1, 5, fewMembers, fewMembers + 1, 100} {
		values, fields := map[string]any{}, map[string]string{}
		for i := range n {
			name := fmt.Sprintf("n%d<é\u2028", i*7919%n)
			values[name] = []any{json.Number("1e400"), "<a&b>", map[string]any{"z": nil, "a": true}}
			fields[name] = "<" + name
		}
		object, headers := ObjectOf(values), HeadersOf(fields)
		if len(object) != n || len(headers) != n || object.Has("n") || headers.Has("n") || object.Get("n") != nil || headers.Get("n") != "" {
			t.Fatalf("%d members: %v, %v", n, object, headers)
		}
		for name := range values {
			if !object.Has(name) || !headers.Has(name) || fmt.Sprint(object.Get(name)) != fmt.Sprint(values[name]) || headers.Get(name) != fields[name] {
				t.Errorf("%q: %v, %q", name, object.Get(name), headers.Get(name))
			}
		}
		for _, escape := range []bool{true, false} {
			for _, pair := range [][2]any{{object, values}, {headers, fields}, {[]any{object}, []any{values}}} {
				if got, want := encoded(t, pair[0], escape), encoded(t, pair[1], escape); got != want {
					t.Errorf("%T of %d: %s, want %s", pair[0], n, got, want)
				}
			}
		}
		var again Object
		if err := json.Unmarshal([]byte(encoded(t, object, true)), &again); err != nil || encoded(t, again, false) != encoded(t, object, false) || again == nil {
			t.Errorf("%d members: %v, %v", n, again, err)
		}
	}
}

func encoded(t *testing.T, value any, escape bool) string {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(escape)
	if err := enc.Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestMembers_NilAndEmpty(t *testing.T) {
	for _, tt := range []struct {
		token JWT
		want  string
	}{
		{JWT{}, `{"header":null,"claims":null}`},
		{JWT{Header: Object{}, Claims: ObjectOf(map[string]any{})}, `{"header":{},"claims":{}}`},
		{JWT{Header: ObjectOf(nil)}, `{"header":null,"claims":null}`},
	} {
		data, err := json.Marshal(tt.token)
		var again JWT
		if err != nil || string(data) != tt.want || json.Unmarshal(data, &again) != nil || (again.Claims == nil) != (tt.token.Claims == nil) {
			t.Errorf("%s, want %s, %v, read again as %+v", data, tt.want, err, again)
		}
	}
	if data, err := json.Marshal(Request{Headers: Headers{}}); err != nil || string(data) != "{}" {
		t.Errorf("%s, %v", data, err)
	}
}

func TestObject_FirstOfANameCounts(t *testing.T) {
	many := []string{`{"b":1,"a":2,"b":3,"a":{}`}
	for i := range 2 * fewMembers {
		many = append(many, fmt.Sprintf(`"c%d":0,"b":%d`, i, i))
	}
	for _, text := range []string{many[0] + "}", strings.Join(many, ",") + "}"} {
		var o Object
		if err := json.Unmarshal([]byte(text), &o); err != nil || o.Get("b") != json.Number("1") || o.Get("a") != json.Number("2") ||
			!slices.IsSortedFunc(o, func(a, b Member[any]) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%v, %v", o, err)
		}
	}
	var h Headers
	if err := json.Unmarshal([]byte(`{"B":["1",2],"a":"x","b":"3","C":null}`), &h); err != nil || fmt.Sprint(h) != "[{a x} {b 1, 2, 3} {c }]" {
		t.Errorf("%v, %v", h, err)
	}
}

// A changed copy shares nothing with the list that it was made of, and is in the order of the names as well.
func TestMembers_ChangedCopies(t *testing.T) {
	for n := range 2 * fewMembers {
		members := map[string]any{}
		for i := range n {
			members[fmt.Sprint("m", i*2)] = i
		}
		object := slices.Grow(ObjectOf(members), 8) // room that two copies must not share
		for i := range n + 2 {
			name := fmt.Sprint("m", i)
			one, two, less := object.With(name, "one"), object.With(name, "two"), object.Without(name)
			want := maps.Clone(members)
			want[name] = "one"
			if one.Get(name) != "one" || two.Get(name) != "two" || less.Has(name) || fmt.Sprint(one) != fmt.Sprint(ObjectOf(want)) || fmt.Sprint(object) != fmt.Sprint(ObjectOf(members)) {
				t.Fatalf("%s of %v: %v, %v, %v", name, members, one, two, less)
			}
		}
	}
	if got := Headers(nil).With("a", "b"); got.Get("a") != "b" || len(got.Without("a")) != 0 {
		t.Errorf("%v", got)
	}
}
