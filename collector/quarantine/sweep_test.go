package quarantine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func open(t *testing.T, dir string) *quarantine.Quarantine {
	t.Helper()
	q, err := quarantine.Open(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	q := open(t, dir)
	for seq, payload := range []string{"", "goes", "stays", "shrinks"} {
		if err := q.Keep(refused(wire.Seq(seq), payload)); err != nil {
			t.Fatal(err)
		}
	}
	changed, err := q.Sweep(func(r quarantine.Refused) ([]byte, bool) {
		switch string(r.Payload) {
		case "goes":
			return nil, false
		case "shrinks":
			return []byte("shr"), true
		default:
			return r.Payload, true
		}
	})
	if err != nil || changed != 2 {
		t.Errorf("%d changed, %v", changed, err)
	}
	names, err := q.Names()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range names {
		r, err := q.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		got[string(r.Payload)] = r.Reason
	}
	want := map[string]string{"": "no reason", "stays": "no reason", "shr": "no reason: a part, the rest was erased"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if again := open(t, dir); again.Size() != q.Size() {
		t.Errorf("size %d, on disk %d", q.Size(), again.Size())
	}
}

func TestErasuresAreSweptOnce(t *testing.T) {
	dir := t.TempDir()
	known := quarantine.Erasures{"M1": 10, "M2": 20}
	if left, err := open(t, dir).Unswept(known); err != nil || len(left) != 2 {
		t.Fatalf("%v, %v", left, err)
	}
	if err := open(t, dir).Swept(known); err != nil {
		t.Fatal(err)
	}
	known["M2"], known["M3"] = 21, 1
	left, err := open(t, dir).Unswept(known)
	if diff := cmp.Diff(quarantine.Erasures{"M2": 21, "M3": 1}, left); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestOpenRemovesWhatAKillLeft(t *testing.T) {
	dir := t.TempDir()
	torn := filepath.Join(dir, "S1~G1~SP1~1.json.new")
	if err := os.WriteFile(torn, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if q, err := quarantine.Browse(dir); err != nil || q.Size() != 0 {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(torn); err != nil {
		t.Errorf("who only looks removed what another may be writing: %v", err)
	}
	open(t, dir)
	if _, err := os.Stat(torn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("torn file stays: %v", err)
	}
}

func TestReadNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	q := open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "S1~G1~x.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"S1~G1~x": quarantine.ErrDamaged, "S1~G1~y": quarantine.ErrAbsent, "../x~y~z": quarantine.ErrAbsent, "x": quarantine.ErrAbsent} {
		if _, err := q.Read(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if _, err := quarantine.Browse(filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "quarantine.dir") {
		t.Errorf("absent folder: %v", err)
	}
}
