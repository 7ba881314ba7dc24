package classify

import (
	"encoding/json"
	"strings"
)

// edited is the exchange with edits applied to copies of the parts that they touch.
func (x *examination) edited(edits []Edit) Exchange {
	e := x.Exchange
	r := *e.Record
	e.Record = &r
	for _, edit := range edits {
		applyEdit(&r, edit)
	}
	return e
}

func applyEdit(r *Record, edit Edit) {
	part, rest, _ := strings.Cut(edit.Path, ".")
	section, name, _ := strings.Cut(rest, ".")
	switch part {
	case "client_assertion":
		r.ClientAssertion = r.ClientAssertion.with(section, name, edit.Value)
	case "access_token":
		r.AccessToken = r.AccessToken.with(section, name, edit.Value)
	case "request":
		if r.Request == nil {
			return
		}
		request := *r.Request
		r.Request = &request
		if section == "headers" {
			request.Headers = request.Headers.With(name, editText(name, edit.Value))
		} else {
			request.Body = withParameter(request.Body, name, edit.Value)
		}
	}
}

// editText is the redacted form of a header field that an edit sets.
func editText(name string, value any) string {
	text, _ := value.(string)
	if name == "authorization" {
		return strings.Replace(text, "<token>", "[jwt]", 1)
	}
	return text
}

func (t *JWT) with(section, name string, value any) *JWT {
	if t == nil {
		return nil
	}
	copied := *t
	if section == "header" {
		copied.Header = t.Header.With(name, value)
	} else {
		copied.Claims = t.Claims.With(name, value)
	}
	return &copied
}

func withParameter(body Body, name string, value any) Body {
	f := formOf(body)
	values := make(map[string]any, len(f.params)+1)
	for i := range f.params {
		values[f.params[i].name] = f.value(f.params[i].name)
	}
	values[name] = value
	data, err := json.Marshal(values)
	if err != nil {
		return body
	}
	return data
}
