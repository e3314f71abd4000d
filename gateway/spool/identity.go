package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// numbersPerOpening is how far apart the numbers of two openings begin. Whatever
// damage the segments suffer, no number is given twice; and 2^53, up to which
// every JSON reader is exact, leaves room for nine million openings.
const numbersPerOpening = 1_000_000_000

// An identity is the file "id": the spool's random name, how often it was opened
// to append, and the newest instant at which a pack was known to be appended.
type identity struct {
	id       wire.SpoolID
	openings uint64
	newest   time.Time // zero for none
}

// loadIdentity reads the file. Where it is missing or damaged the packs tell the
// name, so that answers for them are still heard; without packs it is new.
func (s *Spool) loadIdentity() error {
	text, err := os.ReadFile(s.idPath())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var newestMs int64
	if n, _ := fmt.Sscan(string(text), &s.identity.id, &s.identity.openings, &newestMs); n >= 2 && metering.ValidID(s.identity.id) {
		s.identity.newest = wire.Instant(newestMs)
		return nil
	}
	if s.identity.id, err = s.nameInPacks(); err != nil || s.identity.id == "" {
		s.identity.id, err = newID()
		return err
	}
	// The numbers of answered packs are not known any more: leap far beyond.
	const leap = 1000
	s.identity.openings = uint64(s.next)/numbersPerOpening + leap
	return nil
}

// nameInPacks returns the name that the oldest readable pack bears, "" where
// there is none.
func (s *Spool) nameInPacks() (wire.SpoolID, error) {
	const most = 1000
	for _, seq := range s.waiting(0, most) {
		payload, ok, err := s.payload(seq)
		if err != nil {
			return "", err
		}
		if p, err := wire.DecodePack(payload); ok && err == nil {
			return p.Spool, nil
		}
	}
	return "", nil
}

// claim counts an opening, durably, and sets the number from which it gives
// numbers. A disk that is full lets nothing be written, but what waits can still
// be sent: the claim is made up for at the first append.
func (s *Spool) claim() error {
	next := identity{s.identity.id, s.identity.openings + 1, s.identity.newest}
	text := fmt.Appendf(nil, "%s %d %d\n", next.id, next.openings, wire.Millis(next.newest))
	if err := durable.Write(s.idPath(), text); err != nil {
		return err
	}
	s.next = max(s.next, wire.Seq(s.identity.openings*numbersPerOpening+1))
	s.identity, s.claimed = next, true
	return nil
}

func (s *Spool) idPath() string { return filepath.Join(s.dir, "id") }

func newID() (wire.SpoolID, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	return wire.SpoolID(hex.EncodeToString(random[:])), nil
}

// noRoom reports whether err means that the disk takes nothing at the moment.
func noRoom(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EROFS)
}

func (s *Spool) acquire() error {
	lock, err := os.OpenFile(filepath.Join(s.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("%w: stop the gateway first: %w", ErrInUse, err), lock.Close())
	}
	s.lock = lock
	return nil
}

const lockFile = "lock"

// InUse reports whether a process has the spool in dir open, which tells whether
// the gateway runs. Where that cannot be told it is false.
func InUse(dir string) bool {
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return false
	}
	defer lock.Close() // which lets go of the lock
	return errors.Is(unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}
