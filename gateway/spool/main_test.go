package spool_test

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// childVariable names the folder in which the test's program, run again by a
// test, is to be a process that spools.
const (
	childVariable = "XNET_SPOOL_CHILD"
	firstVariable = "XNET_SPOOL_FIRST"
	limitVariable = "XNET_SPOOL_FILE_LIMIT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child appends readings, numbered from the one that it is told, and answers for
// some, until it is killed. It says "a n" when Append has returned for n, "f n"
// when it failed, and "w seq" before it answers for a pack.
func child(dir string) error {
	if err := limitFiles(); err != nil {
		return err
	}
	first, err := strconv.Atoi(os.Getenv(firstVariable))
	if err != nil {
		return err
	}
	s, err := spool.Open(dir, spool.Options{SegmentBytes: 2000})
	if err != nil {
		return err
	}
	for n := first; ; n++ {
		said := "a"
		if err := s.Append([]wire.UnitReading{reading(n)}); err != nil {
			said = "f"
		}
		fmt.Println(said, n)
		if n%4 != 0 {
			continue
		}
		for _, seq := range s.Waiting(0, 3) {
			fmt.Println("w", seq)
			if err := s.Answered([]wire.Seq{seq}); err != nil {
				return err
			}
		}
	}
}

// limitFiles sets how large a file may become, where the test says so, and lets
// writes beyond fail instead of killing the process.
func limitFiles() error {
	text := os.Getenv(limitVariable)
	if text == "" {
		return nil
	}
	limit, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return err
	}
	signal.Ignore(unix.SIGXFSZ)
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit})
}
