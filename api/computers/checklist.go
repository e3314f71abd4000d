package computers

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// An Item is a thing to test; its text is "computers.test_" + Key in the
// catalogue.
type Item struct {
	Key       string
	Mandatory bool // must pass; else it may fail and stands on the sheet
	Laptop    bool // laptops only
}

// A Checklist is what is tested. A new version is added, none is changed: a test
// says by which one it was made.
type Checklist struct {
	Version int
	Items   []Item
}

// Checklists lists every version, the current one last. Its functions are those
// that the decree on refurbished goods wants tested (décret 2022-190).
func Checklists() []Checklist {
	return []Checklist{{1, []Item{
		{"starts", true, false}, {"storage_health", true, false}, {"memory", true, false}, {"screen", true, false},
		{"keyboard", true, false}, {"pointer", true, false}, {"usb", true, false}, {"network", true, false}, {"sound", true, false},
		{"power_supply", true, false}, {"system_installed", true, false}, {"cleaned", true, false},
		{"battery", true, true}, {"hinge", true, true}, {"wifi", false, false}, {"camera", false, true}, {"bios_free", true, false},
	}}}
}

// CurrentChecklist is the one to test by.
func CurrentChecklist() Checklist {
	all := Checklists()
	return all[len(all)-1]
}

// For returns the items that a machine of the form has.
func (c Checklist) For(f Form) []Item {
	return slices.DeleteFunc(slices.Clone(c.Items), func(i Item) bool { return i.Laptop && f != Laptop })
}

// An Outcome is what a test of an item came to.
type Outcome string

// The outcomes.
const (
	Pass Outcome = "pass"
	Fail Outcome = "fail"
	None Outcome = "na" // the machine has no such thing; not for what is mandatory
)

// Outcomes lists the outcomes.
var Outcomes = []Outcome{Pass, Fail, None}

// A TestRun is a checklist gone through. Passed is worked out, never sent.
type TestRun struct {
	ID        string
	Checklist int // version
	Results   map[string]Outcome
	On        civil.Date
	By        accounts.PersonID
	Cycle     int
	Passed    bool
}

// judge holds that the run answers each item of the current checklist once, and
// works out whether it passed: every mandatory item did.
func (r *TestRun) judge(f Form) error {
	list := CurrentChecklist()
	if r.Checklist != list.Version {
		return problem.OfFields([]problem.Field{{Name: "checklist", Message: "computers.checklist_old", Args: []any{list.Version}}})
	}
	var faults []problem.Field
	items := list.For(f)
	r.Passed = true
	for _, i := range items {
		switch outcome := r.Results[i.Key]; {
		case outcome == "":
			faults = append(faults, problem.Field{Name: "results." + i.Key, Message: "field.missing"})
		case !slices.Contains(Outcomes, outcome):
			faults = append(faults, problem.Field{Name: "results." + i.Key, Message: "field.not_one_of", Args: []any{"pass, fail, na"}})
		case i.Mandatory && outcome != Pass:
			r.Passed = false
		}
	}
	for key := range r.Results {
		if !slices.ContainsFunc(items, func(i Item) bool { return i.Key == key }) {
			faults = append(faults, problem.Field{Name: "results." + key, Message: "field.unknown"})
		}
	}
	return problem.OfFields(faults)
}

func (r TestRun) text() (string, error) {
	text, err := json.Marshal(r.Results)
	if err != nil {
		return "", fmt.Errorf("write the results of a test: %w", err)
	}
	return string(text), nil
}

// A Defect is something wrong that was noted; a machine with one that is not
// mended is not ready unless its grades say D.
type Defect struct {
	ID     string
	Text   string
	On     civil.Date
	Mended civil.Date // zero where it is still there
}
