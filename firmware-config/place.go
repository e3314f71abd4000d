package firmwareconfig

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// A placed fault knows where in the YAML text it was made.
type placed struct {
	path string // as in "$.registers[2].address"
	err  error
}

// Error is the fault's text, without its place.
func (p placed) Error() string { return p.err.Error() }

// Unwrap returns the fault.
func (p placed) Unwrap() error { return p.err }

// locate puts line and column before each placed fault of a joined error.
func locate(err error, text []byte) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, one := range joined.Unwrap() {
			errs = append(errs, locate(one, text))
		}
		return errors.Join(errs...)
	}
	fault, ok := errors.AsType[placed](err)
	if !ok {
		return err
	}
	line, column, found := position(text, fault.path)
	if !found {
		return err
	}
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// position finds what stands at a path of a YAML text.
func position(text []byte, path string) (line, column int, found bool) {
	at, err := yaml.PathString(path)
	if err != nil {
		return 0, 0, false
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return 0, 0, false
	}
	node, err := at.FilterFile(file)
	if err != nil || node.GetToken() == nil {
		return 0, 0, false
	}
	place := node.GetToken().Position
	return place.Line, place.Column, true
}
