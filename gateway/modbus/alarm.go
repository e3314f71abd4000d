package modbus

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm sleeps by the kernel's clock, to some ten microseconds. The runtime's
// own timers are a millisecond coarse while nothing else runs, which at 115200
// baud is a twentieth of an exchange; and a sleeping system call would keep
// others from the processor. A timer's descriptor does neither.
type alarm struct {
	file    *os.File
	control syscall.RawConn
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	file := os.NewFile(uintptr(fd), "timer")
	control, err := file.SyscallConn()
	if err != nil {
		return nil, joinClose(err, file)
	}
	return &alarm{file: file, control: control}, nil
}

// sleep returns after d, at once where d is not positive.
func (a *alarm) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	var failed error
	err := a.control.Control(func(fd uintptr) {
		once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		failed = unix.TimerfdSettime(int(fd), 0, &once, nil)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	var fired [8]byte
	_, err = a.file.Read(fired[:])
	return err
}

func (a *alarm) close() error { return a.file.Close() }
