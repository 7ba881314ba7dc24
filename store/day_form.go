package store

import "time"

// A dayForm reads times that are written in one layout: a day, the time of day, and the zone. Nearly all are of the day of
// the one before.
type dayForm struct {
	layout string
	day    int    // length of the day in the layout
	last   string // the day that was read last
	begins int64  // when it begins, in Unix milliseconds
}

// read returns the Unix milliseconds of a time that is written exactly as the layout writes it.
func (f *dayForm) read(text []byte) (millis int64, ok bool) {
	if f.last != "" && string(text[:f.day]) == f.last {
		if at, ok := clockMillis(text[f.day:]); ok {
			return f.begins + at, true
		}
	}
	word := string(text)
	at, err := time.Parse(f.layout, word)
	if err != nil || at.UTC().Format(f.layout) != word {
		return 0, false
	}
	if millis = at.UnixMilli(); millis > 0 {
		f.last, f.begins = word[:f.day], millis-millis%(24*60*60*1000)
	}
	return millis, true
}

// clockMillis reads 15:04:05.000Z and 15:04:05 GMT.
func clockMillis(text []byte) (millis int64, ok bool) {
	ok = text[2] == ':' && text[5] == ':'
	number := func(from, to int) (n int64) {
		for _, c := range text[from:to] {
			ok = ok && c-'0' <= 9
			n = n*10 + int64(c-'0')
		}
		return n
	}
	h, m, s := number(0, 2), number(3, 5), number(6, 8)
	millis = (h*3600 + m*60 + s) * 1000
	if string(text[8:]) != " GMT" {
		ok = ok && len(text) == 13 && text[8] == '.' && text[12] == 'Z'
		millis += number(9, len(text)-1)
	}
	return millis, ok && h < 24 && m < 60 && s < 60
}
