package api

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// unclassifiedPageRoutes are the pages of failures without a cause.
func (s *Server) unclassifiedPageRoutes() []route {
	return []route{
		{http.MethodGet, "/unclassified", pageViewer, s.unclassifiedPage},
		{http.MethodGet, "/unclassified/:id", pageViewer, s.proposePage},
	}
}

// An unclassifiedPage groups failures without a cause by what was said about them.
type unclassifiedPage struct {
	frame
	Range    rangeView
	Lede     string
	Clusters []clusterRow
	Cut      string // that older ones are left out
}

func (unclassifiedPage) template() string { return "unclassified.html" }

// A clusterRow is one group.
type clusterRow struct {
	Wording    string // "" when nothing was said
	Code       string
	Status     string
	Place      string
	Phase      string
	Count      tally
	Clients    string
	Last       moment
	Sample     string // URL
	Candidates []causeRef
	ProposeURL string
}

// A clusterKey is what failures of one group have in common.
type clusterKey struct {
	provider string
	phase    classify.Phase
	status   int
	code     string
	wording  string
}

// A cluster is a group of failures that nobody could tell the cause of.
type cluster struct {
	key        clusterKey
	count      int64
	clients    map[string]bool
	places     map[string]bool
	last       store.Failure // the latest
	candidates map[classify.Code]int
}

const (
	// unclassifiedLimit bounds the failures that one page groups: each record is read and heard again, a tenth of a millisecond.
	unclassifiedLimit = 300
	// unclassifiedPages bounds the pages of the list that are read for them.
	unclassifiedPages = 10
	// candidatesShown is how many causes of a group are named.
	candidatesShown = 3
)

func (s *Server) unclassifiedPage(c echo.Context) error {
	now, q := s.nowFor(c), c.QueryParams()
	w, err := windowOf(q, now, "7d")
	if err != nil {
		return err
	}
	list, more, err := s.unclassified(c.Request().Context(), store.FailureFilter{From: w.From, To: w.To}, unclassifiedLimit)
	if err != nil {
		return err
	}
	page := unclassifiedPage{frame: s.frameOf(c, "/unclassified"), Range: w.view("/unclassified", q)}
	for _, g := range s.clustersOf(list) {
		page.Clusters = append(page.Clusters, clusterRowOf(g, w))
	}
	page.Lede = counted(int64(len(list)), "failure", "failures") + " without a cause " + page.Range.Words + ", in " + counted(int64(len(page.Clusters)), "group", "groups") + " by what the server said."
	if more {
		page.Cut = "Only the latest " + count(int64(len(list))) + " are grouped; choose a shorter time for older ones."
	}
	return s.render(c, http.StatusOK, page)
}

// unclassified returns the latest failures of a filter that have no cause, and whether there are more.
func (s *Server) unclassified(ctx context.Context, f store.FailureFilter, limit int) (list []store.Failure, more bool, err error) {
	f.Causes = []classify.Code{classify.Unclassified}
	for range unclassifiedPages {
		f.Limit = limit + 1 - len(list) // one more says that there are more; the store bounds it
		found, next, err := s.Store.ListFailures(ctx, f)
		if err != nil {
			return nil, false, err
		}
		list, f.Cursor = append(list, found...), next
		if next == "" || len(list) > limit {
			break
		}
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, f.Cursor != "", nil
}

// keyOfCluster says which group a failure belongs to.
func (s *Server) keyOfCluster(f store.Failure) clusterKey {
	k := clusterKey{provider: f.Verdict.Provider, phase: f.Verdict.Phase, status: f.Status}
	if rec := recordOf(f.Record); rec != nil {
		code, text := classify.Said(s.classifier.Locate(rec))
		if codes, named := codesOf(rec); code == "" && named > 0 {
			code = codes[0]
		}
		k.code, k.wording = classify.Wording(code), classify.Wording(text)
	}
	return k
}

// An answerHeard is what was said where: all that the group of a failure depends on. Most answers without a cause are the
// same few, and reading a whole record costs more than finding its answer.
type answerHeard struct {
	clusterKey      // without code and wording
	endpoint        string
	challenge, body string
	note            string // of a client that had no answer
}

// clusterKeys is keyOfCluster for many failures, that reads each answer once.
type clusterKeys struct {
	server *Server
	known  map[answerHeard]clusterKey
}

func (c clusterKeys) of(f store.Failure) clusterKey {
	var said struct {
		Response struct {
			Headers struct {
				Challenge json.RawMessage `json:"www-authenticate"`
			} `json:"headers"`
			Body json.RawMessage `json:"body"`
		} `json:"response"`
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(f.Record, &said) != nil {
		return c.server.keyOfCluster(f)
	}
	a := answerHeard{clusterKey: clusterKey{provider: f.Verdict.Provider, phase: f.Verdict.Phase, status: f.Status}, endpoint: f.Endpoint,
		challenge: string(said.Response.Headers.Challenge), body: string(said.Response.Body), note: string(said.Error)}
	k, ok := c.known[a]
	if !ok {
		k = c.server.keyOfCluster(f)
		c.known[a] = k
	}
	return k
}

// clustersOf groups failures, largest group first. They come newest first.
func (s *Server) clustersOf(list []store.Failure) []*cluster {
	groups, keys := map[clusterKey]*cluster{}, clusterKeys{s, map[answerHeard]clusterKey{}}
	for _, f := range list {
		k := keys.of(f)
		g := groups[k]
		if g == nil {
			g = &cluster{key: k, clients: map[string]bool{}, places: map[string]bool{}, last: f, candidates: map[classify.Code]int{}}
			groups[k] = g
		}
		g.count++
		g.clients[f.Verdict.ClientID] = true
		g.places[placeOf(f.Verdict.Provider, f.Verdict.Environment)] = true
		for n, a := range f.Verdict.Alternatives[:min(len(f.Verdict.Alternatives), candidatesShown)] {
			g.candidates[a.Cause] += candidatesShown - n
		}
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b *cluster) int {
		return cmp.Or(cmp.Compare(b.count, a.count), b.last.Verdict.Time.Compare(a.last.Verdict.Time), cmp.Compare(a.last.ID, b.last.ID))
	})
}

// best are the causes that came nearest in a group, best first.
func (g *cluster) best() []classify.Code {
	list := slices.SortedFunc(maps.Keys(g.candidates), func(a, b classify.Code) int {
		return cmp.Or(cmp.Compare(g.candidates[b], g.candidates[a]), cmp.Compare(a, b))
	})
	return list[:min(len(list), candidatesShown)]
}

// failures lists those of the group, and others without a cause of its provider and status: a record is not found by its words.
func (g *cluster) failures(w window) string {
	pairs := []string{"cause", string(classify.Unclassified), "provider", g.key.provider}
	if g.key.status > 0 {
		pairs = append(pairs, "q", "status:"+strconv.Itoa(g.key.status))
	}
	return "/failures?" + w.query(pairs...)
}

func clusterRowOf(g *cluster, w window) clusterRow {
	row := clusterRow{
		Wording: shown(g.key.wording, valueLength), Code: line(g.key.code), Status: "no response", Phase: phaseWords(g.key.phase), Count: tallyOf(g.count, g.failures(w)),
		Clients: counted(int64(len(g.clients)), "client", "clients"), Last: at(g.last.Verdict.Time, w.Now, ""), Sample: "/failures/" + g.last.ID,
		ProposeURL: "/unclassified/" + url.PathEscape(g.last.ID), Place: join(slices.Sorted(maps.Keys(g.places))),
	}
	if len(g.clients) == 1 {
		row.Clients = clientOf(g.last.Verdict.ClientID).Name
	}
	if g.key.status > 0 {
		row.Status = strconv.Itoa(g.key.status)
	}
	for _, code := range g.best() {
		row.Candidates = append(row.Candidates, causeOf(code))
	}
	return row
}
