package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A road is a connection between two programs that can be cut, slowed and
// black-holed.
type road struct {
	name  string
	addr  string // where it begins, host:port
	proxy *toxiproxy.Proxy
}

// A crossing is all roads.
type crossing struct{ server *toxiproxy.ApiServer }

func newCrossing() *crossing {
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of the library's messages go past the logger it is given
	return &crossing{toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
}

// road opens a road to upstream, host:port.
func (c *crossing) road(name, upstream string) (*road, error) {
	addr, err := influxd.FreeAddr()
	if err != nil {
		return nil, err
	}
	r := &road{name: name, addr: addr, proxy: toxiproxy.NewProxy(c.server, name, addr, upstream)}
	if err := c.server.Collection.Add(r.proxy, true); err != nil {
		return nil, fmt.Errorf("proxy of %s: %w", name, err)
	}
	return r, nil
}

// cut ends all connections and takes no new ones.
func (r *road) cut() (heal func() error, err error) {
	r.proxy.Stop()
	return func() error { // somebody may have got the port meanwhile
		return within(context.Background(), patience, r.proxy.Start)
	}, nil
}

// slow delays what travels and lets little through.
func (r *road) slow() (heal func() error, err error) {
	return r.poison(
		`{"name":"late","type":"latency","stream":"upstream","attributes":{"latency":300,"jitter":250}}`,
		`{"name":"narrow","type":"bandwidth","stream":"upstream","attributes":{"rate":40}}`,
		`{"name":"late-back","type":"latency","stream":"downstream","attributes":{"latency":300,"jitter":250}}`)
}

// swallow keeps the connections and loses what travels in the directions named,
// upstream and downstream.
func (r *road) swallow(directions ...string) (heal func() error, err error) {
	var toxics []string
	for _, d := range directions {
		toxics = append(toxics, fmt.Sprintf(`{"name":"hole-%s","type":"timeout","stream":%q,"attributes":{"timeout":0}}`, d, d))
	}
	return r.poison(toxics...)
}

func (r *road) poison(toxics ...string) (heal func() error, err error) {
	heal = func() error { r.proxy.Toxics.ResetToxics(context.Background()); return nil }
	for _, t := range toxics {
		if _, err := r.proxy.Toxics.AddToxicJson(strings.NewReader(t)); err != nil {
			return heal, fmt.Errorf("proxy of %s: %w", r.name, err)
		}
	}
	return heal, nil
}
