package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	modbuslib "github.com/goburrow/modbus"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A device is one slave with its requests and how it fares. It belongs to the
// goroutine of its poller.
type device struct {
	config   firmwareconfig.Device
	profile  firmwareconfig.Profile
	interval time.Duration
	reader   *registers.Reader

	due      time.Time     // the next instant of its grid
	failures int           // turns in a row without an answer
	wait     time.Duration // between probes, where it is dead
	probeAt  time.Time
}

// patience is how many turns without an answer make a device dead.
const patience = 2

func (d *device) dead() bool { return d.failures >= patience }

// read appends what one device answers, and returns the error that ended its
// turn.
func (p *Poller) read(ctx context.Context, d *device, readings []wire.UnitReading) ([]wire.UnitReading, error) {
	queue := d.reader.Requests(time.Now())
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		answer, at, err := p.request(ctx, d, r)
		switch {
		case err == nil:
			readings = p.decode(r, answer, at, readings)
			p.answered(d)
			continue
		case ctx.Err() != nil:
			return readings, err
		case errors.Is(err, modbus.ErrTimeout):
			p.silent(d)
		case !errors.Is(err, modbus.ErrLine):
			p.failed(r, err)
			p.answered(d) // an exception is an answer too
			if refused(err) {
				queue = append(d.reader.Refused(r, time.Now()), queue...)
			}
			continue
		}
		p.failed(r, err)
		return readings, err // its other registers would cost a timeout each
	}
	return readings, nil
}

func refused(err error) bool {
	exception, ok := errors.AsType[*modbuslib.ModbusError](err)
	return ok && registers.Refuses(exception.ExceptionCode)
}

// request reads once, and once more where the line hiccupped. The instant is
// that of the answer.
func (p *Poller) request(ctx context.Context, d *device, r registers.Request) ([]byte, time.Time, error) {
	for try := 0; ; try++ {
		answer, at, err := p.once(ctx, d, r)
		if err == nil {
			return answer, at, nil
		}
		_, exception := errors.AsType[*modbuslib.ModbusError](err)
		if exception || try > 0 || d.failures > 0 || ctx.Err() != nil {
			return nil, at, err
		}
	}
}

// once asks after the pause that the meter wants on the line.
func (p *Poller) once(ctx context.Context, d *device, r registers.Request) ([]byte, time.Time, error) {
	if err := pause(ctx, time.Until(p.heard.Add(d.profile.Pause))); err != nil {
		return nil, time.Time{}, err
	}
	p.expect(p.config.Timeout)
	start := time.Now()
	answer, err := p.bus.Read(ctx, r.Slave, r.Function, r.Address, r.Quantity)
	at := p.options.Clock.Now()
	p.heard = time.Now()
	if err == nil {
		p.latency(r, p.heard.Sub(start))
	}
	return answer, at, err
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Poller) decode(r registers.Request, answer []byte, at time.Time, readings []wire.UnitReading) []wire.UnitReading {
	for _, f := range r.Fields {
		amount, err := f.Amount(r, answer)
		if err != nil {
			p.fieldFailed(f, err)
			continue
		}
		p.good(f.Meter.ID, at)
		p.log.Debug("read", "meter", f.Meter.ID, "quantity", f.Quantity, "slave", r.Slave)
		readings = append(readings, wire.UnitReading{Unit: f.Unit, Reading: metering.Reading{
			Meter: f.Meter.ID, Quantity: f.Quantity, At: at, Amount: amount}})
	}
	return readings
}

// errorKind names a failure as reports and metrics do.
func errorKind(err error) string {
	exception, ok := errors.AsType[*modbuslib.ModbusError](err)
	switch {
	case ok:
		return fmt.Sprintf("exception_%d", exception.ExceptionCode)
	case errors.Is(err, modbus.ErrTimeout):
		return "timeout"
	case errors.Is(err, modbus.ErrLine):
		return "line"
	case errors.Is(err, registers.ErrNoValue):
		return "no_value"
	default:
		return "frame"
	}
}
