package classify

import (
	"reflect"
	"testing"
)

// What is remembered of an answer is what hearing it again would give, and no two answers are taken for one.
func TestHearings(t *testing.T) {
	exchanges, _ := corpusExchanges(t)
	h := newHearings()
	for round := range 3 {
		for i := range exchanges {
			e := &exchanges[i]
			a := answerOf(e)
			var got words
			if known := h.hear(&a, e.knowledge, &got); known != nil {
				got = *known
			}
			want := a.words(e.knowledge)
			if got.quoted != nil {
				want.wording, want.quoted = want.compared(), want.quote(a.phase)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("round %d: %s: heard %+v, want %+v", round, e.Record.ID, got, want)
			}
		}
	}
	remembered := 0
	for i := range h.kept {
		if h.kept[i].Load() != nil {
			remembered++
		}
	}
	if remembered < 100 {
		t.Errorf("%d answers of %d exchanges are remembered", remembered, len(exchanges))
	}
}

// Every part of an answer tells it from others.
func TestAnswer_Same(t *testing.T) {
	a := answer{phase: APICall, provider: "p", title: "t", challenge: "c", body: Body("b"), note: "n"}
	for i := range reflect.TypeFor[answer]().NumField() {
		b := a.clone()
		if !a.same(&b) {
			t.Fatal("a copy is not the same")
		}
		field := reflect.NewAt(reflect.TypeFor[answer]().Field(i).Type, reflect.ValueOf(&b).Elem().Field(i).Addr().UnsafePointer()).Elem()
		field.SetZero()
		if a.same(&b) {
			t.Errorf("%s makes no difference", reflect.TypeFor[answer]().Field(i).Name)
		}
	}
}
