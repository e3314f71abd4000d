package modbus

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

var speeds = map[int]uint32{
	300: unix.B300, 600: unix.B600, 1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800,
	9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600,
	115200: unix.B115200,
}

// silence is the pause of 3.5 characters that ends an RTU frame: 1.75 ms above
// 19200 baud (Modbus over Serial Line 1.02, 2.5.1.1).
func silence(b firmwareconfig.Bus) time.Duration {
	const characterBits = 11
	if b.Baud > 19200 || b.Baud == 0 {
		return 1750 * time.Microsecond
	}
	return time.Duration(3.5 * characterBits / float64(b.Baud) * float64(time.Second))
}

// character is the time of a byte: start bit, eight bits, parity, stop bits.
func character(b firmwareconfig.Bus) time.Duration {
	if b.Baud <= 0 {
		return 0
	}
	bits := 9 + max(1, b.StopBits)
	if b.Parity == "even" || b.Parity == "odd" {
		bits++
	}
	return time.Duration(bits) * time.Second / time.Duration(b.Baud)
}

// onTheWire is how long so many bytes take.
func (l *line) onTheWire(bytes int) time.Duration { return time.Duration(bytes) * l.character }

// openSerial opens a serial device in raw mode, for this program alone. It is
// not blocking, so that reads obey their deadlines and a hang-up ends them.
func openSerial(path string, b firmwareconfig.Bus) (port, error) {
	speed, ok := speeds[b.Baud]
	if !ok {
		return nil, fmt.Errorf("baud %d is not one of the standard rates", b.Baud)
	}
	file, err := os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := setUp(file, speed, b); err != nil {
		return nil, fmt.Errorf("set up %s: %w", path, joinClose(err, file))
	}
	return file, nil
}

func joinClose(err error, file *os.File) error {
	if closing := file.Close(); closing != nil {
		return fmt.Errorf("%w, then close: %w", err, closing)
	}
	return err
}

// setUp goes through SyscallConn, because Fd would make the file blocking.
func setUp(file *os.File, speed uint32, b firmwareconfig.Bus) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		if inner = claim(int(fd)); inner != nil {
			return
		}
		t := rawSettings(speed, b)
		if inner = unix.IoctlSetTermios(int(fd), unix.TCSETS, &t); inner != nil {
			inner = fmt.Errorf("%w: is it a serial device?", inner)
			return
		}
		if b.RS485.Enabled {
			inner = setRS485(fd, b.RS485)
		}
	})
	return errors.Join(err, inner)
}

// claim refuses a device that another program of ours owns: two masters on a
// line would take each other's answers.
func claim(fd int) error {
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errors.New("another program has it: stop that first, a line has one master")
	}
	return err
}

func rawSettings(speed uint32, b firmwareconfig.Bus) unix.Termios {
	t := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | speed, Ispeed: speed, Ospeed: speed}
	t.Cc[unix.VMIN] = 1
	switch b.Parity {
	case "even":
		t.Cflag |= unix.PARENB
		t.Iflag |= unix.INPCK
	case "odd":
		t.Cflag |= unix.PARENB | unix.PARODD
		t.Iflag |= unix.INPCK
	}
	if b.StopBits == 2 {
		t.Cflag |= unix.CSTOPB
	}
	return t
}

// rs485 is struct serial_rs485 of linux/serial.h, and the flags are its.
type rs485 struct {
	flags           uint32
	delayBeforeSend uint32 // ms
	delayAfterSend  uint32 // ms
	_               [5]uint32
}

const (
	rs485Enabled      = 1 << 0
	rs485RTSOnSend    = 1 << 1
	rs485RTSAfterSend = 1 << 2
)

// setRS485 lets the driver turn the transceiver round.
func setRS485(fd uintptr, c firmwareconfig.RS485) error {
	r := rs485{flags: rs485Enabled | rs485RTSAfterSend,
		delayBeforeSend: uint32(c.DelayBefore.Milliseconds()), delayAfterSend: uint32(c.DelayAfter.Milliseconds())}
	if c.RTSOnSend {
		r.flags = rs485Enabled | rs485RTSOnSend
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, unix.TIOCSRS485, uintptr(unsafe.Pointer(&r))); errno != 0 {
		return fmt.Errorf("rs485: %w: its driver does not turn transceivers round: "+
			"leave rs485 out, where the adapter does it by itself", errno)
	}
	return nil
}
