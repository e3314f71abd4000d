package main

import (
	"fmt"
	"log/slog"
	"os"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// brokerCommand is the broker as a process of its own, so that it can die and be
// started again like the others. It keeps nothing: the spools do.
type brokerCommand struct {
	Addr string `required:"" help:"Address to listen on, host:port."`
}

// Run serves until interrupted.
func (b *brokerCommand) Run(e *environment) error {
	server := mochi.New(&mochi.Options{
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if err := server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: b.Addr})); err != nil {
		return fmt.Errorf("broker: listen on %s: %w", b.Addr, err)
	}
	if err := server.Serve(); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	<-e.ctx.Done()
	return server.Close()
}
