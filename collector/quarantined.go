package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/xnetroseraie/xnet/collector/ingest"
	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// quarantineCommand is what people do with refused packs. It may be done beside
// the collector that keeps them.
type quarantineCommand struct {
	List   listCommand   `cmd:"" help:"List the packs that were refused, the longest kept first, each with its reason."`
	Show   showCommand   `cmd:"" help:"Show one refused pack as it came."`
	Replay replayCommand `cmd:"" help:"Check refused packs again, once what was wrong is mended: store what can be stored now and drop it from the quarantine."`
}

// browse opens the configured quarantine.
func (e *environment) browse() (Config, *quarantine.Quarantine, error) {
	c, err := e.load()
	if err != nil {
		return Config{}, nil, err
	}
	q, err := quarantine.Browse(c.Quarantine.Dir)
	return c, q, err
}

type listCommand struct{}

// Run prints one line a pack.
func (*listCommand) Run(e *environment) error {
	c, q, err := e.browse()
	if err != nil {
		return err
	}
	names, err := q.Names()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if len(names) > 0 {
		fmt.Fprintln(table, "PACK\tSINCE\tBYTES\tREASON")
	}
	for _, name := range names {
		r, err := q.Read(name)
		switch {
		case errors.Is(err, quarantine.ErrAbsent):
			continue // gone meanwhile, or no file of the collector's
		case err != nil:
			fmt.Fprintf(table, "%s\t\t\t%v\n", name, err)
		default:
			fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", name, r.At.UTC().Format(time.RFC3339), len(r.Payload), r.Reason)
		}
	}
	_, err = fmt.Fprintf(table, "%d packs, %d of %d bytes\n", len(names), q.Size(), c.Quarantine.MaxBytes)
	return errors.Join(err, table.Flush())
}

type showCommand struct {
	Pack string `arg:"" help:"Name of the pack, as quarantine list prints it."`
}

// Run prints where the pack came from, why it was refused, and its payload.
func (s *showCommand) Run(e *environment) error {
	_, q, err := e.browse()
	if err != nil {
		return err
	}
	r, err := q.Read(s.Pack)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "topic:  %s\nsince:  %s\nspool:  %s\nseq:    %d\nreason: %s\n\n%s\n",
		r.Topic, r.At.UTC().Format(time.RFC3339), r.Spool, r.Seq, r.Reason, printable(r.Payload))
	return err
}

// printable returns a payload so that it does no harm to a terminal.
func printable(payload []byte) string {
	for _, b := range payload {
		if (b < ' ' || b > '~') && b != '\n' && b != '\t' {
			return fmt.Sprintf("%q", payload)
		}
	}
	return string(payload)
}

type replayCommand struct {
	Packs []string `arg:"" optional:"" help:"Names of packs, as quarantine list prints them."`
	All   bool     `help:"Every pack of the quarantine."`
}

// Run replays the packs and computes the periods that they touch.
func (r *replayCommand) Run(e *environment) error {
	c, q, err := e.browse()
	if err != nil {
		return err
	}
	names := r.Packs
	switch {
	case r.All && len(names) > 0:
		return errors.New("name packs or give --all, not both")
	case !r.All && len(names) == 0:
		return errors.New("name the packs to replay (see collector quarantine list), or give --all")
	case r.All:
		if names, err = q.Names(); err != nil {
			return err
		}
	}
	store, err := influx.Open(c.Influx)
	if err != nil {
		return err
	}
	defer store.Close()
	var directory sites.Directory
	if err := ingest.Registries(e.ctx, c.Broker, e.logger(c), &directory); err != nil {
		return err
	}
	replay := ingest.Replay{Store: store, Quarantine: q, Sites: &directory}
	return r.replay(e, replay, names)
}

// replay goes on after a pack that fails, and ends in an error where one did.
func (r *replayCommand) replay(e *environment, replay ingest.Replay, names []string) error {
	var stored []metering.Reading
	var failed []error
	total, left := 0, 0
	for _, name := range names {
		var done ingest.Replayed
		err := e.insist(func() (err error) { done, err = replay.Pack(e.ctx, name); return err })
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
		failed = append(failed, err)
		stored = append(stored, done.Readings...)
		total += done.Stored
		if done.Reason != "" {
			left++
		}
		r.say(e.stdout, name, done, err)
	}
	// Also after a failure: what was stored must be seen.
	periods := 0
	failed = append(failed, e.insist(func() (err error) {
		periods, err = rollup.Touch(e.ctx, replay.Store, replay.Sites, stored)
		return err
	}))
	_, err := fmt.Fprintf(e.stdout, "%d readings stored, %d periods computed, %d packs stay\n", total, periods, left)
	return errors.Join(append(failed, err)...)
}

func (*replayCommand) say(out io.Writer, name string, done ingest.Replayed, err error) {
	switch {
	case err != nil: // reported at the end
	case done.Reason == "":
		fmt.Fprintf(out, "%s: %d readings stored\n", name, done.Stored)
	default:
		fmt.Fprintf(out, "%s: %d readings stored, the rest stays: %s\n", name, done.Stored, done.Reason)
	}
}
