package modbus

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

var speeds = map[int]uint32{
	300: unix.B300, 600: unix.B600, 1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800,
	9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600,
	115200: unix.B115200,
}

// openSerial opens a serial device in raw mode. It is not blocking, so that
// reads obey their deadlines and a hang-up ends them.
func openSerial(path string, b firmwareconfig.Bus) (port, error) {
	speed, ok := speeds[b.Baud]
	if !ok {
		return nil, fmt.Errorf("baud %d is not one of the standard rates", b.Baud)
	}
	file, err := os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := setRaw(file, speed, b); err != nil {
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

// setRaw goes through SyscallConn, because Fd would make the file blocking.
func setRaw(file *os.File, speed uint32, b firmwareconfig.Bus) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		t := rawSettings(speed, b)
		inner = unix.IoctlSetTermios(int(fd), unix.TCSETS, &t)
	})
	if err != nil {
		return err
	}
	return inner
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
