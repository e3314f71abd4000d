package tips

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed catalogue/*.yaml
var shipped embed.FS

// Files of the catalogue that do not hold tips.
const (
	usesFile     = "uses.yaml"
	gesturesFile = "gestures.yaml"
)

// A Catalogue is the tips that may be proposed, and the gestures that may be
// compared. It is not changed after [Load] and may be used from several
// goroutines.
type Catalogue struct {
	Entries  []Entry   // by file, then as they stand there
	Gestures []Gesture // in order
	uses     map[UseID]Use
}

// Open returns the catalogue that ships with the program. It fails only where
// the program was built from a faulty one.
func Open() (*Catalogue, error) {
	folder, err := fs.Sub(shipped, "catalogue")
	if err != nil {
		return nil, fmt.Errorf("tips: %w", err)
	}
	return Load(folder)
}

// Load reads every *.yaml of a folder: uses.yaml, gestures.yaml and files of
// tips, each a list. It joins every fault of every entry, each with the file, the
// line and what to write instead.
func Load(folder fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil || !slices.Contains(names, usesFile) {
		return nil, fmt.Errorf("tips: folder without %s (%w): point to the folder of the catalogue", usesFile, errors.Join(err, fs.ErrNotExist))
	}
	c := &Catalogue{uses: map[UseID]Use{}}
	var faults []error
	// The uses first: tips name them.
	for _, name := range append([]string{usesFile}, slices.DeleteFunc(names, func(n string) bool { return n == usesFile })...) {
		faults = append(faults, c.loadFile(folder, name))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// Entry returns the tip of that id, or false.
func (c *Catalogue) Entry(id ID) (Entry, bool) {
	i := slices.IndexFunc(c.Entries, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return Entry{}, false
	}
	return c.Entries[i], true
}

// An item is one element of a file's list.
type item struct {
	file  string
	node  ast.Node
	lines map[string]int // of the element's keys
	line  int            // of the element
}

func (c *Catalogue) loadFile(folder fs.FS, name string) error {
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	items, err := itemsOf(name, text)
	if err != nil {
		return err
	}
	var faults []error
	for _, it := range items {
		switch path.Base(name) {
		case usesFile:
			faults = append(faults, load(it, c.addUse))
		case gesturesFile:
			faults = append(faults, load(it, c.addGesture))
		default:
			faults = append(faults, load(it, c.addEntry))
		}
	}
	return errors.Join(faults...)
}

// load decodes an element, strictly, and adds it.
func load[T any](it item, add func(T) []fault) error {
	var one T
	if err := yaml.NodeToValue(it.node, &one, yaml.Strict()); err != nil {
		return malformed(it.file, it.line, err)
	}
	var faults []error
	for _, f := range add(one) {
		line, ok := it.lines[f.key]
		if !ok {
			line = it.line
		}
		faults = append(faults, fmt.Errorf("%s:%d: %s", it.file, line, f.text))
	}
	return errors.Join(faults...)
}

// malformed is a fault of the YAML itself, at its own line where it knows one.
func malformed(file string, line int, err error) error {
	said := err.Error()
	if at, ok := errors.AsType[yaml.Error](err); ok {
		said = at.GetMessage()
		if token := at.GetToken(); token != nil {
			line = token.Position.Line
			said += fmt.Sprintf(" at %q", token.Value)
		}
	}
	return fmt.Errorf("%s:%d: %s", file, line, said)
}

func itemsOf(name string, text []byte) ([]item, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, malformed(name, 1, err)
	}
	var items []item
	for _, doc := range file.Docs {
		list, ok := doc.Body.(*ast.SequenceNode)
		if !ok {
			return nil, fmt.Errorf("%s:1: want a list, an element beginning with \"- id:\"", name)
		}
		for _, node := range list.Values {
			items = append(items, newItem(name, node))
		}
	}
	return items, nil
}

func newItem(name string, node ast.Node) item {
	it := item{file: name, node: node, lines: map[string]int{}, line: node.GetToken().Position.Line}
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	for i, pair := range pairs {
		line := pair.Key.GetToken().Position.Line
		it.lines[pair.Key.GetToken().Value] = line
		if i == 0 {
			it.line = line
		}
	}
	return it
}
