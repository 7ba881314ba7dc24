package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func viewContract() []contractTest {
	return []contractTest{{"views are a user's own or everybody's, and saved again under their name", testViews}}
}

func testViews(t *testing.T, w *world) {
	ctx := t.Context()
	save := func(v View) View {
		t.Helper()
		saved, err := w.SaveView(ctx, v)
		if err != nil {
			t.Fatal(err)
		}
		return saved
	}
	mine := save(View{Page: ViewIncidents, Name: "at night", Query: "state=all", Owner: "usr_1", By: "sam"})
	save(View{Page: ViewIncidents, Name: "at night", Query: "state=open", Owner: "usr_2", By: "kim"})
	all := save(View{Page: ViewOverview, Name: "last week", Query: "range=7d", By: "kim"})
	again := save(View{Page: ViewIncidents, Name: "at night", Query: "state=resolved", Owner: "usr_1", By: "sam"})
	if again.ID != mine.ID || again.Query != "state=resolved" {
		t.Errorf("saved again: %+v, was %+v", again, mine)
	}
	list, err := w.ListViews(ctx, "usr_1")
	if err != nil || len(list) != 2 || list[0] != again || list[1] != all {
		t.Errorf("%+v, %v", list, err)
	}
	if err := w.DeleteView(ctx, mine.ID, "usr_2", true); !errors.Is(err, ErrNotFound) {
		t.Errorf("somebody else's view: %v", err)
	}
	if err := w.DeleteView(ctx, all.ID, "usr_1", false); !errors.Is(err, ErrNotFound) {
		t.Errorf("everybody's view, by who may not: %v", err)
	}
	if err := errors.Join(w.DeleteView(ctx, all.ID, "usr_1", true), w.DeleteView(ctx, mine.ID, "usr_1", false)); err != nil {
		t.Error(err)
	}
	for _, bad := range []View{{Page: "settings", Name: "x"}, {Page: ViewOverview}, {Page: ViewOverview, Name: strings.Repeat("x", 101)}, {Page: ViewOverview, Name: "x", Query: "%zz"}} {
		if _, err := w.SaveView(ctx, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for n := range maxViews {
		save(View{Page: ViewOverview, Name: fmt.Sprint(n), Owner: "usr_3"})
	}
	if _, err := w.SaveView(ctx, View{Page: ViewOverview, Name: "one more", Owner: "usr_3"}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	save(View{Page: ViewOverview, Name: "7", Query: "range=1h", Owner: "usr_3"})
}
