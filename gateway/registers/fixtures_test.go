package registers_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/firmware-config/profiletest"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const fixtures = "../../firmware-config/testdata"

// Each profile reads its fixture, in as many requests as the fixture's registers
// demand.
func TestProfilesReadTheirFixtures(t *testing.T) {
	for _, name := range firmwareconfig.Profiles() {
		t.Run(name, func(t *testing.T) {
			fixture, err := profiletest.Load(fixtures, name)
			if err != nil {
				t.Fatalf("%v: every profile needs one", err)
			}
			profile, err := firmwareconfig.LoadProfile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fixture.Expected, readAll(t, profile, fixture)); diff != "" {
				t.Errorf("amounts of %s (-want +got):\n%s", name, diff)
			}
		})
	}
}

// readAll reads a fixture as a poller reads a meter.
func readAll(t *testing.T, p firmwareconfig.Profile, f *profiletest.Fixture) map[metering.MeterID]map[metering.Quantity]profiletest.Expectation {
	t.Helper()
	reader, err := registers.NewReader(firmwareconfig.Device{Slave: 1, Meters: f.Meters}, p, registers.Line{Pause: p.Pause})
	if err != nil {
		t.Fatal(err)
	}
	got := map[metering.MeterID]map[metering.Quantity]profiletest.Expectation{}
	for queue := reader.Requests(time.Now()); len(queue) > 0; {
		request := queue[0]
		queue = queue[1:]
		if int(request.Quantity) > int(p.Limit) {
			t.Errorf("request of %d registers, the limit is %d", request.Quantity, p.Limit)
		}
		answer, exists := f.Bytes(request.Function, request.Address, request.Quantity)
		if !exists {
			queue = append(reader.Refused(request, time.Now()), queue...)
			continue
		}
		for _, field := range request.Fields {
			amount, err := field.Amount(request, answer)
			if got[field.Meter.ID] == nil {
				got[field.Meter.ID] = map[metering.Quantity]profiletest.Expectation{}
			}
			want := profiletest.Expectation{Amount: amount, Unit: field.Unit}
			if errors.Is(err, registers.ErrNoValue) {
				want = profiletest.Expectation{None: true}
			} else if err != nil {
				t.Error(err)
			}
			got[field.Meter.ID][field.Quantity] = want
		}
	}
	for _, f := range reader.LeftOut() {
		t.Errorf("%s is not in the fixture", f)
	}
	return got
}

// A fixture without a profile is a profile that somebody renamed.
func TestNoFixtureWithoutProfile(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.txtar"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txtar"); !slices.Contains(firmwareconfig.Profiles(), name) {
			t.Errorf("%s has no profile", file)
		}
	}
}
