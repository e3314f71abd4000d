package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A disk is what a gateway's spool lies on.
type disk struct {
	dir string // mount point, or a plain folder
	own bool   // a file system of its own, which can be full
}

const diskSize = "size=48m"

// newDisk mounts a small file system in memory at dir, or makes a plain folder
// where that is not allowed.
func newDisk(dir string, apart bool) (*disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	d := &disk{dir: dir}
	if apart {
		err := errors.Join(unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""), unix.Mount("tmpfs", dir, "tmpfs", 0, diskSize))
		d.own = err == nil
	}
	return d, os.MkdirAll(d.spool(), 0o700)
}

// spool is the folder of the gateway's spool.
func (d *disk) spool() string { return filepath.Join(d.dir, "spool") }

// fill leaves no room for a process: with a ballast that takes all there is, or,
// on a plain folder, with a limit on how long its files may be.
func (d *disk) fill(pid int) error {
	if !d.own {
		return limitFiles(pid, 0)
	}
	file, err := os.Create(d.ballast())
	if err != nil {
		return fmt.Errorf("fill the disk %s: %w", d.dir, err)
	}
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err = file.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		return errors.Join(fmt.Errorf("fill the disk %s: %w", d.dir, err), file.Close())
	}
	return file.Close()
}

// empty makes room again.
func (d *disk) empty(pid int) error {
	if !d.own {
		return limitFiles(pid, unix.RLIM_INFINITY)
	}
	return os.Remove(d.ballast())
}

// close takes the disk away; what stood on it is gone.
func (d *disk) close() error {
	if !d.own {
		return nil
	}
	return unix.Unmount(d.dir, unix.MNT_DETACH)
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// limitFiles sets how long files may be that a process writes. No privilege is
// needed, since the hard limit stays.
func limitFiles(pid int, bytes uint64) error {
	var now unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &now); err != nil {
		return fmt.Errorf("limit the files of process %d: %w", pid, err)
	}
	now.Cur = min(bytes, now.Max)
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &now, nil); err != nil {
		return fmt.Errorf("limit the files of process %d: %w", pid, err)
	}
	return nil
}
