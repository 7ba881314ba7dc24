package classify

import "slices"

// grantKeys name what a token lets its bearer do at an endpoint: its scopes and its roles, each as a set.
func (e *Exchange) grantKeys(l mentions) mentions {
	t := e.Record.AccessToken
	if e.Phase != APICall || t == nil || t.Claims == nil || e.Endpoint == "" {
		return l
	}
	for _, sort := range [...]string{grantScopes, grantRoles} {
		l = l.grant(e.Endpoint, sort, t)
		l = l.grant(e.Endpoint, sort, nil)
	}
	return l
}

// The sorts of grants.
const (
	grantScopes = "scopes"
	grantRoles  = "roles"
)

// grantName is the Key.Name of the grants of one sort that a token has, or without a token of whichever.
func grantName(endpoint, sort string, t *JWT) string {
	return string(appendGrant(nil, endpoint, sort, t))
}

func appendGrant(out []byte, endpoint, sort string, t *JWT) []byte {
	out = append(append(append(append(out, sort...), ' '), endpoint...), ' ')
	if t == nil {
		return append(out, anyName...)
	}
	members := [...]string{"scope", "scp"}
	if sort == grantRoles {
		members = [...]string{"roles", "permissions"}
	}
	var room [16]string
	for _, member := range members {
		list := room[:0]
		switch v := t.Claims.Get(member).(type) {
		case string:
			list = appendFields(list, v)
		case []any:
			for _, element := range v[:min(len(v), maxAudiences)] {
				list = append(list, textOf(element))
			}
		default:
			continue
		}
		slices.Sort(list)
		for i, element := range list {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, element...)
		}
		out = append(out, ';')
	}
	return out
}
