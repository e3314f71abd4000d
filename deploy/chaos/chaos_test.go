package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// TestCampaign is the short campaign: every kind of fault at least twice, by a seed
// that is drawn and printed, and nothing missing, wrong or double.
func TestCampaign(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some minutes")
	}
	if _, err := peer.Mosquitto(); err != nil {
		testkit.Unavailable(t, "%v", err)
	}
	testkit.Influx(t).Kill() // builds it where it is missing
	if err := testkit.Watch("../.."); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	chaos := filepath.Join(dir, "chaos")
	build := exec.Command("go", "build", "-o", chaos, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	var out bytes.Buffer
	command := exec.CommandContext(t.Context(), chaos, "--faults", "60")
	command.Dir = "../.."
	command.Stdout, command.Stderr = &out, &out
	command.Env = append(os.Environ(), "TMPDIR="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := command.Run(); err != nil {
		t.Errorf("the campaign: %v", err)
	}
	var got outcome
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		t.Log(lines.Text())
		if strings.HasPrefix(lines.Text(), "{") {
			if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
				t.Errorf("last line: %v", err)
			}
		}
	}
	if !got.Met || got.Faults < 60 || got.Missing+got.Wrong+got.Double != 0 || got.Stored != got.Fsynced || got.Stored < 5000 {
		t.Errorf("outcome %+v, want nothing missing, wrong or double, of many", got)
	}
}

func names(faults []fault) []string {
	var all []string
	for _, f := range faults {
		all = append(all, f.kind.name)
	}
	return all
}

func TestSeedDealsTheSame(t *testing.T) {
	first, again, other := names(deal(7, 90, kinds())), names(deal(7, 90, kinds())), names(deal(8, 90, kinds()))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed deals other faults (-first +again):\n%s", diff)
	}
	if slices.Equal(first, other) {
		t.Error("another seed deals the same faults")
	}
	for _, k := range kinds() {
		if !slices.Contains(first[:len(kinds())], k.name) {
			t.Errorf("the first %d faults have none of kind %q", len(kinds()), k.name)
		}
	}
}

// TestPoisonIsPoison: each is refused by the decoder, or by what the registry
// says; the last few can be decoded and must be.
func TestPoisonIsPoison(t *testing.T) {
	decodable := 0
	for _, p := range poisons(rand.New(rand.NewPCG(1, 2)), "S1", "G1", "M1") {
		if _, err := wire.DecodePack(p.load); err == nil {
			decodable++
			t.Log(p.what, "can be decoded and is for the collector to refuse")
		}
	}
	if decodable < 3 || decodable > 5 {
		t.Errorf("%d poisons can be decoded", decodable)
	}
}

func TestClockOffsets(t *testing.T) {
	c, err := newWallClock(filepath.Join(t.TempDir(), "clock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.set(-10 * time.Second); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.path)
	if err != nil || string(text) != "-10000" {
		t.Errorf("the file says %q, %v", text, err)
	}
	now := time.Now()
	for _, tt := range []struct {
		name   string
		at     time.Time
		want   []time.Duration
		behind bool
	}{
		{"long before", now.Add(-time.Minute), []time.Duration{0}, false},
		{"at the step", now, []time.Duration{0, -10 * time.Second}, true},
		{"while it catches up", now.Add(8 * time.Second), []time.Duration{-10 * time.Second}, true},
		{"long after", now.Add(time.Minute), []time.Duration{-10 * time.Second}, false},
	} {
		if diff := cmp.Diff(tt.want, c.offsets(tt.at)); diff != "" || c.behind(tt.at) != tt.behind {
			t.Errorf("%s: behind %t, offsets (-want +got):\n%s", tt.name, c.behind(tt.at), diff)
		}
	}
}
