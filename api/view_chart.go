package api

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

const (
	chartWidth  = 960
	chartHeight = 220
	stripHeight = 36
	sparkWidth  = 120
	sparkHeight = 24
	// chartSeries is how many series are told apart; the rest is drawn as one.
	chartSeries = 7
)

// A chartView is a stacked bar chart with its words and its table. Coordinates are in a box of Width × Height; the page
// stretches it, so labels are text outside the drawing.
type chartView struct {
	Title   string
	Summary string // one sentence that says what the drawing shows
	Width   int
	Height  int
	Series  []chartSeriesView
	Ghost   string // path of the earlier window's outline; "" when there is none
	Then    string // names the earlier window
	Gaps    string // path of the steps in which nothing was received at all
	Strip   string // path of the accepted requests, below
	StripOf string // what the strip's full height stands for
	Lines   []float64
	Ticks   []string // labels of the lines, top first
	Labels  []string // evenly spaced under the drawing
	Steps   []chartStep
	Marks   []chartMark
	Columns []string
	Rows    []chartRow
	Empty   bool
	From    string // of the first step and the end of the last, RFC 3339: what a part of the drawing stands for
	To      string
	Behind  string // URL of the failures that are drawn; "" for none
}

// A chartSeriesView is one colour of the stack. Class is g-<group> and its tone.
type chartSeriesView struct {
	Class string
	Name  string
	URL   string
	Total tally
	Path  string
}

// A chartStep is the invisible box that carries the words of one step.
type chartStep struct {
	X, W  float64
	Title string
}

// A chartMark is a change that was told of: a line in the drawing, and words below it.
type chartMark struct {
	X     float64
	When  moment
	Title string
	URL   string
	Place string
}

// A chartRow is one step of the table.
type chartRow struct {
	Time  moment
	Cells []string
}

// A named series is what a chart stacks; Class and URL are the caller's business.
type namedSeries struct {
	Class  string
	Name   string
	URL    string
	Cause  string // "" for several together
	Total  int64
	Counts []int64
}

// A chartInput is what chartOf draws. Earlier may be nil; Successes too.
type chartInput struct {
	Title     string
	Window    window
	Starts    []time.Time
	Series    []namedSeries
	Failures  []int64
	Successes []int64
	Earlier   []int64
	Marks     []store.Deployment
	Strip     bool
	Behind    url.Values // of the list of the failures that are drawn; nil where there is none
}

// behind links how many failures a series has.
func (in chartInput) behind(s namedSeries) tally {
	if in.Behind == nil || s.Cause == "" {
		return tally{Text: count(s.Total)}
	}
	return tallyOf(s.Total, linkTo("/failures", in.Behind, "cause", s.Cause))
}

func chartOf(in chartInput) chartView {
	in.Series = foldSeries(in.Series)
	v := chartView{Title: in.Title, Width: chartWidth, Height: chartHeight, Then: in.Window.then(),
		From: in.Window.From.UTC().Format(time.RFC3339), To: in.Window.To.UTC().Format(time.RFC3339)}
	n := len(in.Starts)
	peak, peakAt := highest(in.Failures)
	highEarlier, _ := highest(in.Earlier)
	top := niceTop(max(peak, highEarlier))
	width := round(chartWidth / float64(max(n, 1)))
	v.drawStack(in, top, width)
	v.drawSteps(in, width)
	v.drawMarks(in)
	v.Lines = []float64{0, chartHeight / 2, chartHeight}
	v.Ticks = []string{count(top), count(top / 2), "0"}
	v.Labels = axisLabels(in.Window)
	if sum(in.Earlier) > 0 {
		v.Ghost = outline(in.Earlier, top, width)
	}
	if in.Strip && sum(in.Successes) > 0 {
		most, _ := highest(in.Successes)
		v.Strip, v.StripOf = bars(in.Successes, make([]int64, n), most, width, stripHeight), count(most)
	}
	v.Empty = sum(in.Failures) == 0
	if in.Behind != nil && !v.Empty {
		v.Behind = linkTo("/failures", in.Behind)
	}
	v.Summary = chartSummary(in, peak, peakAt)
	v.table(in)
	return v
}

// foldSeries keeps the largest series and makes one of the rest.
func foldSeries(series []namedSeries) []namedSeries {
	if len(series) <= chartSeries {
		return series
	}
	rest := namedSeries{Class: "g-other", Name: "other causes", Counts: make([]int64, len(series[0].Counts))}
	for _, s := range series[chartSeries-1:] {
		rest.Total += s.Total
		for i := range rest.Counts {
			rest.Counts[i] += s.Counts[i]
		}
	}
	return append(slices.Clone(series[:chartSeries-1]), rest)
}

func (v *chartView) drawStack(in chartInput, top int64, width float64) {
	base := make([]int64, len(in.Starts))
	for _, s := range in.Series {
		v.Series = append(v.Series, chartSeriesView{Class: s.Class, Name: s.Name, URL: s.URL, Total: in.behind(s),
			Path: bars(s.Counts, base, top, width, chartHeight)})
		for i := range base {
			base[i] += s.Counts[i]
		}
	}
}

// drawSteps gives every step its words, and marks those in which the shippers were silent.
func (v *chartView) drawSteps(in chartInput, width float64) {
	silent := make([]int64, len(in.Starts))
	for i, start := range in.Starts {
		title := stepWords(start, in.Window) + ": " + counted(in.Failures[i], "failure", "failures")
		for _, s := range in.Series {
			if s.Counts[i] > 0 && len(in.Series) > 1 {
				title += "\n" + count(s.Counts[i]) + " " + s.Name
			}
		}
		if i < len(in.Successes) {
			title += "\n" + count(in.Successes[i]) + " accepted"
			if in.Successes[i] == 0 && in.Failures[i] == 0 && start.Before(in.Window.Now) && !in.Strip {
				silent[i] = 1
				title = stepWords(start, in.Window) + ": nothing received"
			}
		}
		v.Steps = append(v.Steps, chartStep{X: round(float64(i) * width), W: width, Title: title})
	}
	// One client is often silent; only all of them together tell of a shipper that died.
	if quiet := sum(silent); !in.Strip && quiet > 0 && quiet < int64(len(silent)) {
		v.Gaps = bars(silent, make([]int64, len(silent)), 1, width, chartHeight)
	}
}

// drawMarks puts the changes where they happened, earliest first.
func (v *chartView) drawMarks(in chartInput) {
	from, span := in.Window.From, in.Window.To.Sub(in.Window.From)
	for _, d := range slices.Backward(in.Marks) {
		if d.Time.Before(from) || d.Time.Sub(from) >= span {
			continue
		}
		v.Marks = append(v.Marks, chartMark{X: round(chartWidth * float64(d.Time.Sub(from)) / float64(span)), When: at(d.Time, in.Window.Now, "–"),
			Title: line(d.Title), URL: d.URL, Place: changePlace(d)})
	}
}

func (v *chartView) table(in chartInput) {
	v.Columns = []string{"Failures"}
	if len(in.Series) > 1 {
		for _, s := range in.Series {
			v.Columns = append(v.Columns, capitalize(s.Name))
		}
	}
	if len(in.Earlier) > 0 {
		v.Columns = append(v.Columns, "Failures "+in.Window.then())
	}
	if len(in.Successes) > 0 {
		v.Columns = append(v.Columns, "Accepted")
	}
	for i, start := range in.Starts {
		cells := []int64{in.Failures[i]}
		if len(in.Series) > 1 {
			for _, s := range in.Series {
				cells = append(cells, s.Counts[i])
			}
		}
		if len(in.Earlier) > 0 {
			cells = append(cells, valueAt(in.Earlier, i))
		}
		if len(in.Successes) > 0 {
			cells = append(cells, in.Successes[i])
		}
		if sum(cells) == 0 {
			continue
		}
		row := chartRow{Time: moment{ISO: start.UTC().Format(time.RFC3339), Text: stepWords(start, in.Window)}}
		for _, c := range cells {
			row.Cells = append(row.Cells, count(c))
		}
		v.Rows = append(v.Rows, row)
	}
}

func chartSummary(in chartInput, peak int64, peakAt int) string {
	total := sum(in.Failures)
	if total == 0 {
		return "No failures " + in.Window.words() + "."
	}
	text := counted(total, "failure", "failures") + " " + in.Window.words() +
		", at most " + count(peak) + " in " + roughly(in.Window.Step) + " (" + stepWords(in.Starts[peakAt], in.Window) + ")"
	if len(in.Series) > 1 {
		text += "; most often " + in.Series[0].Name + " (" + percent(in.Series[0].Total, total) + ")"
	}
	if len(in.Earlier) > 0 {
		text += "; " + compare(total, sum(in.Earlier), in.Window.then()).Words
	}
	return text + "."
}

// stepWords names one step: "14:00" of a day's chart, "22 Nov 12:00" of longer ones.
func stepWords(start time.Time, w window) string {
	switch {
	case w.Step >= day:
		return start.In(w.Now.Location()).Format("2 Jan")
	case w.To.Sub(w.From) > day:
		return start.In(w.Now.Location()).Format("2 Jan 15:04")
	default:
		return start.In(w.Now.Location()).Format("15:04")
	}
}

// axisLabels are five times at even distances, the ends included.
func axisLabels(w window) []string {
	layout := "15:04"
	if w.To.Sub(w.From) > 2*day {
		layout = "2 Jan"
	}
	labels := make([]string, 5)
	for i := range labels {
		labels[i] = w.From.Add(w.To.Sub(w.From) * time.Duration(i) / 4).In(w.Now.Location()).Format(layout)
	}
	return labels
}

// bars draws one series of a stack as a single path: a page holds a few long paths rather than hundreds of elements.
func bars(counts, base []int64, top int64, width float64, height int) string {
	var b strings.Builder
	gap := math.Min(1.5, width*0.15)
	for i, n := range counts {
		if n <= 0 || top <= 0 {
			continue
		}
		low := float64(height) * (1 - float64(base[i])/float64(top))
		tall := float64(height) * float64(n) / float64(top)
		// Less than a pixel would vanish, and a failure must be seen.
		tall = math.Max(tall, 1)
		fmt.Fprintf(&b, "M%s %sh%sv-%sh-%sz", short(float64(i)*width+gap/2), short(low), short(width-gap), short(tall), short(width-gap))
	}
	return b.String()
}

// outline draws a step line over the whole width.
func outline(counts []int64, top int64, width float64) string {
	var b strings.Builder
	for i, n := range counts {
		y := short(chartHeight * (1 - float64(n)/float64(top)))
		if i == 0 {
			b.WriteString("M0 " + y)
		} else {
			b.WriteString("V" + y)
		}
		b.WriteString("H" + short(float64(i+1)*width))
	}
	return b.String()
}

// A sparkView is a word-sized chart; Words replace it for who cannot see it.
type sparkView struct {
	Width, Height int
	Path          string
	Words         string
}

func sparkOf(counts []int64, w window) sparkView {
	top, at := highest(counts)
	v := sparkView{Width: sparkWidth, Height: sparkHeight, Words: "no failures " + w.words()}
	if top == 0 || len(counts) == 0 {
		return v
	}
	v.Path = bars(counts, make([]int64, len(counts)), top, sparkWidth/float64(len(counts)), sparkHeight)
	v.Words = counted(sum(counts), "failure", "failures") + " " + w.words() + ", most at " + stepWords(w.From.Add(time.Duration(at)*w.Step), w)
	return v
}

// niceTop is the smallest of 2, 4, 6, 8, 10, 20, 40 … that holds n, so that half of it is a whole number.
func niceTop(n int64) int64 {
	for scale := int64(1); ; scale *= 10 {
		for _, step := range []int64{2, 4, 6, 8, 10} {
			if n <= step*scale {
				return step * scale
			}
		}
		if scale > math.MaxInt64/1000 {
			return n
		}
	}
}

func highest(counts []int64) (most int64, at int) {
	for i, n := range counts {
		if n > most {
			most, at = n, i
		}
	}
	return most, at
}

func sum(counts []int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}

func valueAt(counts []int64, i int) int64 {
	if i < len(counts) {
		return counts[i]
	}
	return 0
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

func short(x float64) string { return strconv.FormatFloat(round(x), 'f', -1, 64) }

// causeSeries names the series of a trend by cause. A cause keeps the hue of its group on every page; several of one
// group get further tones in the order of their size.
func causeSeries(t store.Trend) []namedSeries {
	tones := map[string]int{}
	var out []namedSeries
	for _, s := range t.Series {
		group := groupClass(s.Name)
		class := group
		if tone := tones[group]; tone > 0 {
			class += " tone-" + strconv.Itoa(min(tone, 2))
		}
		tones[group]++
		ref := causeOf(classify.Code(s.Name))
		out = append(out, namedSeries{Class: class, Name: inSentence(ref.Title), URL: ref.URL, Cause: s.Name, Total: s.Total, Counts: s.Counts})
	}
	return out
}
