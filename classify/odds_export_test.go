package classify

// OddsVaried lists the odds by which words are believed with one of them a little higher or lower, under a name; the usual ones come first.
func OddsVaried() (names []string, judge []func(Exchange, History) Verdict) {
	usual := usualOdds()
	add := func(name string, o odds) {
		names = append(names, name)
		judge = append(judge, func(e Exchange, h History) Verdict {
			e.odds = &o
			return Classify(e, h)
		})
	}
	add("usual", usual)
	for _, field := range []struct {
		name string
		of   func(*odds) *int
	}{
		{"second fault", func(o *odds) *int { return &o.secondFault }},
		{"second sign", func(o *odds) *int { return &o.secondSign }},
		{"own check", func(o *odds) *int { return &o.ownCheck }},
		{"check order", func(o *odds) *int { return &o.checkOrder }},
		{"unminded", func(o *odds) *int { return &o.unminded }},
		{"hinted", func(o *odds) *int { return &o.hinted }},
		{"named", func(o *odds) *int { return &o.named }},
		{"documented", func(o *odds) *int { return &o.documented }},
		{"own", func(o *odds) *int { return &o.own }},
		{"signature", func(o *odds) *int { return &o.signature }},
	} {
		for _, step := range []struct {
			name string
			by   int
		}{{" -2", -2}, {" -1", -1}, {" +1", 1}, {" +2", 2}} {
			o := usual
			*field.of(&o) += step.by
			add(field.name+step.name, o)
		}
	}
	return names, judge
}
