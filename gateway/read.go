package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	library "github.com/goburrow/modbus"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type readCommand struct {
	Meter []string `arg:"" optional:"" help:"Meters of the configuration to read; without any, all."`

	URL         string        `help:"Line of a meter that is not in the configuration: rtu:///dev/ttyUSB0, tcp://HOST:502." placeholder:"URL"`
	Slave       byte          `help:"Its slave (with --url)." placeholder:"N"`
	Profile     string        `help:"Its profile (with --url), as \"gateway profiles\" lists them." placeholder:"NAME"`
	Baud        int           `help:"Rate of a serial line; the profile's, or 9600." placeholder:"BAUD"`
	Parity      string        `help:"Parity of a serial line: none, even or odd; the profile's, or none." placeholder:"PARITY"`
	Timeout     time.Duration `help:"How long to wait for each answer (with --url)." default:"1s"`
	Kind        string        `help:"What is counted, where the profile does not know." placeholder:"KIND"`
	Weight      int64         `help:"What a pulse or count is worth, in mL or Wh." default:"1"`
	Doubtful    bool          `help:"Also read registers of confidence D."`
	ProfilesDir string        `help:"Folder of the site's own profiles, instead of the configuration's." type:"path" placeholder:"DIR"`
}

// Help is the longer text of --help.
func (*readCommand) Help() string {
	return "Reads meters once and prints what they show, beside the bytes as they came. Either those of the configuration, or with --url, " +
		"--slave and --profile any meter. Stop the gateway first where the line is serial: a line has one master."
}

// Run reads and prints. It fails where a quantity could not be read.
func (c *readCommand) Run(e *environment) error {
	buses, err := c.buses(e)
	if err != nil {
		return err
	}
	var rows []row
	for _, b := range buses {
		read, err := readBus(e.ctx, b)
		rows = append(rows, read...)
		if err != nil {
			return errors.Join(printRows(e.stdout, rows), err)
		}
	}
	if err := printRows(e.stdout, rows); err != nil {
		return err
	}
	failed := 0
	for _, r := range rows {
		if r.err != nil && !errors.Is(r.err, registers.ErrNoValue) {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d quantities could not be read", failed, len(rows))
	}
	return nil
}

// buses are the configuration's, or the one that the flags describe.
func (c *readCommand) buses(e *environment) ([]firmwareconfig.Bus, error) {
	if c.URL != "" {
		b, err := c.adHoc(e)
		return []firmwareconfig.Bus{b}, err
	}
	if c.Slave != 0 || c.Profile != "" {
		return nil, errors.New("--slave and --profile want --url, the line of the meter")
	}
	g, err := e.load()
	if err != nil {
		return nil, err
	}
	return only(g.Buses, c.Meter)
}

// only leaves the meters of those ids, or all where there are none.
func only(buses []firmwareconfig.Bus, ids []string) ([]firmwareconfig.Bus, error) {
	if len(ids) == 0 {
		return buses, nil
	}
	missing := slices.Clone(ids)
	for i := range buses {
		for j := range buses[i].Devices {
			d := &buses[i].Devices[j]
			d.Meters = slices.DeleteFunc(d.Meters, func(m firmwareconfig.Meter) bool {
				missing = slices.DeleteFunc(missing, func(id string) bool { return id == string(m.ID) })
				return !slices.Contains(ids, string(m.ID))
			})
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no meter %s in the configuration", strings.Join(missing, ", "))
	}
	return buses, nil
}

// adHoc makes a bus of the flags: one device with a meter for each channel of
// its profile.
func (c *readCommand) adHoc(e *environment) (firmwareconfig.Bus, error) {
	if c.Slave < 1 || c.Slave > 247 || c.Profile == "" || len(c.Meter) > 0 {
		return firmwareconfig.Bus{}, errors.New("--url wants a --slave from 1 to 247 and a --profile, and no meter ids")
	}
	l, err := e.library(c.ProfilesDir)
	if err != nil {
		return firmwareconfig.Bus{}, err
	}
	p, err := l.ByName(c.Profile)
	if err != nil {
		return firmwareconfig.Bus{}, err
	}
	d := firmwareconfig.Device{Slave: c.Slave, Profile: p.Name, Resolved: &p, DoubtfulRegisters: c.Doubtful}
	if d.Meters, err = c.meters(p); err != nil {
		return firmwareconfig.Bus{}, err
	}
	b := firmwareconfig.Bus{Name: c.URL, URL: c.URL, Baud: first(c.Baud, p.Serial.Baud, 9600),
		Parity: first(c.Parity, p.Serial.Parity, "none"), StopBits: first(p.Serial.StopBits, 1), Timeout: c.Timeout}
	b.Devices = []firmwareconfig.Device{d}
	return b, nil
}

func first[T comparable](of ...T) T {
	var zero T
	for _, one := range of {
		if one != zero {
			return one
		}
	}
	return zero
}

func (c *readCommand) meters(p firmwareconfig.Profile) ([]firmwareconfig.Meter, error) {
	var meters []firmwareconfig.Meter
	for _, r := range p.Registers {
		known := func(m firmwareconfig.Meter) bool { return m.Channel == r.Channel }
		if slices.ContainsFunc(meters, known) {
			continue
		}
		kind, err := metering.ParseKind(first(string(p.KindOf(r.Channel)), c.Kind, string(metering.ColdWater)))
		if err != nil {
			return nil, err
		}
		id := p.Name
		if r.Channel > 0 {
			id = fmt.Sprintf("channel-%d", r.Channel)
		}
		meters = append(meters, firmwareconfig.Meter{ID: metering.MeterID(id), Kind: kind, Channel: r.Channel, PulseML: c.Weight, PulseWh: c.Weight})
	}
	return meters, nil
}

// A row is one quantity that was read, or was to be.
type row struct {
	slave   byte
	field   registers.Field
	amount  metering.Amount
	raw     []byte
	latency time.Duration
	err     error
}

// readBus reads every device of a bus once. It fails where the line is down.
func readBus(ctx context.Context, b firmwareconfig.Bus) ([]row, error) {
	for i := range b.Devices {
		p, err := b.Devices[i].Map()
		if err != nil {
			return nil, err
		}
		b.Timeout = max(b.Timeout, p.Timeout)
	}
	bus, err := modbus.Open(b)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, d := range b.Devices {
		var read []row
		if read, err = readDevice(ctx, bus, b.Baud, d); err != nil {
			err = fmt.Errorf("bus %s: %w", b.Name, err)
			break
		}
		rows = append(rows, read...)
	}
	return rows, errors.Join(err, bus.Close())
}

func readDevice(ctx context.Context, bus *modbus.Bus, baud int, d firmwareconfig.Device) ([]row, error) {
	p, err := d.Map()
	if err != nil {
		return nil, err
	}
	reader, err := registers.NewReader(d, p, registers.Line{Baud: baud, Pause: p.Pause})
	if err != nil {
		return nil, err
	}
	var rows []row
	for queue := reader.Requests(time.Now()); len(queue) > 0; {
		request := queue[0]
		queue = queue[1:]
		start := time.Now()
		answer, err := bus.Read(ctx, request.Slave, request.Function, request.Address, request.Quantity)
		if errors.Is(err, modbus.ErrLine) || ctx.Err() != nil {
			return rows, err
		}
		if instead := parts(reader, request, err); len(instead) > 0 {
			queue = append(instead, queue...)
			continue
		}
		rows = append(rows, decode(request, answer, time.Since(start), err)...)
		time.Sleep(p.Pause)
	}
	return rows, nil
}

// parts is what to ask instead of a request that the meter refused.
func parts(reader *registers.Reader, request registers.Request, err error) []registers.Request {
	exception := (*library.ModbusError)(nil)
	if errors.As(err, &exception) && registers.Refuses(exception.ExceptionCode) {
		return reader.Refused(request, time.Now())
	}
	return nil
}

func decode(request registers.Request, answer []byte, latency time.Duration, err error) []row {
	var rows []row
	for _, f := range request.Fields {
		r := row{slave: request.Slave, field: f, latency: latency, err: err}
		if err == nil {
			r.amount, r.err = f.Amount(request, answer)
			r.raw, _ = f.Raw(request, answer) // Amount has said why not
		}
		rows = append(rows, r)
	}
	return rows
}

func printRows(w io.Writer, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	out := newTable(w)
	fmt.Fprintln(out, "METER\tSLAVE\tADDRESS\tQUANTITY\tAMOUNT\tUNIT\tRAW\tLATENCY")
	for _, r := range rows {
		amount, unit := fmt.Sprint(r.amount), string(r.field.Unit)
		switch {
		case r.err == nil && r.field.Weighed() && r.field.Meter.Pulse() == 1:
			unit = "counts"
		case errors.Is(r.err, registers.ErrNoValue):
			amount, unit = "none", "-"
		case r.err != nil:
			amount, unit = "error", "-"
		}
		fmt.Fprintf(out, "%s\t%d\t%#04x\t%s\t%s\t%s\t%s\t%s\n", r.field.Meter.ID, r.slave, r.field.Address(), r.field.Quantity,
			amount, unit, strings.ToUpper(hex.EncodeToString(r.raw)), r.latency.Round(100*time.Microsecond))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return printErrors(w, rows)
}

// printErrors says each reason once.
func printErrors(w io.Writer, rows []row) error {
	said := map[string]bool{}
	for _, r := range rows {
		if r.err == nil || errors.Is(r.err, registers.ErrNoValue) || said[r.err.Error()] {
			continue
		}
		said[r.err.Error()] = true
		if _, err := fmt.Fprintf(w, "%s: %v\n", r.field, r.err); err != nil {
			return err
		}
	}
	return nil
}
