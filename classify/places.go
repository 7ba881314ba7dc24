package classify

import "strings"

// places is where the profiles in force are, with every host and URL parsed once: a record is placed by a few look-ups, however many
// profiles there are.
type places struct {
	sites    []*site            // in order of preference
	byID     map[string]*site   // the first of that name
	byHost   map[string][]*site // those that may own the host, in order of preference
	hostless bool               // a token endpoint names no host, so that only its whole text can be compared
	unknown  *site              // of nobody: the RFC rules only
}

// A site is a profile with the addresses of its environments.
type site struct {
	profile      *Profile
	environments []installation
	requirements requirements // of its tokens
}

// An installation is an environment of a site.
type installation struct {
	environment *Environment
	hosts       []string
	endpoints   []endpoint
}

// An endpoint is a URL that calls are compared with, as sameURL does.
type endpoint struct {
	text string
	address
	plain bool // it has nothing that a comparison by parts would miss
}

func endpointAt(url string) endpoint {
	if e, plain := plainEndpoint(url); plain {
		return e
	}
	return endpoint{text: url, address: cutAddress(url), plain: strings.IndexByte(url, '?') < 0 && strings.IndexByte(url, '#') < 0 && strings.IndexByte(url, '@') < 0}
}

// plainEndpoint reads what nearly every URL is in one pass: https, a host in lower case without a port, and a path.
func plainEndpoint(url string) (e endpoint, ok bool) {
	const scheme = "https"
	if len(url) > 4096 || !strings.HasPrefix(url, scheme+"://") {
		return e, false
	}
	end := len(scheme) + len("://")
	start := end
	for ; end < len(url) && url[end] != '/'; end++ {
		if c := url[end]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return e, false
		}
	}
	for i := end; i < len(url); i++ {
		if c := url[i]; c == '?' || c == '#' || c == '@' {
			return e, false
		}
	}
	if end == start || url[end-1] == '.' {
		return e, false
	}
	return endpoint{text: url, address: address{scheme: scheme, host: url[start:end], path: url[end:]}, plain: true}, true
}

func (e *endpoint) same(other *endpoint) bool {
	return e.text == other.text || e.host != "" && e.plain && other.plain && e.address == other.address
}

func newPlaces(profiles Profiles) *places {
	ps := &places{byID: map[string]*site{}, byHost: map[string][]*site{}, unknown: siteOf(&Profile{})}
	for _, p := range profiles {
		if p == nil {
			continue
		}
		s := siteOf(p)
		ps.sites = append(ps.sites, s)
		if ps.byID[p.ID] == nil {
			ps.byID[p.ID] = s
		}
		for i := range s.environments {
			for _, host := range s.environments[i].hosts {
				ps.own(host, s)
			}
			for _, u := range s.environments[i].endpoints {
				ps.own(u.host, s)
				ps.hostless = ps.hostless || u.host == ""
			}
		}
	}
	return ps
}

// own notes that a site may own a host. Sites come one after the other, so that only the last can be there.
func (ps *places) own(host string, s *site) {
	if list := ps.byHost[host]; host != "" && (len(list) == 0 || list[len(list)-1] != s) {
		ps.byHost[host] = append(list, s)
	}
}

func siteOf(p *Profile) *site {
	s := &site{profile: p, environments: make([]installation, len(p.Environments)), requirements: requirementsOf(p)}
	for i := range p.Environments {
		env := &p.Environments[i]
		at := &s.environments[i]
		at.environment = env
		for _, h := range env.Hosts {
			at.hosts = append(at.hosts, h, addressOf(h).host)
		}
		for _, list := range [...][]string{env.TokenEndpoints, env.APIAudiences, env.Issuers} {
			for _, u := range list {
				if a := addressOf(u); a.scheme != "" {
					at.hosts = append(at.hosts, a.host)
				}
			}
		}
		for _, u := range env.TokenEndpoints {
			at.endpoints = append(at.endpoints, endpointAt(u))
		}
	}
	return s
}

// find is the site of a record, by its provider or by the host that was called, and the environment of that host.
func (ps *places) find(r *Record, called *endpoint, host string) (*site, *Environment) {
	if s := ps.named(r.Provider); s != nil {
		if env := s.environmentAt(r, called, host); env != nil {
			return s, env
		}
		return s, environmentNamed(s.profile, r.Environment)
	}
	candidates := ps.byHost[host]
	if ps.hostless && called.host == "" {
		candidates = ps.sites
	}
	for _, s := range candidates {
		if env := s.environmentAt(r, called, host); env != nil {
			return s, env
		}
	}
	return ps.unknown, nil
}

// named is the site of that name, nil for none.
func (ps *places) named(id string) *site {
	if id == "" {
		return nil
	}
	return ps.byID[id]
}

// environmentAt finds the environment that owns the host. Where several share it, the token endpoint's whole URL decides, then the record.
func (s *site) environmentAt(r *Record, called *endpoint, host string) *Environment {
	if host == "" {
		return nil
	}
	var found *Environment
	shared := false
	for i := range s.environments {
		at := &s.environments[i]
		if r.Request != nil && at.grants(called) {
			return at.environment
		}
		if contains(at.hosts, host) {
			shared = shared || found != nil
			if found == nil {
				found = at.environment
			}
		}
	}
	if shared {
		if env := environmentNamed(s.profile, r.Environment); env != nil {
			return env
		}
	}
	return found
}

// grants reports whether the URL is one of the installation's token endpoints.
func (at *installation) grants(called *endpoint) bool {
	for i := range at.endpoints {
		if at.endpoints[i].same(called) {
			return true
		}
	}
	return false
}

// grants reports whether the URL is a token endpoint of any of the site's environments.
func (s *site) grants(called *endpoint) bool {
	for i := range s.environments {
		if s.environments[i].grants(called) {
			return true
		}
	}
	return false
}
