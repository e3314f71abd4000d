package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type historyCommand struct {
	site
	Gateway []metering.GatewayID `required:"" placeholder:"ID" help:"Gateway whose meters to write: gw-a to gw-d; several with commas."`
	From    time.Time            `required:"" placeholder:"RFC3339" help:"First instant."`
	To      time.Time            `required:"" placeholder:"RFC3339" help:"Instant before which to end."`
	Step    time.Duration        `default:"1h" help:"Time between two rows, counted in whole steps since 1970 in UTC. [${default}]"`
	Out     string               `default:"-" placeholder:"FILE" help:"File to write, - for standard output. [${default}]"`
}

// Validate says what is wrong with the period and the step.
func (c *historyCommand) Validate() error {
	switch {
	case c.Step < time.Millisecond:
		return fmt.Errorf("--step %s: the shortest is 1ms", c.Step)
	case !c.To.After(c.From):
		return errors.New("--to must be after --from")
	}
	return nil
}

// Run writes the history, and its progress to the log.
func (c *historyCommand) Run(ctx context.Context, stdout io.Writer, log *slog.Logger) (err error) {
	r := c.residence()
	meters, err := c.meters(r)
	if err != nil {
		return err
	}
	out := stdout
	if c.Out != "-" {
		file, err := os.Create(c.Out)
		if err != nil {
			return fmt.Errorf("write the history: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	r.Warm(c.To)
	if err := c.write(ctx, out, r, meters, log); err != nil {
		return fmt.Errorf("write the history to %s: %w", c.Out, err)
	}
	return nil
}

// meters returns the meters of the gateways that have an index, by id.
func (c *historyCommand) meters(r *household.Residence) ([]*household.Meter, error) {
	wanted := map[metering.GatewayID]bool{}
	for _, id := range c.Gateway {
		if _, known := r.Gateway(id); !known {
			return nil, fmt.Errorf("--gateway %s: there is no such gateway: it is one of gw-a, gw-b, gw-c, gw-d", id)
		}
		wanted[id] = true
	}
	var meters []*household.Meter
	for _, m := range r.Meters() {
		if wanted[m.Gateway] && m.Kind != metering.Temperature {
			meters = append(meters, m)
		}
	}
	return meters, nil
}

func (c *historyCommand) write(ctx context.Context, out io.Writer, r *household.Residence, meters []*household.Meter, log *slog.Logger) error {
	buffer := bufio.NewWriterSize(out, 1<<18)
	if _, err := buffer.WriteString("meter,time,index\n"); err != nil {
		return err
	}
	rows, told := 0, time.Now()
	for i, m := range meters {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.writeMeter(buffer, r, m)
		if err != nil {
			return err
		}
		rows += n
		if time.Since(told) > time.Second || i == len(meters)-1 {
			told = time.Now()
			log.Info("history", "meters", i+1, "of", len(meters), "rows", rows)
		}
	}
	return buffer.Flush()
}

// instantLayout is RFC 3339 in UTC with milliseconds.
const instantLayout = "2006-01-02T15:04:05.000Z"

func (c *historyCommand) writeMeter(out io.Writer, r *household.Residence, m *household.Meter) (rows int, err error) {
	line := make([]byte, 0, 96)
	step := c.Step.Milliseconds()
	first := (c.From.UnixMilli() + step - 1) / step * step
	for ms := first; ms < c.To.UnixMilli(); ms += step {
		at := time.UnixMilli(ms).UTC()
		if at.Before(c.From) || !r.Answers(m, at) {
			continue
		}
		line = append(append(line[:0], m.ID...), ',')
		line = append(at.AppendFormat(line, instantLayout), ',')
		line = strconv.AppendInt(line, int64(r.Register(m, at)), 10)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}
