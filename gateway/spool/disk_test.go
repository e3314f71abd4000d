package spool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// smallDisk mounts a file system of 256 kB, which takes root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		testkit.Unavailable(t, "no small disk: mount: %v: run the tests as root", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fillDisk leaves no room for a byte, and returns what makes it again.
func fillDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "other-program's-log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 512))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// appendUntilFull appends readings from n on until one does not fit, and returns
// that one's number.
func appendUntilFull(t *testing.T, s *spool.Spool, n int) int {
	t.Helper()
	for ; n < 10_000; n++ {
		if err := s.Append([]wire.UnitReading{reading(n)}); err != nil {
			if !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("append %d: %v, want no space left", n, err)
			}
			return n
		}
	}
	t.Fatal("the disk is never full")
	return 0
}

func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	s := open(t, filepath.Join(disk, "spool"), spool.Options{SegmentBytes: 2000})
	appendTo(t, s, 1, 30)
	free := fillDisk(t, disk)
	refused := appendUntilFull(t, s, 31)
	if again := appendUntilFull(t, s, refused); again != refused {
		t.Errorf("the full disk took reading %d", refused)
	}
	if diff := slices.Compare(numbers(1, refused-1), amounts(t, s)); diff != 0 {
		t.Errorf("%v wait, want 1 to %d", amounts(t, s), refused-1)
	}
	// What is answered makes room by itself.
	if err := s.Answered(s.Waiting(0, 30)); err != nil {
		t.Fatal(err)
	}
	appendTo(t, s, refused+1, refused+2)
	free()
	appendTo(t, s, refused+3, refused+20)
	want := append(numbers(31, refused-1), numbers(refused+1, refused+20)...)
	if got := amounts(t, s); !slices.Equal(got, want) {
		t.Errorf("%v wait, want %v", got, want)
	}
	s.Close()
	got := amounts(t, open(t, filepath.Join(disk, "spool"), spool.Options{SegmentBytes: 2000}))
	// Of the first segment that is left some were answered: they may come again.
	if i := slices.Index(got, 31); i < 0 || !slices.Equal(got[i:], want) {
		t.Errorf("after reopening %v wait, want %v", got, want)
	}
}

// TestStartOnAFullDisk: a gateway that cannot write must still be able to send,
// or the disk stays full for ever.
func TestStartOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	dir := filepath.Join(disk, "spool")
	s := open(t, dir, spool.Options{SegmentBytes: 2000})
	appendTo(t, s, 1, 100)
	s.Close()
	free := fillDisk(t, disk)
	s = open(t, dir, spool.Options{SegmentBytes: 2000})
	if got := amounts(t, s); !slices.Equal(got, numbers(1, 100)) {
		t.Fatalf("%v wait, want 1 to 100", got)
	}
	if err := s.Append([]wire.UnitReading{reading(101)}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("append on a full disk: %v", err)
	}
	free()
	appendTo(t, s, 102, 103)
	if got, want := amounts(t, s), append(numbers(1, 100), 102, 103); !slices.Equal(got, want) {
		t.Errorf("%v wait, want %v", got, want)
	}
	if seqs := s.Waiting(100, 9); !slices.Equal(seqs, []wire.Seq{1_000_000_001, 1_000_000_002}) {
		t.Errorf("numbers %v, want those of the second opening", seqs)
	}
}

// TestIdentityTornAtAnyByte: answers for what waits must be heard whatever
// became of the file that names the spool, and no number may come twice.
func TestIdentityTornAtAnyByte(t *testing.T) {
	origin := t.TempDir()
	s := open(t, origin, spool.Options{})
	id := s.ID()
	appendTo(t, s, 1, 5)
	s.Close()
	whole, err := os.ReadFile(filepath.Join(origin, "id"))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		for _, damaged := range [][]byte{whole[:cut], append(slices.Clone(whole[:cut]), make([]byte, len(whole)-cut)...)} {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(origin)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "id"), damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir, spool.Options{})
			if got := s.ID(); got != id && len(s.Waiting(0, 9)) > 0 {
				t.Fatalf("id %q: the spool is %s, its packs bear %s", damaged, got, id)
			}
			if next := firstNumber(t, s); next <= 5 {
				t.Fatalf("id %q: number %d is given again", damaged, next)
			}
			s.Close()
		}
	}
}

// TestPackChangedOnDisk: what is not any more what was written is never sent.
func TestPackChangedOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Options{})
	appendTo(t, s, 1, 3)
	files, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1 // in the second pack
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Payload(2); ok || err != nil {
		t.Errorf("payload of the changed pack: %v, %v", ok, err)
	}
	if got := amounts(t, s); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("%v wait, want 1 and 3", got)
	}
	if c := s.Counts(); c.Damaged != 1 || c.Packs != 2 {
		t.Errorf("counts %+v, want one damaged and two left", c)
	}
}

func TestFolderThatCannotBeOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(file, "spool")
	_, err := spool.Open(dir, spool.Options{})
	if want := fmt.Sprintf("open spool: mkdir %s: not a directory: name a folder in spool.dir that is there or can be made", file); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
