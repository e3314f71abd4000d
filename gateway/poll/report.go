package poll

import (
	"maps"
	"time"

	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Report returns how each meter of the bus fares, in the configuration's order,
// without its resolution.
func (p *Poller) Report() []wire.MeterReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]wire.MeterReport, 0, len(p.order))
	for _, id := range p.order {
		r := *p.reports[id]
		r.Errors = maps.Clone(r.Errors)
		all = append(all, r)
	}
	return all
}

func (p *Poller) good(meter metering.MeterID, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports[meter].LastGoodMs = at.UnixMilli()
	p.options.Figures.good(meter, at)
}

func (p *Poller) latency(r registers.Request, took time.Duration) {
	p.options.Figures.latency(p.config.Name, took)
	for _, f := range r.Fields {
		p.options.Figures.meterLatency(f.Meter.ID, took)
	}
}

func (p *Poller) failed(r registers.Request, err error) {
	p.log.Debug("request", "slave", r.Slave, "err", err)
	for _, f := range r.Fields {
		p.fieldFailed(f, err)
	}
}

func (p *Poller) fieldFailed(f registers.Field, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := errorKind(err)
	p.reports[f.Meter.ID].Errors[kind]++
	p.options.Figures.failed(f.Meter.ID, kind)
}

// retire drops the figures of all meters, after Run has ended.
func (p *Poller) retire() {
	for _, id := range p.order {
		p.options.Figures.forget(id)
	}
}
