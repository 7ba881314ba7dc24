package api

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A number of failures leads to just these, or where records are not found by what was counted to a list that holds them.
func TestNumbersLeadToRecords(t *testing.T) {
	s := newSite(t)
	s.addBusyDay(t)
	link := regexp.MustCompile(`<a href="(/failures\?[^"]*)">([\d,]+)(?:</a>| failures?\b|<span)`)
	for _, tt := range []struct {
		path  string
		least int // links
		exact bool
	}{
		{"/", 5, true}, {"/causes", 4, true}, {"/causes/wrong_audience", 2, true}, {"/incidents?state=all", 4, true}, {"/clients", 4, true}, {"/clients/orders-bot", 3, true},
		{"/environments", 2, true}, {"/unclassified", 0, false},
	} {
		found := link.FindAllStringSubmatch(s.page(t, tt.path, "session viewer"), -1)
		if len(found) < tt.least {
			t.Errorf("%s has only %d links to failures", tt.path, len(found))
		}
		for _, m := range found {
			want, err := strconv.Atoi(strings.ReplaceAll(m[2], ",", ""))
			if err != nil {
				t.Fatal(err)
			}
			list := s.page(t, html.UnescapeString(m[1]), "session viewer")
			got := strings.Count(list, `<th scope="row" class="nobreak"><a href="/failures/rec_`)
			if want = min(want, failuresOnPage); got < want || tt.exact && got != want {
				t.Errorf("%s: %s leads to %d records: %s", tt.path, m[2], got, m[1])
			}
		}
	}
}

func TestRecordsURL(t *testing.T) {
	first, last := time.Date(2026, 11, 20, 10, 0, 0, 5e8, time.UTC), time.Date(2026, 11, 20, 10, 0, 9, 5e8, time.UTC)
	for _, tt := range []struct {
		got, want string
	}{
		{recordsURL(first, last, "client", "a", "client", "b&c"), "/failures?client=a&client=b%26c&from=2026-11-20T10%3A00%3A00Z&to=2026-11-20T10%3A00%3A10Z"},
		{recordsURL(time.Time{}, last), "/failures?from=2025-10-17T10%3A00%3A09Z&to=2026-11-20T10%3A00%3A10Z"},
		{recordsURL(first, time.Time{}), ""},
		{tallyOf(0, "/failures").URL, ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
}
