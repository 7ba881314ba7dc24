package api

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// changeJSON is a change that somebody told of, or that the traffic showed; the last members are only of the latter.
type changeJSON struct {
	ID          string               `json:"id"`
	Source      store.ChangeSource   `json:"source"`
	Time        time.Time            `json:"time"`
	Kind        store.DeploymentKind `json:"kind"`
	Title       string               `json:"title"`
	Provider    string               `json:"provider,omitempty"`
	Environment string               `json:"environment,omitempty"`
	Service     string               `json:"service,omitempty"`
	ClientID    string               `json:"client_id,omitempty"`
	URL         string               `json:"url,omitempty"`
	By          string               `json:"by"`
	ReceivedAt  time.Time            `json:"received_at"`
	Reference   string               `json:"reference,omitempty"` // the teller's own
	Field       classify.SightKind   `json:"field,omitempty"`     // what has another value: client_assertion.aud
	Host        string               `json:"host,omitempty"`      // of a key and of words: the server that met it first
	Was         string               `json:"was,omitempty"`
	Value       string               `json:"value,omitempty"`
	Accepted    int64                `json:"accepted,omitempty"`
	Rejected    int64                `json:"rejected,omitempty"` // failures that were about it
}

func toChangeJSON(d store.Deployment) changeJSON {
	out := changeJSON{ID: d.ID, Source: store.ChangeTold, Time: d.Time, Kind: d.Kind, Title: d.Title, Provider: d.Provider, Environment: d.Environment,
		Service: d.Service, ClientID: d.ClientID, URL: d.URL, By: d.By, ReceivedAt: d.ToldAt}
	if d.Reference != d.ID {
		out.Reference = d.Reference
	}
	return out
}

func toAnyChangeJSON(c store.Change) changeJSON {
	if c.Told != nil {
		return toChangeJSON(*c.Told)
	}
	s := c.Seen
	kind := store.DeployedOther
	if s.Kind == classify.SightAssertionKID || s.Kind == classify.SightTokenKID {
		kind = store.DeployedKey
	}
	return changeJSON{ID: s.ID, Source: store.ChangeTraffic, Time: s.FirstSeen, Kind: kind, Title: seenTitle(*s), Provider: s.Provider, Environment: s.Environment,
		ClientID: s.ClientID, By: "authwatch", ReceivedAt: s.FirstSeen, Field: s.Kind, Host: s.Host, Was: s.Was, Value: s.Value, Accepted: s.Accepted, Rejected: s.Rejected}
}

// newChangeJSON is what POST /api/v1/changes takes: title, and what else is known.
type newChangeJSON struct {
	Time        *time.Time           `json:"time"` // now unless given
	Kind        store.DeploymentKind `json:"kind"` // deploy unless given
	Title       string               `json:"title"`
	Provider    string               `json:"provider"`
	Environment string               `json:"environment"`
	Service     string               `json:"service"`
	ClientID    string               `json:"client_id"`
	URL         string               `json:"url"`
	Reference   string               `json:"reference"`
}

func (s *Server) listChanges(c echo.Context) error {
	q := s.query(c)
	f := store.ChangeFilter{Sources: manyOf(q, "source", store.ChangeSources()...), Providers: q.all("provider"), Environments: q.all("environment"),
		Clients: q.all("client"), Page: q.page()}
	f.From, f.To = q.window()
	if err := q.err(); err != nil {
		return err
	}
	rows, next, err := s.Store.ListChanges(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(rows, toAnyChangeJSON), next)
}

// addChange stores what a pipeline tells of: 201, or 200 when it was told before under the same reference (the member, or the
// header Idempotency-Key).
func (s *Server) addChange(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	var given newChangeJSON
	if err := readJSON(c.Request(), &given); err != nil {
		return err
	}
	given.Reference = cmp.Or(given.Reference, c.Request().Header.Get("Idempotency-Key"))
	d, faults := s.deployment(given)
	if len(faults) > 0 {
		return fail(http.StatusBadRequest, "The change is not valid; errors says why.", faults...)
	}
	d.By = identityOf(c).name()
	stored, added, err := s.Store.AddDeployment(c.Request().Context(), d)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if added {
		status = http.StatusCreated
	}
	return sendJSON(c, status, toChangeJSON(stored))
}

// deployment checks what was told, and redacts it: a pipeline's title or address may hold a token.
func (s *Server) deployment(given newChangeJSON) (store.Deployment, []fault) {
	now := s.Now()
	d := store.Deployment{Time: now, Kind: cmp.Or(given.Kind, store.DeployedCode), Provider: given.Provider,
		Environment: given.Environment, Service: given.Service, ClientID: given.ClientID}
	var faults []fault
	bad := func(pointer, code, detail string, allowed ...string) {
		faults = append(faults, fault{Pointer: pointer, Code: code, Detail: detail, Allowed: allowed})
	}
	if given.Time != nil {
		d.Time = given.Time.UTC()
	}
	if d.Time.After(now.Add(day)) || d.Time.Before(now.Add(-longestRange)) {
		bad("/time", "out_of_range", "a time of the last 400 days, and at most a day ahead")
	}
	switch d.Kind {
	case store.DeployedCode, store.DeployedConfiguration, store.DeployedKey, store.DeployedOther:
	default:
		bad("/kind", "not_allowed", "not one of the kinds of changes", texts(store.DeploymentKinds())...)
	}
	for _, field := range []struct {
		pointer, text string
		into          *string
	}{
		{"/title", given.Title, &d.Title}, {"/provider", given.Provider, &d.Provider}, {"/environment", given.Environment, &d.Environment},
		{"/service", given.Service, &d.Service}, {"/client_id", given.ClientID, &d.ClientID}, {"/url", given.URL, &d.URL}, {"/reference", given.Reference, &d.Reference},
	} {
		if len(field.text) > 256 && field.pointer != "/url" || len(field.text) > 2048 || !isText(field.text) {
			bad(field.pointer, "not_text", "UTF-8 text of at most 256 bytes (an address 2048) without NUL")
			continue
		}
		*field.into = s.Redact(field.text)
	}
	if d.Title == "" && len(faults) == 0 {
		bad("/title", "required", "say what changed: the service and its version")
	}
	if d.URL != "" && !isWebAddress(d.URL) {
		bad("/url", "not_an_address", "an http or https address")
	}
	return d, faults
}

func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
