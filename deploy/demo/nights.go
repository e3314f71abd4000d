package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// roomDays is for how many days the room sensors have a history: what judging a cold
// home looks at, and a little more.
const roomDays = 10

// judgeNights does at once what the API does each morning, so that homes show their
// alerts and tips from the start.
func (d *demo) judgeNights(ctx context.Context) error {
	if err := d.furnishRooms(ctx); err != nil {
		return err
	}
	var said strings.Builder
	// Again, because the API may have judged the nights before they were imported.
	err := d.family.once(ctx, "api-nightly", &said, d.program("api"), "nightly", "--config", d.path("etc", "api.yaml"), "--again", "--wait", "5m")
	if err != nil {
		return err
	}
	for line := range strings.Lines(said.String()) {
		if strings.Contains(line, "nights up to") { // the others are progress, and reasons
			d.screen.step("%s", strings.TrimSpace(line))
		}
	}
	return nil
}

// furnishRooms writes what the room sensors showed on the last days: a site's logger
// keeps indexes, and a temperature has none. The same again changes nothing.
func (d *demo) furnishRooms(ctx context.Context) error {
	c := influx.DefaultConfig()
	c.URL = "http://" + d.addr.influx
	client, err := influx.Open(c)
	if err != nil {
		return err
	}
	defer client.Close()
	until := time.Now().UTC().Truncate(10 * time.Minute)
	var readings []metering.Reading
	for _, m := range d.residence.Meters() {
		if m.Kind != metering.Temperature {
			continue
		}
		for at := until.AddDate(0, 0, -roomDays); at.Before(until); at = at.Add(10 * time.Minute) {
			readings = append(readings, metering.Reading{Meter: m.ID, Quantity: metering.Celsius, At: at, Amount: d.residence.Register(m, at)})
		}
	}
	if err := client.WriteReadings(ctx, readings); err != nil {
		return fmt.Errorf("history of the room sensors: %w", err)
	}
	return nil
}
