package docs_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// A schema is what the API's description says of an object, as far as the guides
// use it.
type schema struct {
	Required   []string          `yaml:"required"`
	Properties map[string]schema `yaml:"properties"`
	Pattern    string            `yaml:"pattern"`
	Enum       []string          `yaml:"enum"`
	Type       string            `yaml:"type"`
	Items      *schema           `yaml:"items"`
	Ref        string            `yaml:"$ref"`
}

// A description is the part of openapi.yaml that the guides are held to.
type description struct {
	Paths      map[string]any `yaml:"paths"`
	Components struct {
		Schemas map[string]schema `yaml:"schemas"`
	} `yaml:"components"`
}

func described(t *testing.T) (d description) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(root, "api/openapi.yaml"))), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// What the guides send to the API is what its description asks for, at paths that it
// has.
func TestRequestsAreThoseOfTheDescription(t *testing.T) {
	d, sent := described(t), 0
	path := regexp.MustCompile("`(?:GET|POST|PUT|DELETE) /api/v1(/[^`]*)`")
	for _, g := range guides(t) {
		for _, m := range path.FindAllStringSubmatch(g.prose(), -1) {
			if d.Paths[m[1]] == nil {
				t.Errorf("%s names %s, which the API does not have", g.file, m[1])
			}
		}
		for _, b := range g.blocks() {
			if b.language != "json" {
				continue
			}
			sent++
			var object any
			if err := json.Unmarshal([]byte(b.text), &object); err != nil {
				t.Errorf("%s: %s: %v", g.file, b.file, err)
				continue
			}
			for _, fault := range d.faults(d.Components.Schemas[b.file], object, b.file) {
				t.Errorf("%s: %s", g.file, fault)
			}
		}
	}
	if sent < 2 {
		t.Errorf("%d requests, want those that register a gateway and a meter", sent)
	}
	if faults := d.faults(d.Components.Schemas["NewMeter"], map[string]any{"id": "a b", "kind": "tea", "wire": 1.0}, "NewMeter"); len(faults) != 5 {
		t.Errorf("faults %q, want a pattern, a kind, an unknown key and two that are missing", faults)
	}
}

// faults are what is wrong with an object at a place of a request.
func (d description) faults(s schema, object any, at string) (all []string) {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	switch is := object.(type) {
	case map[string]any:
		if len(s.Properties) == 0 {
			return []string{at + " is no object of the description"}
		}
		for _, key := range s.Required {
			if _, given := is[key]; !given {
				all = append(all, at+" lacks "+key)
			}
		}
		for key, one := range is {
			if property, known := s.Properties[key]; known {
				all = append(all, d.faults(property, one, at+"."+key)...)
			} else {
				all = append(all, at+" does not know "+key)
			}
		}
	case []any:
		for _, one := range is {
			if s.Items == nil {
				return []string{at + " is no list"}
			}
			all = append(all, d.faults(*s.Items, one, at+"[]")...)
		}
	case string:
		if s.Type != "string" || s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(is) || len(s.Enum) > 0 && !slices.Contains(s.Enum, is) {
			all = append(all, at+" cannot be "+is)
		}
	default:
		if s.Type != "integer" && s.Type != "number" && s.Type != "boolean" {
			all = append(all, at+" is no number")
		}
	}
	return all
}
