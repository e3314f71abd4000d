package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// parameter is a part of a path as the router writes it.
var parameter = regexp.MustCompile(`:([a-z_]+)`)

// TestOpenAPIDescribesEveryRoute: a route without its description fails here, and
// so does a description without its route.
func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	e, err := server{config: defaultConfig(), log: testkit.Logger(t), now: time.Now,
		figures: figures.NewRegistry(), ready: func() error { return nil }}.routes()
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, r := range e.Routes() {
		if path, ok := strings.CutPrefix(r.Path, apiRoot); ok && r.Method != "echo_route_not_found" {
			served = append(served, r.Method+" "+parameter.ReplaceAllString(path, "{$1}"))
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("routes (-served +described):\n%s", diff)
	}
}
