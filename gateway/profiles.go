package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/config"
)

type profilesCommand struct {
	Name        string `arg:"" optional:"" help:"Profile to show in full; without it all are listed."`
	ProfilesDir string `help:"Folder of the site's own profiles, instead of the configuration's." type:"path" placeholder:"DIR"`
}

// Help is the longer text of --help.
func (*profilesCommand) Help() string {
	return "The confidence says how sure a profile is: A from the maker's document, B from a maintained public profile, " +
		"C from one public configuration, D doubtful, site made by the site itself."
}

// Run lists the profiles, or shows one.
func (c *profilesCommand) Run(e *environment) error {
	l, err := e.library(c.ProfilesDir)
	if err != nil {
		return err
	}
	if c.Name != "" {
		p, err := l.ByName(c.Name)
		if err != nil {
			return err
		}
		return showProfile(e.stdout, p, l.File(p.Name))
	}
	all, err := l.All()
	if err != nil {
		return err
	}
	out := newTable(e.stdout)
	fmt.Fprintln(out, "NAME\tMAKER\tMODEL\tKIND\tCONFIDENCE\tSOURCE")
	for _, p := range all {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Maker, p.Model, kindOf(p), p.Confidence, p.Source)
	}
	return out.Flush()
}

// library opens the profiles: those that ship and those of dir, or where dir is
// empty of the folder that the configuration names. A configuration that is not
// there, or not sound, does not keep anybody from looking at profiles.
func (e *environment) library(dir string) (*firmwareconfig.Library, error) {
	if dir == "" {
		text, err := os.ReadFile(e.config)
		c := firmwareconfig.DefaultGateway()
		if err == nil {
			err = config.Decode(text, &c)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(e.stderr, "configuration %s cannot be read, so that only shipped profiles are known: %v\n", e.config, err)
		}
		dir = c.ProfilesDir
	}
	return firmwareconfig.OpenLibrary(dir)
}

func newTable(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) }

func kindOf(p firmwareconfig.Profile) string {
	if p.Kind == "" {
		return "by site"
	}
	return string(p.Kind)
}

func showProfile(w io.Writer, p firmwareconfig.Profile, file string) error {
	out := newTable(w)
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(out, "%s\t%s\n", label, text)
		}
	}
	line("profile", p.Name)
	line("file", file)
	line("meter", p.Maker+", "+p.Model)
	line("kind", kindOf(p))
	line("confidence", fmt.Sprintf("%s, %s", p.Confidence, p.Confidence.Meaning()))
	line("source", strings.TrimSuffix(p.Source+", page "+p.Page, ", page "))
	line("serial", p.Serial.String())
	line("requests", requests(p))
	line("note", p.Note)
	if err := out.Flush(); err != nil {
		return err
	}
	if err := showRegisters(w, p); err != nil {
		return err
	}
	return showProbe(w, p)
}

// requests says how the meter wants to be asked.
func requests(p firmwareconfig.Profile) string {
	text := fmt.Sprintf("function %d, at most %d registers", p.Function, p.Limit)
	for _, t := range []struct {
		label string
		d     time.Duration
	}{{"pause", p.Pause}, {"timeout at least", p.Timeout}, {"renewed every", p.Refresh}} {
		if t.d > 0 {
			text += fmt.Sprintf(", %s %s", t.label, t.d)
		}
	}
	return text
}

func showRegisters(w io.Writer, p firmwareconfig.Profile) error {
	out := newTable(w)
	fmt.Fprintln(out, "\nCHANNEL\tQUANTITY\tADDRESS\tTYPE\tORDER\tUNIT\tNO VALUE\tROLLS OVER\tCONFIDENCE")
	for _, r := range p.Registers {
		unit := r.Unit
		if r.Scale != "" {
			unit = r.Scale + " " + unit
		}
		order, rolls := string(r.Order), "-"
		if order == "" {
			order = "ABCD"
		}
		if r.Modulus > 0 {
			rolls = fmt.Sprint(r.Modulus)
		}
		fmt.Fprintf(out, "%d\t%s\t%#04x (%d)\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Channel, r.Quantity, r.Address, r.Address, r.Type,
			order, unit, dash(append(r.None, r.NoneNumbers...)), rolls, p.ConfidenceOf(r))
	}
	return out.Flush()
}

func dash(texts []string) string {
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, ", ")
}

func showProbe(w io.Writer, p firmwareconfig.Profile) error {
	out := newTable(w)
	if len(p.Probe) == 0 {
		fmt.Fprintln(out, "\nNothing tells this device from others: a scan does not propose it.")
		return out.Flush()
	}
	fmt.Fprintln(out, "\nA SCAN LOOKS AT\tADDRESS\tTYPE\tEXPECTS")
	for _, c := range p.Probe {
		place, expects := fmt.Sprintf("%#04x", c.Address), "nothing there, or 0"
		switch {
		case c.Function == firmwareconfig.DeviceIdentity:
			place, expects = fmt.Sprintf("identity %d", c.Object), strings.Join(c.Begins, ", ")
		case len(c.Begins) > 0:
			expects = strings.Join(c.Begins, ", ")
		case len(c.Range) == 2:
			expects = fmt.Sprintf("%.12g to %.12g", c.Range[0], c.Range[1])
		}
		if c.Certain {
			expects += " (certain)"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", c.What, place, c.Type, expects)
	}
	return out.Flush()
}
