package main

import (
	"errors"
	"fmt"
	"log/slog"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// A broker takes the registry, which the program publishes while it serves: what
// that costs is part of the measure.
type broker struct {
	server *mochi.Server
	url    string
}

// startBroker starts one in this process, on a free port of loopback.
func startBroker() (*broker, error) {
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	err := errors.Join(server.AddHook(new(auth.AllowHook), nil), server.AddListener(tcp))
	if err == nil {
		err = server.Serve()
	}
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &broker{server, "tcp://" + tcp.Address()}, nil
}

func (b *broker) stop() { _ = b.server.Close() }
