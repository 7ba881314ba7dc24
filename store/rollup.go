package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Counting costs a write next to nothing: what a transaction counted is one row of tally, under which everything in it is
// named in full. A fold adds the tallies of many transactions to the rollups, one for each question that is asked, and
// removes them. Whoever reads adds up both.

// A series is what is counted together. cause is "" for accepted traffic.
type series struct {
	provider, environment, clientID, cause, endpoint string
}

func (f *Failure) series() series {
	v := f.Verdict
	return series{v.Provider, v.Environment, v.ClientID, string(v.Cause), f.Endpoint}
}

// A grain says what the series of one rollup tell apart: cause, and what its name says.
type grain string

const (
	byNothing        grain = "all"
	byPlace          grain = "place" // provider and environment
	byClient         grain = "client"
	byEndpoint       grain = "endpoint"
	byClientEndpoint grain = "client_endpoint"
)

// ids are the numbers that series of the grain have: they lie together in every block, so that all are read in one go.
func (g grain) ids() (from, to int64) {
	const room = 1 << 56
	number := int64(slices.Index([]grain{byNothing, byPlace, byClient, byEndpoint, byClientEndpoint}, g))
	return number * room, (number+1)*room - 1
}

// newSeriesID makes a number for a series of the grain.
func (g grain) newSeriesID() int64 {
	from, to := g.ids()
	return from + newRef()%(to-from) + 1
}

// grainOf is the coarsest grain that tells apart what a question needs.
func grainOf(place, client, endpoint bool) grain {
	switch {
	case client && endpoint:
		return byClientEndpoint
	case endpoint:
		return byEndpoint
	case client:
		return byClient
	case place:
		return byPlace
	}
	return byNothing
}

// grains are the rollups that count a series. Nobody asks by endpoint what was accepted.
func (s series) grains() []grain {
	if s.cause == "" {
		return []grain{byNothing, byPlace, byClient}
	}
	return []grain{byNothing, byPlace, byClient, byEndpoint, byClientEndpoint}
}

// of is the series of the grain that s belongs to.
func (g grain) of(s series) series {
	if g == byNothing {
		return series{cause: s.cause}
	}
	if g != byClient && g != byClientEndpoint {
		s.clientID = ""
	}
	if g != byEndpoint && g != byClientEndpoint {
		s.endpoint = ""
	}
	return s
}

// A minuteCount is a change of the count of one minute, numbered from 1970 on.
type minuteCount struct{ minute, n int64 }

// minuteCounts are changes of counts, of which several may be of one minute.
type minuteCounts []minuteCount

func (c *minuteCounts) add(minute, n int64) {
	if last := len(*c) - 1; last >= 0 && (*c)[last].minute == minute {
		(*c)[last].n += n
		return
	}
	*c = append(*c, minuteCount{minute, n})
}

// rollupCounts are changes of counts, of which several may be of one series.
type rollupCounts []seriesCounts

type seriesCounts struct {
	series
	minutes minuteCounts
}

// of is where to add to a series, until it is asked for another one.
func (c *rollupCounts) of(s series) *minuteCounts {
	if last := len(*c) - 1; last < 0 || (*c)[last].series != s {
		*c = append(*c, seriesCounts{series: s})
	}
	return &(*c)[len(*c)-1].minutes
}

func (c *rollupCounts) add(s series, at time.Time, n int64) { c.of(s).add(minuteOf(toMillis(at)), n) }

func minuteOf(ms int64) int64 { return floorTo(ms, minuteStep) / minuteStep }

// addCounts keeps the changes as a tally. Negative ones take back what was counted before.
func (t *Tx) addCounts(ctx context.Context, counts rollupCounts) error {
	if len(counts) == 0 {
		return nil
	}
	if err := t.exec(ctx, `insert into tally (id, counts) values ($1, $2)`, newRef(), counts.encode()); err != nil {
		return fmt.Errorf("keep tally: %w", err)
	}
	return nil
}

// encode writes the distinct texts, and then for each series the numbers of its five texts, of its minutes, and for each of
// those by how much it is later than the one before and its count.
func (c rollupCounts) encode() []byte {
	texts, numbers := []string{}, map[string]uint64{}
	counts := make([]byte, 0, 16*len(c))
	var before [5]string // texts of the series before, of which most are those of this one too
	var known [5]uint64
	for n := range c {
		s := &c[n].series
		for i, text := range [...]string{s.provider, s.environment, s.clientID, s.cause, s.endpoint} {
			if n == 0 || text != before[i] {
				number, ok := numbers[text]
				if !ok {
					number = uint64(len(texts))
					numbers[text], texts = number, append(texts, text)
				}
				before[i], known[i] = text, number
			}
			counts = binary.AppendUvarint(counts, known[i])
		}
		counts = binary.AppendUvarint(counts, uint64(len(c[n].minutes)))
		minute := int64(0)
		for _, one := range c[n].minutes {
			counts = binary.AppendVarint(binary.AppendVarint(counts, one.minute-minute), one.n)
			minute = one.minute
		}
	}
	b := binary.AppendUvarint(nil, uint64(len(texts)))
	for _, s := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return append(b, counts...)
}

// eachSeries reads what encode wrote. The list is good until do returns.
func eachSeries(b []byte, do func(s series, list minuteCounts)) error {
	d := countDecoder{rest: b}
	for left := d.unsigned(); left > 0 && !d.damaged; left-- {
		length := d.unsigned()
		if d.damaged = d.damaged || length > uint64(len(d.rest)); !d.damaged {
			d.texts, d.rest = append(d.texts, string(d.rest[:length])), d.rest[length:]
		}
	}
	var list minuteCounts
	for len(d.rest) > 0 && !d.damaged {
		s := series{d.text(), d.text(), d.text(), d.text(), d.text()}
		list = list[:0]
		minute := int64(0)
		for left := d.unsigned(); left > 0 && !d.damaged; left-- {
			minute += d.signed()
			list = append(list, minuteCount{minute, d.signed()})
		}
		if !d.damaged {
			do(s, list)
		}
	}
	if d.damaged {
		return errDamagedCounts
	}
	return nil
}

// A countDecoder reads one thing after the other; once something could not be read, everything is zero.
type countDecoder struct {
	rest    []byte
	texts   []string
	damaged bool
}

func (d *countDecoder) unsigned() uint64 {
	v, n := binary.Uvarint(d.rest)
	if d.damaged = d.damaged || n <= 0; d.damaged {
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *countDecoder) signed() int64 {
	v, n := binary.Varint(d.rest)
	if d.damaged = d.damaged || n <= 0; d.damaged {
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// text reads the number of a text.
func (d *countDecoder) text() string {
	n := d.unsigned()
	if d.damaged = d.damaged || n >= uint64(len(d.texts)); d.damaged {
		return ""
	}
	return d.texts[n]
}
