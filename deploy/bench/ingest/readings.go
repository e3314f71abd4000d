package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	siteID   = metering.SiteID("bench")
	gateways = 12
	meters   = 100 // of a gateway
	interval = 10 * time.Minute
	spoolID  = wire.SpoolID("bench")
)

// begin is the instant of the first reading: what is measured lies in the weeks
// after it.
func begin() time.Time { return time.Now().UTC().AddDate(0, 0, -30).Truncate(24 * time.Hour) }

// A load is what the publishers of one run send: the same readings in two forms.
type load struct {
	size     int // readings a message
	messages int
	begin    time.Time
}

func gatewayID(g int) metering.GatewayID { return metering.GatewayID(fmt.Sprintf("gw-%02d", g)) }

func meterID(g, m int) metering.MeterID { return metering.MeterID(fmt.Sprintf("EL-%02d%03d", g, m)) }

// reading is the n-th that a gateway reads: all its meters, one after the other,
// every ten minutes. Instants are those of a bus, which reads a meter in 25 ms.
func (l load) reading(g, n int) metering.Reading {
	cycle, m := n/meters, n%meters
	at := l.begin.Add(time.Duration(cycle)*interval + time.Duration(25*m+(7*n+3*cycle)%11)*time.Millisecond)
	return metering.Reading{Meter: meterID(g, m), Quantity: metering.Index, At: at,
		Amount: metering.Amount(1_000_000*m + 40*cycle + (n*31+cycle*17)%37)}
}

// share is how many messages a gateway sends.
func (l load) share() int { return l.messages / gateways }

// packs writes a gateway's messages as a gateway does.
func (l load) packs(g int) ([][]byte, error) {
	payloads := make([][]byte, l.share())
	for i := range payloads {
		p := wire.Pack{Spool: spoolID, Seq: wire.Seq(i + 1)}
		for n := range l.size {
			p.Readings = append(p.Readings, wire.UnitReading{Unit: metering.WattHour, Reading: l.reading(g, i*l.size+n)})
		}
		payload, err := wire.AppendPack(nil, p)
		if err != nil {
			return nil, err
		}
		payloads[i] = payload
	}
	return payloads, nil
}

// lines writes a gateway's messages in line protocol, with instants in
// milliseconds.
func (l load) lines(g int) ([][]byte, error) {
	payloads := make([][]byte, l.share())
	for i := range payloads {
		for n := range l.size {
			payloads[i] = appendLine(payloads[i], l.reading(g, i*l.size+n))
		}
	}
	return payloads, nil
}

func appendLine(b []byte, r metering.Reading) []byte {
	b = append(append(b, "reading,meter="...), r.Meter...)
	b = strconv.AppendInt(append(b, " index="...), int64(r.Amount), 10)
	return append(strconv.AppendInt(append(b, "i "...), r.At.UnixMilli(), 10), '\n')
}

// registry is what the api would publish of the meters.
func (l load) registry() ([]byte, error) {
	r := wire.Registry{Site: siteID, Zone: "Europe/Paris", EarliestMs: l.begin.AddDate(0, 0, -1).UnixMilli()}
	for g := range gateways {
		for m := range meters {
			r.Meters = append(r.Meters, wire.RegistryMeter{Meter: meterID(g, m), Gateway: gatewayID(g), Kind: metering.Electricity,
				IntervalS: int64(interval.Seconds()), Resolution: metering.Fine, FromMs: r.EarliestMs})
		}
	}
	return r.Encode()
}
