package profile

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

// FuzzParse: no file makes the reader panic, and what is accepted can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	files, err := builtIn.ReadDir("builtin")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := builtIn.ReadFile("builtin/" + file.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{"provider: a\nmeanings: [{status: 403, cause: scope_gap}]\n", "provider: &a acme\ntitle: *a\n", "<<: {provider: a}\n", "provider: 1e400\n", "- a\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("x.yaml", data)
		if err != nil {
			return
		}
		printed, err := yaml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("y.yaml", printed); err != nil {
			t.Fatalf("%v in\n%s", err, printed)
		}
	})
}
