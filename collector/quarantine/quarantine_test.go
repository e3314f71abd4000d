package quarantine_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func refused(seq wire.Seq, payload string) quarantine.Refused {
	r := quarantine.Refused{At: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), Topic: "xnet/v1/S1/G1/readings",
		Source: wire.Source{Site: "S1", Gateway: "G1"}, Seq: seq, Reason: "no reason", Payload: []byte(payload)}
	if seq > 0 {
		r.Spool = "SP1"
	}
	return r
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestKeepsOnceWhatIsSentAgain(t *testing.T) {
	dir := t.TempDir()
	q, err := quarantine.Open(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, r := range []quarantine.Refused{refused(1, "a"), refused(2, "b"), refused(0, "\x00poison"), refused(0, "other")} {
			if err := q.Keep(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	found := files(t, dir)
	if len(found) != 4 {
		t.Errorf("kept %v, want 4 files", found)
	}
	text, err := os.ReadFile(filepath.Join(dir, "S1~G1~SP1~1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got quarantine.Refused
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := refused(1, "a")
	want.Source = wire.Source{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	again, err := quarantine.Open(dir, 1<<20)
	if err != nil || again.Size() != q.Size() || q.Size() == 0 {
		t.Errorf("size %d, after opening again %d, %v", q.Size(), again.Size(), err)
	}
}

func TestLimit(t *testing.T) {
	dir := t.TempDir()
	q, err := quarantine.Open(dir, 600)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for seq := wire.Seq(1); seq < 20; seq++ {
		err := q.Keep(refused(seq, "payload"))
		if err == nil {
			kept++
		} else if !errors.Is(err, quarantine.ErrFull) {
			t.Fatal(err)
		}
	}
	if kept == 0 || kept > 5 || q.Size() > 600 || len(files(t, dir)) != kept {
		t.Errorf("kept %d in %d bytes and %v", kept, q.Size(), files(t, dir))
	}
	if err := q.Keep(refused(1, "payload")); err != nil {
		t.Errorf("what is kept already needs no room: %v", err)
	}
	if err := os.Remove(files(t, dir)[0]); err != nil { // a person made room
		t.Fatal(err)
	}
	if err := q.Keep(refused(99, "payload")); err != nil {
		t.Errorf("after making room: %v", err)
	}
}
