package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/campaign"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

const (
	connections = 8
	tcpSpan     = 2 * time.Second
)

// tcp counts the requests a second over eight connections of Modbus TCP on
// loopback. The limit is a master that sends one frame made beforehand and
// throws the answer away, with the same server; the peer is goburrow/modbus
// alone.
func (c *commands) tcp(ctx context.Context) ([]bench.Row, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	source := slave.SourceFunc(func(_, _ byte, _, n uint16) ([]uint16, error) { return make([]uint16, n), nil })
	go func() { _ = slave.New(source, slave.Options{}).ServeTCP(ctx, listener) }()
	address := listener.Addr().String()
	var figures [3][]float64
	for range c.Repeat {
		for i, connect := range []func(string) (func() error, error){bareTCP, oursTCP, libraryTCP} {
			rate, err := requestRate(ctx, address, connect)
			if err != nil {
				return nil, err
			}
			figures[i] = append(figures[i], rate)
		}
	}
	limit, ours, peer := bench.Median(figures[0]), bench.Median(figures[1]), bench.Median(figures[2])
	row := bench.Row{Bench: "poll-tcp", Ours: ours, Limit: &limit, Peer: &peer, Unit: "requests/s",
		Note: fmt.Sprintf("%d connections, %d registers; peer: goburrow/modbus alone", connections, quantity)}
	return []bench.Row{bench.New(row, bench.AtLeast(40_000, "requests/s"))}, nil
}

// requestRate lets every connection ask as fast as it can.
func requestRate(ctx context.Context, address string, connect func(string) (func() error, error)) (float64, error) {
	var done atomic.Int64
	var group sync.WaitGroup
	var failed error
	var once sync.Once
	start := time.Now()
	for range connections {
		group.Go(func() {
			ask, err := connect(address)
			for n := 0; err == nil && time.Since(start) < tcpSpan && ctx.Err() == nil; n++ {
				if err = ask(); err == nil {
					done.Add(1)
				}
			}
			once.Do(func() { failed = err })
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), failed
}

func bareTCP(address string) (func() error, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	request := []byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, quantity}
	answer := make([]byte, 9+2*quantity)
	return func() error {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
		if binary.BigEndian.Uint16(answer) != 1 {
			return fmt.Errorf("answer to transaction %d", binary.BigEndian.Uint16(answer))
		}
		return nil
	}, nil
}

func oursTCP(address string) (func() error, error) {
	bus, err := modbus.Open(firmwareconfig.Bus{URL: "tcp://" + address, Timeout: timeout})
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := bus.Read(context.Background(), 1, 3, 0, quantity)
		return err
	}, nil
}

func libraryTCP(address string) (func() error, error) {
	reader, err := campaign.Bare("tcp://"+address, timeout)
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := reader.Read(context.Background(), 1, 3, 0, quantity)
		return err
	}, nil
}
