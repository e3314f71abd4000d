package residence

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Spent is the time that processors worked: it tells the cost of a page also
// where others keep them busy.
type Spent struct{ Program, InfluxDB time.Duration }

// Spent returns what the program that serves and InfluxDB have worked since they
// were started, to a hundredth of a second.
func (h *House) Spent() (s Spent, err error) {
	if s.Program, err = Worked(h.serving); err != nil {
		return Spent{}, err
	}
	s.InfluxDB, err = Worked(h.influxd)
	return s, err
}

// Spent returns what this program and InfluxDB have worked since they were started.
func (r *Residence) Spent() (s Spent, err error) {
	if s.Program, err = Worked(os.Getpid()); err != nil {
		return Spent{}, err
	}
	s.InfluxDB, err = Worked(r.influxd)
	return s, err
}

// Where utime and stime stand after the name's closing parenthesis, and their
// unit, which Linux fixes for programs (proc_pid_stat(5)).
const (
	userField   = 11
	systemField = 12
	tick        = time.Second / 100
)

// Worked returns what a process has worked since it was started, to a hundredth of a
// second.
func Worked(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("time that process %d worked: %w", pid, err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) <= systemField {
		return 0, fmt.Errorf("time that process %d worked: /proc says %q", pid, text)
	}
	user, userErr := strconv.ParseInt(fields[userField], 10, 64)
	system, systemErr := strconv.ParseInt(fields[systemField], 10, 64)
	if userErr != nil || systemErr != nil {
		return 0, fmt.Errorf("time that process %d worked: /proc says %q", pid, text)
	}
	return time.Duration(user+system) * tick, nil
}
