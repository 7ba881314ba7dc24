package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "authwatch"

// An importRule says what a package's own code may import. Tests may import more: they put parts together.
type importRule struct {
	ours      []string // packages of this module
	others    []string // modules, by prefix
	forbidden []string // of the standard library
}

// importRules is the arrow between the packages, which runs one way. Every package of the module is listed.
func importRules() map[string]importRule {
	return map[string]importRule{
		"classify":         {forbidden: []string{"os", "io/fs", "net", "net/http", "database/sql", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand"}},
		"classify/example": {ours: []string{"classify", "classify/profile"}},
		"classify/profile": {ours: []string{"classify"}, others: []string{"go.yaml.in/yaml/v3"}},
		"migrations":       {},
		"web":              {},
		"store": {ours: []string{"classify", "migrations"}, others: []string{"github.com/mattn/go-sqlite3", "github.com/jackc/pgx/v5",
			"github.com/pressly/goose/v3", "github.com/google/uuid", "github.com/klauspost/compress"}},
		"ingest": {ours: []string{"classify", "store"}, others: []string{"github.com/prometheus/client_golang",
			"github.com/golang-jwt/jwt/v5", "github.com/klauspost/compress", "github.com/tinylib/msgp", "go.opentelemetry.io/collector/pdata",
			"golang.org/x/time", "google.golang.org/protobuf", "go.yaml.in/yaml/v3"}},
		"bundle": {ours: []string{"classify"}, forbidden: []string{"os", "io/fs", "net/http", "database/sql", "log", "log/slog"}},
		"alert":  {ours: []string{"classify", "store"}, others: []string{"github.com/prometheus/client_golang", "go.yaml.in/yaml/v3"}},
		"api": {ours: []string{"bundle", "classify", "store", "web"}, others: []string{"github.com/labstack/echo/v4", "github.com/prometheus/client_golang",
			"go.yaml.in/yaml/v3"}},
		"cmd/authwatch": {ours: []string{"alert", "api", "bundle", "classify", "classify/example", "classify/profile", "cmd/authwatch/demo", "ingest", "store"},
			others: []string{"github.com/alecthomas/kong", "github.com/mattn/go-isatty", "github.com/klauspost/compress",
				"github.com/prometheus/client_golang", "go.yaml.in/yaml/v3"}},
		"bench": {ours: []string{"classify", "classify/profile", "ingest", "store"}, others: []string{"github.com/mattn/go-sqlite3",
			"github.com/prometheus/client_golang"}},
		"tools/crash":        {others: []string{"github.com/mattn/go-sqlite3"}},
		"tools/steps":        {},
		"cmd/authwatch/demo": {ours: []string{"classify"}, others: []string{"github.com/golang-jwt/jwt/v5"}},
	}
}

// A sourceFile is a parsed file of the module that is no test.
type sourceFile struct {
	path string // from the module's root
	pkg  string // folder
	tree *ast.File
}

func sourceFiles(t *testing.T) (*token.FileSet, []sourceFile) {
	t.Helper()
	root := filepath.Join("..", "..")
	set := token.NewFileSet()
	var files []sourceFile
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || (strings.HasPrefix(entry.Name(), ".") && path != root)) {
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); entry.IsDir() && path != root && err == nil {
			return filepath.SkipDir // a module of its own, which is not shipped
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		tree, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files = append(files, sourceFile{path: filepath.ToSlash(relative), pkg: filepath.ToSlash(filepath.Dir(relative)), tree: tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return set, files
}

func TestImports(t *testing.T) {
	_, files := sourceFiles(t)
	rules := importRules()
	for _, file := range files {
		rule, known := rules[file.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the table of imports: say there what it may import", file.path, file.pkg)
			continue
		}
		for _, spec := range file.tree.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !rule.allows(path) {
				t.Errorf("%s: %s must not import %s", file.path, file.pkg, path)
			}
		}
	}
}

func (r importRule) allows(path string) bool {
	if path == module || strings.HasPrefix(path, module+"/") {
		return slices.Contains(r.ours, strings.TrimPrefix(path, module+"/"))
	}
	if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") {
		return slices.ContainsFunc(r.others, func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") })
	}
	return !slices.Contains(r.forbidden, path)
}

func TestImportRule_Allows(t *testing.T) {
	rules := importRules()
	for _, tt := range []struct {
		pkg, path string
		want      bool
	}{
		{"api", "authwatch/ingest", false},
		{"ingest", "authwatch/api", false},
		{"ingest", "authwatch/store", true},
		{"store", "github.com/labstack/echo/v4", false},
		{"classify", "net/http", false},
		{"classify", "net/url", true},
		{"classify", "authwatch/classify/profile", false},
		{"api", "github.com/labstack/echo/v4/middleware", true},
		{"api", "github.com/labstack/echo/v4fork", false},
	} {
		if got := rules[tt.pkg].allows(tt.path); got != tt.want {
			t.Errorf("%s importing %s: allowed %v, want %v", tt.pkg, tt.path, got, tt.want)
		}
	}
}

// The event's own time is the only clock of classification: a verdict must not change with the day on which it is made.
func TestClassifyReadsNoClock(t *testing.T) {
	set, files := sourceFiles(t)
	for _, file := range files {
		if file.pkg != "classify" {
			continue
		}
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok && isClock(call) {
				t.Errorf("%s: classify must not read the clock (time.%s)", set.Position(call.Pos()), call.Sel.Name)
			}
			return true
		})
	}
}

func isClock(call *ast.SelectorExpr) bool {
	pkg, ok := call.X.(*ast.Ident)
	return ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Tick", "Sleep", "NewTimer", "NewTicker", "AfterFunc"}, call.Sel.Name)
}

// Two servers must be able to run in one process: nothing happens at import and no package keeps state.
func TestNoGlobals(t *testing.T) {
	set, files := sourceFiles(t)
	for _, file := range files {
		for _, decl := range file.tree.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: no init functions", set.Position(d.Pos()))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR && !isEmbedded(d) && !isConstantVar(v) {
						t.Errorf("%s: no package-level variable %s", set.Position(v.Pos()), v.Names[0].Name)
					}
				}
			}
		}
	}
}

// isEmbedded accepts the variables that the compiler puts files into: the language leaves no other way.
func isEmbedded(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// isConstantVar accepts sentinel errors, for the same reason.
func isConstantVar(v *ast.ValueSpec) bool {
	for _, name := range v.Names {
		if strings.HasPrefix(strings.ToLower(name.Name), "err") || name.Name == "_" {
			continue
		}
		return false
	}
	return true
}
