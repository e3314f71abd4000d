package slave

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A PTY is a pseudo-terminal that stands in for a serial line: the server holds
// one end, and whoever opens the link holds the other as if it were a serial
// port. It outlives that other side: a program may close the link and open it
// again, or another may. As the terminal stays open meanwhile, an answer that
// nobody read is still there for who opens it next, as it is in the buffer of
// some serial adapters.
type PTY struct {
	master *os.File
	far    *os.File // kept open so that the line has no end when the other side closes
	link   string
}

var _ Line = (*PTY)(nil)

// OpenPTY opens a pseudo-terminal in raw mode and makes link a symbolic link to
// the other end. A symbolic link that stands there is replaced, anything else is
// an error. The caller must close it.
func OpenPTY(link string) (*PTY, error) {
	master, err := openMaster()
	if err != nil {
		return nil, fmt.Errorf("open a pseudo-terminal: %w: is /dev/ptmx there?", err)
	}
	p := &PTY{master: master, link: link}
	path, err := unlock(master)
	if err == nil {
		p.far, err = os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = raw(p.far)
	}
	if err == nil {
		err = point(link, path)
	}
	if err != nil {
		p.closeEnds()
		return nil, fmt.Errorf("open a pseudo-terminal at %s: %w", link, err)
	}
	return p, nil
}

// openMaster opens without blocking, so that reads obey deadlines.
func openMaster() (*os.File, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "/dev/ptmx"), nil
}

// unlock lets the other end be opened and returns its path.
func unlock(master *os.File) (path string, err error) {
	control(master, &err, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) })
	control(master, &err, func(fd int) error {
		n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
		path = "/dev/pts/" + strconv.Itoa(n)
		return err
	})
	return path, err
}

// raw makes the terminal pass every byte as it is, echoing none.
func raw(f *os.File) (err error) {
	control(f, &err, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B19200
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, unix.TCSETS, t)
	})
	return err
}

// control calls do with the file's descriptor, unless err already bears a
// failure, and leaves the outcome in err. It keeps the file non-blocking.
func control(f *os.File, err *error, do func(fd int) error) {
	if *err != nil {
		return
	}
	conn, failed := f.SyscallConn()
	if failed != nil {
		*err = failed
		return
	}
	if failed := conn.Control(func(fd uintptr) { *err = do(int(fd)) }); failed != nil {
		*err = failed
	}
}

// point makes link lead to target in one step, so that nobody finds it absent.
func point(link, target string) error {
	if at, err := os.Lstat(link); err == nil && at.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s is there and is no symbolic link: move it away or choose another path", link)
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	fresh := fmt.Sprintf("%s.%d", link, os.Getpid())
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, link); err != nil {
		_ = os.Remove(fresh)
		return err
	}
	return nil
}

// Path is the other end's own path, as in /dev/pts/3.
func (p *PTY) Path() string { return p.far.Name() }

// Read reads what the other side wrote.
func (p *PTY) Read(b []byte) (int, error) { return p.master.Read(b) }

// Write sends bytes to the other side. It waits while the other side's buffer
// is full, at most until Close.
func (p *PTY) Write(b []byte) (int, error) { return p.master.Write(b) }

// SetReadDeadline bounds reads; the zero time does not.
func (p *PTY) SetReadDeadline(t time.Time) error { return p.master.SetReadDeadline(t) }

// Close ends the line and removes the link where it is still this line's. The
// other side then reads an end of file, as with an adapter that is unplugged.
func (p *PTY) Close() error {
	if target, err := os.Readlink(p.link); err == nil && target == p.Path() {
		_ = os.Remove(p.link)
	}
	return p.closeEnds()
}

func (p *PTY) closeEnds() error {
	if p.far != nil {
		_ = p.far.Close()
	}
	return p.master.Close()
}
