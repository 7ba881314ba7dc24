package api

import (
	"bytes"
	"html/template"
	"io/fs"
	"regexp"
	"testing"

	"authwatch/web"
)

func TestPages_ShareTheirParts(t *testing.T) {
	pages, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	moment := pages["overview.html"].Lookup("moment")
	for name, page := range pages {
		if moment == nil || page.Lookup("moment") != moment {
			t.Errorf("%s has parts of its own", name)
		}
	}
}

// In one set the later of two templates of one name would take the place of the other without a word.
func TestPages_NameTheirPartsApart(t *testing.T) {
	own := map[string]bool{"title": true, "head": true, "content": true}
	seen := map[string]string{}
	define := regexp.MustCompile(`{{-?\s*(?:define|block)\s+"([^"]+)"`)
	for _, pattern := range []string{"templates/*.html", "templates/parts/*.html", "templates/pages/*.html"} {
		files, err := fs.Glob(web.Files(), pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, files, err)
		}
		for _, file := range files {
			text, err := web.Files().ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range define.FindAllSubmatch(text, -1) {
				name := string(match[1])
				if other := seen[name]; other != "" && !own[name] {
					t.Errorf("%q is in %s and in %s", name, other, file)
				}
				seen[name] = file
			}
		}
	}
}

// A part that one page calls within an attribute and another within text is escaped for both, in whichever order they are shown.
func TestEscapePages_ForEveryPlaceThatCallsAPart(t *testing.T) {
	for _, order := range [][]string{{"text", "attribute"}, {"attribute", "text"}} {
		set := template.Must(template.New("").Parse(`{{define "part"}}{{.}}{{end}}{{define "layout of text"}}<p>{{template "part" .}}</p>{{end}}` +
			`{{define "layout of attribute"}}<p title={{template "part" .}}></p>{{end}}`))
		pages := pageSet{"text": set.Lookup("layout of text"), "attribute": set.Lookup("layout of attribute")}
		if err := escapePages(set, pages); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"text": `<p>a b=&lt;&#34;&gt;</p>`, "attribute": `<p title=a&#32;b&#61;&lt;&#34;&gt;></p>`}
		for _, page := range order {
			var b bytes.Buffer
			if err := pages[page].Execute(&b, `a b=<">`); err != nil || b.String() != want[page] {
				t.Errorf("%s: %s, %v; want %s", page, &b, err, want[page])
			}
		}
	}
}
