// Package residence makes a whole residence as the API meets it: thirteen months
// of periods of every meter in an InfluxDB, the dwellings and their people in the
// API's own database, and the real program that serves their pages.
package residence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Kinds are those of the meters of each dwelling.
var Kinds = []metering.Kind{metering.ColdWater, metering.HotWater, metering.Heat}

// thirteen whole months lie before the one that goes on, unless a plan says another
// number: the first page looks at the month before the same of last year.
const thirteen = 13

// A Plan is how large a residence is made.
type Plan struct {
	Dwellings int // at least 1
	Months    int // whole months of figures before the one that goes on; 0 for thirteen
	// HourlyDays is for how many days before today hours are written; days and
	// months are written of all.
	HourlyDays int
	Fine       bool      // every reading may be kept, by the households' consent
	Verbose    bool      // show what the program says
	Said       io.Writer // for whoever waits
}

// A Residence is filled and stands still: only [Residence.Late] changes it.
type Residence struct {
	Plan
	Zone  *time.Location
	Today civil.Date
	First civil.Month    // of which there are figures
	Store *influx.Client // on its InfluxDB

	now      time.Time // when it was made; the last reading is a minute before
	dir      string
	url      string // of InfluxDB
	influxd  int    // process id
	children *bench.Children
}

// New starts an InfluxDB 1.8.10 in a folder of its own and fills it. The caller
// closes the residence.
func New(ctx context.Context, p Plan) (*Residence, error) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, fmt.Errorf("zone of Paris: %w: install tzdata", err)
	}
	r := &Residence{Plan: p, Zone: zone, now: time.Now(), children: &bench.Children{}}
	r.Today = civil.DateIn(r.now, zone)
	r.First = r.Today.MonthOf()
	for range cmp.Or(p.Months, thirteen) {
		r.First = r.First.Prev()
	}
	if r.dir, err = os.MkdirTemp("", "xnet-bench-residence-"); err != nil {
		return nil, err
	}
	if err = r.startInflux(ctx); err == nil {
		err = r.fill(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close ends all that runs and removes the folder.
func (r *Residence) Close() error {
	if r.Store != nil {
		r.Store.Close()
	}
	r.children.Stop()
	return os.RemoveAll(r.dir)
}

// Restart ends InfluxDB and starts it again on what is stored: what filling it took in
// memory is gone.
func (r *Residence) Restart(ctx context.Context) error {
	r.Store.Close()
	r.children.Stop()
	r.children = &bench.Children{}
	return r.startInflux(ctx)
}

func (r *Residence) startInflux(ctx context.Context) error {
	path, err := peer.Influxd(ctx, r.Said)
	if err != nil {
		return err
	}
	addr, err := influxd.FreeAddr()
	if err != nil {
		return err
	}
	command, err := influxd.Server{Path: path, Data: r.dir + "/influx", Addr: addr}.Command(ctx)
	if err != nil {
		return err
	}
	if err := r.children.Start(command); err != nil {
		return err
	}
	r.influxd = command.Process.Pid
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := influxd.WaitHealthy(waiting, addr); err != nil {
		return err
	}
	config := influx.DefaultConfig()
	r.url = "http://" + addr
	config.URL = r.url
	if r.Store, err = influx.Open(config); err != nil {
		return err
	}
	return r.Store.SetUp(ctx)
}

// Meter is the id of a dwelling's meter of a kind.
func Meter(k metering.Kind, dwelling int) metering.MeterID {
	return metering.MeterID(fmt.Sprintf("%s-%04d", k, dwelling))
}

// Meters are all of the given kinds, dwelling by dwelling.
func (r *Residence) Meters(kinds ...metering.Kind) []metering.MeterID {
	var ids []metering.MeterID
	for n := range r.Dwellings {
		for _, k := range kinds {
			ids = append(ids, Meter(k, n))
		}
	}
	return ids
}

// Index is what a dwelling's meters show at an instant from the begin of
// [Residence.First] on, in mL or Wh: they count evenly, each dwelling's at a pace
// of its own, so that every figure can be told beforehand.
func (r *Residence) Index(dwelling int, at time.Time) metering.Amount {
	perHour := metering.Amount(3000 + dwelling%97*50)
	return 1_000_000 + perHour*metering.Amount(at.Sub(r.First.First().Start(r.Zone))/time.Minute)/60
}
