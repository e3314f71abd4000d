package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/xnetroseraie/xnet/internal/figures"
)

// Secrets checks that each file is there and that not everybody may read it;
// empty names count for nothing.
func Secrets(files []string) Check {
	return Check{"secrets", func(context.Context) (string, error) {
		var faults []error
		looked := 0
		for _, file := range files {
			if file == "" {
				continue
			}
			looked++
			s, err := os.Stat(file)
			switch {
			case err != nil:
				faults = append(faults, fault("run xnet-setup, which makes what lacks, or correct the path in the configuration", "%v", err))
			case s.Mode().Perm()&0o007 != 0:
				faults = append(faults, fault("chmod o-rwx "+file, "everybody on this machine may read %s (mode %04o)", file, s.Mode().Perm()))
			}
		}
		return fmt.Sprintf("%d files, readable only for who needs them", looked), errors.Join(faults...)
	}}
}

// Disks fill up to this part without harm.
const fullest = 0.90

// Disks checks the room where each folder lies.
func Disks(folders []string) Check {
	return Check{"disk", func(context.Context) (string, error) {
		var faults []error
		var said []string
		for _, folder := range folders {
			d, err := figures.DiskOf(folder)
			switch {
			case err != nil:
				faults = append(faults, fault("make the folder, or correct its path in the configuration", "%v", err))
			case d.Full() >= fullest:
				faults = append(faults, fault("make room: move old back-ups away, journalctl --vacuum-size=200M, or enlarge the disk",
					"the disk of %s is %.0f %% full, %d MB are left", folder, 100*d.Full(), d.Free>>20))
			default:
				said = append(said, fmt.Sprintf("%s has %d MB free", folder, d.Free>>20))
			}
		}
		return strings.Join(said, ", "), errors.Join(faults...)
	}}
}

// renewBefore is how long before its end a certificate is to be renewed. The
// set-up renews the broker's 60 days before.
const renewBefore = 21 * 24 * time.Hour

// Certificates checks how long the certificates in files (PEM) last.
func Certificates(files []string, now func() time.Time) Check {
	return Check{"certificates", func(context.Context) (string, error) {
		var faults []error
		var first time.Time
		for _, file := range files {
			end, err := figures.CertificateEnd(file)
			switch {
			case err != nil:
				faults = append(faults, fault("run xnet-setup, which makes what lacks, or correct the path in the configuration", "%v", err))
			case !end.After(now()):
				faults = append(faults, fault("run xnet-setup, which renews the broker's; replace one of your own", "%s ended on %s", file, end.Format(time.DateOnly)))
			case end.Before(now().Add(renewBefore)):
				faults = append(faults, fault("systemctl start xnet-setup.service renews the broker's; replace one of your own", "%s ends on %s", file, end.Format(time.DateOnly)))
			}
			if err == nil && (first.IsZero() || end.Before(first)) {
				first = end
			}
		}
		if first.IsZero() {
			return "none is used", errors.Join(faults...)
		}
		return fmt.Sprintf("%d, the first ends on %s", len(files), first.Format(time.DateOnly)), errors.Join(faults...)
	}}
}

// KernelClock reports whether the kernel holds the clock for right, as
// adjtimex(2) tells.
func KernelClock() (synchronised bool, err error) {
	var t syscall.Timex
	const unsynchronised = 0x40 // STA_UNSYNC
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, fmt.Errorf("ask the kernel for its clock: %w", err)
	}
	return t.Status&unsynchronised == 0, nil
}

// builtAfter is before any copy of this program: a clock that says earlier is wrong.
var builtAfter = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Clock checks this machine's clock.
func Clock(synchronised func() (bool, error), now func() time.Time) Check {
	return Check{"clock", func(context.Context) (string, error) {
		const remedy = "timedatectl set-ntp true, wait a minute, and look at timedatectl status"
		if now().Before(builtAfter) {
			return "", fault(remedy, "it says %s", now().Format(time.DateOnly))
		}
		right, err := synchronised()
		if err != nil {
			return "", fault(remedy, "%v", err)
		}
		if !right {
			return "", fault(remedy, "no time server keeps it right")
		}
		return "a time server keeps it right", nil
	}}
}
