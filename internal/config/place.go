package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A fault is an error of one part of a configuration.
type fault struct {
	path string // below the part that holds it, as in "buses[1]"
	what string // the part's name for people
	err  error
}

// At says where a fault was made, for [Load] and [Place] to put its line and
// column before it. Path is the key of the part that is at fault, or keys with
// points between and indexes from 0, as in "devices[3].slave"; what, where it is
// not empty, names the part to people and stands before the message. Both are
// added to those of the faults within err, which may join several, so that a part
// need know nothing of the whole. At returns nil where err is nil.
func At(path, what string, err error) error {
	if err == nil {
		return nil
	}
	return &fault{path, what, err}
}

// Error is the messages of all faults within, a line each, without their places.
func (f *fault) Error() string { return Place(f, nil).Error() }

// Unwrap returns the fault without its part.
func (f *fault) Unwrap() error { return f.err }

// Place puts "line 3, column 7: " before each fault of err that [At] marked,
// where it stands in a YAML text; a key that is not there is placed at what should
// hold it. Faults that text has no place for keep their message alone. The result
// joins all faults; nil stays nil.
func Place(err error, text []byte) error {
	if err == nil {
		return nil
	}
	file, parseErr := parser.ParseBytes(text, 0)
	if parseErr != nil {
		file = nil
	}
	return errors.Join(place(err, file, "$", nil)...)
}

// place returns the faults within err, which is a part's at path, named by what.
func place(err error, file *ast.File, path string, what []string) []error {
	switch e := err.(type) {
	case *fault:
		if e.path != "" {
			path += "." + e.path
		}
		if e.what != "" {
			what = append(what[:len(what):len(what)], e.what)
		}
		return place(e.err, file, path, what)
	case interface{ Unwrap() []error }:
		if joined := e.Unwrap(); err.Error() == errors.Join(joined...).Error() { // else more than the errors is said
			var all []error
			for _, one := range joined {
				all = append(all, place(one, file, path, what)...)
			}
			return all
		}
	}
	if len(what) > 0 {
		err = fmt.Errorf("%s: %w", strings.Join(what, ": "), err)
	}
	if at := find(file, path); at != nil {
		err = fmt.Errorf("line %d, column %d: %w", at.Line, at.Column, err)
	}
	return []error{err}
}

// find returns where path stands, or else the nearest part around it; nil for the
// whole.
func find(file *ast.File, path string) *token.Position {
	for ; file != nil && path != "$"; path = path[:strings.LastIndexAny(path, ".[")] {
		at, err := yaml.PathString(path)
		if err != nil {
			return nil
		}
		if node, err := at.FilterFile(file); err == nil {
			return first(node).Position
		}
	}
	return nil
}

// first is the token with which a node begins: of a mapping in lines its first
// key, where the library's is the colon behind it.
func first(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return first(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	case *ast.SequenceNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return first(n.Values[0])
		}
	}
	return node.GetToken()
}
