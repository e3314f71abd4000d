package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// notSource are folders that hold no source: version control, what git ignores,
// what the go tool ignores.
var notSource = []string{".git", "var", "dist", "node_modules"}

// Load reads the tree at dir. Folders named testdata count for their texts, not
// for packages. It fails where a Go file cannot be parsed.
func Load(dir string) (Tree, error) {
	var t Tree
	packages := map[string]*Package{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(notSource, entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil || bytes.IndexByte(content, 0) >= 0 {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		t.Texts = append(t.Texts, Text{Path: name, Content: string(content)})
		if !strings.HasSuffix(name, ".go") || slices.Contains(strings.Split(name, "/"), "testdata") {
			return nil
		}
		return addFile(packages, name, content)
	})
	if err != nil {
		return Tree{}, fmt.Errorf("load %s: %w", dir, err)
	}
	for _, p := range packages {
		t.Packages = append(t.Packages, *p)
	}
	slices.SortFunc(t.Packages, func(a, b Package) int { return strings.Compare(a.Path, b.Path) })
	return t, nil
}

func addFile(packages map[string]*Package, name string, content []byte) error {
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder := path.Dir(name)
	p := packages[folder]
	if p == nil {
		p = &Package{Path: folder}
		packages[folder] = p
	}
	f := File{
		Path:       name,
		Lines:      bytes.Count(content, []byte("\n")),
		Test:       strings.HasSuffix(name, "_test.go"),
		Generated:  ast.IsGenerated(syntax),
		PackageDoc: syntax.Doc != nil,
	}
	if p.Name == "" || !f.Test {
		p.Name = strings.TrimSuffix(syntax.Name.Name, "_test")
	}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		f.Imports = append(f.Imports, imported)
	}
	for _, d := range syntax.Decls {
		f.addDeclaration(set, d)
	}
	p.Files = append(p.Files, f)
	return nil
}

func (f *File) addDeclaration(set *token.FileSet, d ast.Decl) {
	line := func(p token.Pos) int { return set.Position(p).Line }
	switch d := d.(type) {
	case *ast.FuncDecl:
		f.Functions = append(f.Functions, Function{Name: d.Name.Name, Line: line(d.Pos()),
			Lines: line(d.End()) - line(d.Pos()) + 1})
		if d.Name.IsExported() && exportedReceiver(d.Recv) {
			f.add(d.Name.Name, line(d.Pos()), d.Doc != nil)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			f.addSpec(spec, line(spec.Pos()), d.Doc != nil)
		}
	}
}

// addSpec adds a constant, variable or type; a comment of the group or on the
// line serves as documentation.
func (f *File) addSpec(spec ast.Spec, line int, groupDoc bool) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			f.add(s.Name.Name, line, groupDoc || s.Doc != nil || s.Comment != nil)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() {
				f.add(name.Name, line, groupDoc || s.Doc != nil || s.Comment != nil)
			}
		}
	}
}

func (f *File) add(name string, line int, documented bool) {
	f.Identifiers = append(f.Identifiers, Identifier{Name: name, Line: line, Documented: documented})
}

// exportedReceiver reports whether a function is no method, or one of an
// exported type.
func exportedReceiver(list *ast.FieldList) bool {
	if list == nil || len(list.List) == 0 {
		return true
	}
	name := list.List[0].Type
	for {
		switch e := name.(type) {
		case *ast.StarExpr:
			name = e.X
		case *ast.IndexExpr:
			name = e.X
		case *ast.IndexListExpr:
			name = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return true
		}
	}
}
