//go:build !linux

package slave

import (
	"errors"
	"time"
)

// A PTY exists on Linux only.
type PTY struct{}

// OpenPTY fails: pseudo-terminals are made on Linux only.
func OpenPTY(string) (*PTY, error) {
	return nil, errors.New("open a pseudo-terminal: only Linux is supported: serve Modbus TCP instead")
}

// Path is empty.
func (*PTY) Path() string { return "" }

// Read fails.
func (*PTY) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write fails.
func (*PTY) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// SetReadDeadline fails.
func (*PTY) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// Close does nothing.
func (*PTY) Close() error { return nil }
