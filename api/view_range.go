package api

import (
	"net/http"
	"net/url"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	// longestRange keeps a hand-written range from asking for every rollup there is.
	longestRange = 400 * day
)

// A window is the time that a page speaks about: [From, To), cut in steps, compared with Shift earlier.
type window struct {
	Preset string // "24h", or "" for from and to
	From   time.Time
	To     time.Time
	Now    time.Time
	Step   time.Duration
	Shift  time.Duration
	Alone  bool // the reader does not want to see the earlier time
}

// A preset is a range that a link offers. Step divides it into some fifty bars.
type preset struct {
	name  string
	words string
	span  time.Duration
	step  time.Duration
}

func presets() []preset {
	return []preset{
		{"1h", "last hour", time.Hour, time.Minute},
		{"6h", "last 6 hours", 6 * time.Hour, 5 * time.Minute},
		{"24h", "last 24 hours", day, 30 * time.Minute},
		{"7d", "last 7 days", week, 3 * time.Hour},
		{"30d", "last 30 days", 30 * day, 12 * time.Hour},
	}
}

// windowOf reads range, or from and to, of a URL; usual is the preset without either.
func windowOf(q url.Values, now time.Time, usual string) (window, error) {
	if q.Get("from") != "" || q.Get("to") != "" {
		return absoluteWindow(q.Get("from"), q.Get("to"), now)
	}
	name := q.Get("range")
	if name == "" {
		name = usual
	}
	var names []string
	for _, p := range presets() {
		if p.name == name {
			return p.window(now), nil
		}
		names = append(names, p.name)
	}
	return window{}, fail(http.StatusBadRequest, "The range is not one of those that this page knows.",
		fault{Parameter: "range", Code: "unknown_range", Detail: "use a preset, or from and to", Allowed: names})
}

// window ends at the minute, or for long ranges the hour, that now belongs to, so that the rollups answer it.
func (p preset) window(now time.Time) window {
	grain := time.Minute
	if p.step >= time.Hour {
		grain = time.Hour
	}
	to := ceil(now.UTC(), grain)
	return window{Preset: p.name, From: to.Add(-p.span), To: to, Now: now, Step: p.step, Shift: shiftOf(p.span)}
}

// shiftOf is the smallest number of whole weeks that puts the earlier window before this one: the same weekday, no overlap.
func shiftOf(span time.Duration) time.Duration {
	return week * ((span + week - 1) / week)
}

func absoluteWindow(from, to string, now time.Time) (window, error) {
	start, err := parseTime("from", from, now.Location())
	if err != nil {
		return window{}, err
	}
	end := now
	if to != "" {
		if end, err = parseTime("to", to, now.Location()); err != nil {
			return window{}, err
		}
	}
	return spanWindow(start, end, now)
}

// spanWindow cuts any time into at most some sixty steps.
func spanWindow(start, end, now time.Time) (window, error) {
	span := end.Sub(start)
	if span <= 0 || span > longestRange {
		return window{}, fail(http.StatusBadRequest, "The range must end after it begins and be no longer than 400 days.",
			fault{Parameter: "to", Code: "bad_range", Detail: "to must be after from, by at most 400 days"})
	}
	step := stepOf(span)
	from, last := start.UTC().Truncate(step), ceil(end.UTC(), step)
	return window{From: from, To: last, Now: now, Step: step, Shift: shiftOf(last.Sub(from))}, nil
}

func ceil(t time.Time, grain time.Duration) time.Time {
	floor := t.Truncate(grain)
	if floor.Before(t) {
		return floor.Add(grain)
	}
	return floor
}

func stepOf(span time.Duration) time.Duration {
	for _, step := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day} {
		if span <= 60*step {
			return step
		}
	}
	return week
}

// parseTime reads RFC 3339, or what a browser's datetime-local field sends in the reader's time zone.
func parseTime(parameter, text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil && t.Year() >= 1970 && t.Year() < 9000 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fail(http.StatusBadRequest, "A time of the range cannot be read.",
		fault{Parameter: parameter, Code: "not_rfc3339", Detail: "write it as 2026-11-22T03:14:00Z"})
}

// earlier is the window that this one is compared with. It ends where this one has got to by now, not where its last step will end.
func (w window) earlier() (from, to time.Time) {
	to = w.To
	if w.Now.Before(to) {
		to = w.Now
	}
	return w.From.Add(-w.Shift), to.Add(-w.Shift)
}

// query writes the window, and further pairs, as the query of another page's link.
func (w window) query(pairs ...string) string { return w.values(pairs...).Encode() }

// values are those of query; a name may come several times.
func (w window) values(pairs ...string) url.Values {
	q := url.Values{}
	if w.Preset != "" {
		q.Set("range", w.Preset)
	} else {
		q.Set("from", w.From.Format(time.RFC3339))
		q.Set("to", w.To.Format(time.RFC3339))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}

// aloneOf reads compare, which is on unless it is said otherwise.
func aloneOf(q url.Values) (bool, error) {
	switch q.Get("compare") {
	case "", "on":
		return false, nil
	case "off":
		return true, nil
	}
	return false, fail(http.StatusBadRequest, "The comparison is on or off.", fault{Parameter: "compare", Code: "unknown_compare", Detail: "use on or off", Allowed: []string{"on", "off"}})
}

// compareChoice is the link that switches the comparison off, or on again.
func (w window) compareChoice(path string, q url.Values) choice {
	if w.Alone {
		return choice{Label: "Compare with " + w.then(), URL: linkTo(path, q, "compare", "")}
	}
	return choice{Label: "Without " + w.then(), URL: linkTo(path, q, "compare", "off")}
}

// then names the earlier window.
func (w window) then() string {
	if w.Shift == week {
		return "last week"
	}
	return count(int64(w.Shift/week)) + " weeks earlier"
}

// words names the window: "in the last 24 hours", or from when to when.
func (w window) words() string {
	for _, p := range presets() {
		if p.name == w.Preset {
			return "in the " + p.words
		}
	}
	zone := w.Now.Location()
	return "from " + w.From.In(zone).Format("2 Jan 2006 15:04") + " to " + w.To.In(zone).Format("2 Jan 2006 15:04")
}

// A rangeView is the range picker: links for the presets and a form for from and to.
type rangeView struct {
	Path    string
	Presets []choice
	Keep    []pair // other filters of the URL, as hidden fields
	Zone    string // in which the fields and all times are
	From    string // value of a datetime-local field
	To      string
	Custom  bool
	Words   string
	Now     moment
	Link    string // the same page with its times as they are now: for a message that is read tomorrow
	Compare choice // switches the comparison off, or on again; no label where nothing is compared
	Earlier string // URL of the same length of time before this one
	Later   string // "" when that would lie ahead
}

// A choice is one link of a set of which at most one is current.
type choice struct {
	Label   string
	Title   string
	URL     string
	Current bool
	Count   string // "" for none
	Key     string // that goes there after g; "" for none
}

// A pair is a hidden field of a form.
type pair struct{ Name, Value string }

// shifted links to the window so many times its own length away.
func (w window) shifted(path string, q url.Values, times time.Duration) string {
	by := times * w.To.Sub(w.From)
	return linkTo(path, q, "range", "", "from", w.From.Add(by).Format(time.RFC3339), "to", w.To.Add(by).Format(time.RFC3339))
}

func (w window) view(path string, q url.Values) rangeView {
	zone := w.Now.Location()
	v := rangeView{
		Path: path, From: w.From.In(zone).Format("2006-01-02T15:04"), To: w.To.In(zone).Format("2006-01-02T15:04"), Zone: zoneName(w.Now),
		Custom: w.Preset == "", Words: w.words(), Now: at(w.Now, w.Now, ""),
	}
	v.Earlier, v.Link = w.shifted(path, q, -1), w.shifted(path, q, 0)
	if w.To.Before(w.Now) {
		v.Later = w.shifted(path, q, 1)
	}
	for _, p := range presets() {
		v.Presets = append(v.Presets, choice{
			Label: p.name, Title: capitalize(p.words), Current: p.name == w.Preset,
			URL: linkTo(path, q, "range", p.name, "from", "", "to", ""),
		})
	}
	for _, name := range sortedNames(q) {
		if name != "range" && name != "from" && name != "to" && name != "cursor" {
			for _, value := range q[name] {
				v.Keep = append(v.Keep, pair{name, value})
			}
		}
	}
	return v
}
