package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/scan"
)

type scanCommand struct {
	URL         string        `help:"Line to search: rtu:///dev/ttyUSB0, tcp://HOST:502, or rtutcp://HOST:PORT for RTU frames over TCP." required:"" placeholder:"URL"`
	Baud        []int         `help:"Rates to try, of a serial line." default:"9600" placeholder:"9600,19200"`
	Parity      []string      `help:"Parities to try, of a serial line: none, even, odd." default:"none" placeholder:"none,even"`
	StopBits    int           `help:"Stop bits of a serial line." default:"1"`
	From        byte          `help:"First slave." default:"1"`
	To          byte          `help:"Last slave." default:"247"`
	Timeout     time.Duration `help:"How long to wait for each answer." default:"300ms"`
	Pause       time.Duration `help:"Silence between two requests to the same slave." default:"50ms"`
	Thorough    bool          `help:"Ask twice before a slave counts as absent."`
	ProfilesDir string        `help:"Folder of the site's own profiles, instead of the configuration's." type:"path" placeholder:"DIR"`
}

// Help is the longer text of --help.
func (*scanCommand) Help() string {
	return "Asks every slave of the range and tries the profiles on those that answer. \"certain\" means that the meter named itself, " +
		"\"plausible\" that what it shows can be nothing else that is known. Nothing is written to any meter. " +
		"Stop the gateway first: a line has one master."
}

// Run searches the line at each rate and parity and prints what it found. It
// fails where nobody answers.
func (c *scanCommand) Run(e *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	l, err := e.library(c.ProfilesDir)
	if err != nil {
		return err
	}
	profiles, err := l.All()
	if err != nil {
		return err
	}
	var all []scan.Finding
	for _, b := range c.buses() {
		found, err := c.line(e, b, profiles)
		if len(found) > 0 {
			all = append(all, found...)
			if err := printFindings(e.stdout, b, found); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("scan of %s: %w", c.URL, err)
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("scan of %s: no slave from %d to %d answers: check the wiring (A and B exchanged?), --baud and --parity", c.URL, c.From, c.To)
	}
	return nil
}

func (c *scanCommand) check() error {
	if c.From < 1 || c.To > 247 || c.From > c.To {
		return fmt.Errorf("slaves from %d to %d: want a range within 1 to 247", c.From, c.To)
	}
	if c.Timeout <= 0 || c.Pause < 0 {
		return errors.New("want a positive --timeout and a --pause that is not negative")
	}
	for _, parity := range c.Parity {
		if parity != "none" && parity != "even" && parity != "odd" {
			return fmt.Errorf("parity %q: want none, even or odd", parity)
		}
	}
	return nil
}

// buses are the settings to try; a network has but one.
func (c *scanCommand) buses() []firmwareconfig.Bus {
	one := firmwareconfig.Bus{Name: "scan", URL: c.URL, StopBits: c.StopBits, Timeout: c.Timeout}
	if !strings.HasPrefix(c.URL, "rtu:") {
		return []firmwareconfig.Bus{one}
	}
	var all []firmwareconfig.Bus
	for _, baud := range c.Baud {
		for _, parity := range c.Parity {
			b := one
			b.Baud, b.Parity = baud, parity
			all = append(all, b)
		}
	}
	return all
}

func (c *scanCommand) line(e *environment, b firmwareconfig.Bus, profiles []firmwareconfig.Profile) ([]scan.Finding, error) {
	bus, err := modbus.Open(b)
	if err != nil {
		return nil, err
	}
	sweep := newSweep(e.stderr, label(b), int(c.From), int(c.To))
	found, err := scan.Line(e.ctx, bus, scan.Options{From: c.From, To: c.To, Profiles: profiles,
		Pause: c.Pause, Thorough: c.Thorough, Progress: sweep.step})
	sweep.done()
	return found, errors.Join(err, bus.Close())
}

// label names a line with its setting.
func label(b firmwareconfig.Bus) string {
	setting := firmwareconfig.Serial{Baud: b.Baud, Parity: b.Parity, StopBits: b.StopBits}.String()
	return strings.TrimSpace(b.URL + " " + setting)
}

// A sweep shows on a terminal how far a scan is, as a bar; written elsewhere, a
// line for each slave that was found and one now and then.
type sweep struct {
	out      io.Writer
	label    string
	from, to int
	begun    time.Time
	shown    time.Time
	found    int
	terminal bool
}

func newSweep(out io.Writer, label string, from, to int) *sweep {
	now := time.Now()
	return &sweep{out: out, label: label, from: from, to: to, begun: now, shown: now, terminal: terminal(out)}
}

func (s *sweep) step(slave byte, finding *scan.Finding) {
	if finding != nil {
		s.found++
	}
	switch {
	case s.terminal:
		s.bar(int(slave))
	case finding != nil:
		fmt.Fprintf(s.out, "slave %d answers: %s\n", slave, named(*finding))
	case time.Since(s.shown) >= 5*time.Second:
		fmt.Fprintf(s.out, "%s: slave %d of %d, %d found\n", s.label, slave, s.to, s.found)
		s.shown = time.Now()
	}
}

func (s *sweep) bar(slave int) {
	const width = 30
	done, all := slave-s.from+1, s.to-s.from+1
	left := time.Since(s.begun) / time.Duration(done) * time.Duration(all-done)
	full := width * done / all
	fmt.Fprintf(s.out, "\r%s [%s%s] slave %3d, %d found, %s left \x1b[K", s.label,
		strings.Repeat("#", full), strings.Repeat(".", width-full), slave, s.found, left.Round(time.Second))
}

func (s *sweep) done() {
	if s.terminal {
		fmt.Fprintln(s.out)
	}
}

// named is the profiles that fit a slave best, or "unknown".
func named(f scan.Finding) string {
	var names []string
	for _, c := range f.Best() {
		names = append(names, c.Profile.Name)
	}
	switch {
	case f.Garbled && len(names) == 0:
		return "garbled"
	case len(names) == 0:
		return "unknown"
	default:
		return strings.Join(names, " or ")
	}
}

func printFindings(w io.Writer, b firmwareconfig.Bus, found []scan.Finding) error {
	fmt.Fprintf(w, "%s: %d slaves answer\n\n", label(b), len(found))
	out := newTable(w)
	fmt.Fprintln(out, "SLAVE\tPROFILE\tFIT\tCONFIDENCE\tLATENCY\tMETER\tSEEN")
	for _, f := range found {
		fit, confidence, meter, seen := "-", "-", "-", "answers, but as none of the profiles expects"
		if best := f.Best(); len(best) > 0 {
			c := best[0]
			fit, confidence, meter = fitOf(c, len(best)), string(c.Profile.Confidence), c.Profile.Maker+" "+c.Profile.Model
			seen = strings.Join(c.Shown, "; ")
		} else if f.Garbled {
			seen = "answers nobody can read: two slaves with this number, or another parity"
		}
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Slave, named(f), fit, confidence,
			f.Latency.Round(100*time.Microsecond), meter, seen)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return printHints(w, found)
}

func fitOf(c scan.Candidate, rivals int) string {
	switch {
	case c.Certain:
		return "certain"
	case rivals > 1:
		return "undecided"
	default:
		return "plausible"
	}
}

// printHints says what to do about what the scan could not decide.
func printHints(w io.Writer, found []scan.Finding) error {
	unknown, plausible := 0, 0
	for _, f := range found {
		if best := f.Best(); len(best) == 0 {
			unknown++
		} else if !best[0].Certain {
			plausible++
		}
	}
	var err error
	if plausible > 0 {
		_, err = fmt.Fprintln(w, "\nplausible: read the meter with \"gateway read\" and hold the index against its dial.")
	}
	if unknown > 0 && err == nil {
		_, err = fmt.Fprintln(w, "\nunknown: pulse counters and converters without a name look so (see \"gateway profiles\"), and meters that need a profile of your own in profiles_dir.")
	}
	return err
}
