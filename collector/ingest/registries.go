package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// How long registries are awaited: the first at most, and more after each.
const (
	firstRegistry = 15 * time.Second
	moreRegistry  = time.Second
)

// ErrNoRegistry: the broker holds no registry.
var ErrNoRegistry = errors.New("the broker has no registry: start the api, which publishes it")

// Registries fills directory from the registries that the broker retains, and
// takes nothing else from it. It fails with [ErrNoRegistry].
func Registries(ctx context.Context, b Broker, log *slog.Logger, directory *sites.Directory) error {
	arrived := make(chan struct{})
	l, err := newLink(b.named(), log, func(_ string, payload []byte, gone <-chan struct{}) {
		registry, err := wire.DecodeRegistry(payload)
		if err == nil {
			_, err = directory.Update(registry)
		}
		if err != nil {
			log.Error("registry is not usable: the api must publish it again", "error", err)
			return
		}
		select {
		case arrived <- struct{}{}:
		case <-gone:
		}
	}, wire.AllRegistries)
	if err != nil {
		return fmt.Errorf("read registries: %w", err)
	}
	l.connect()
	defer l.disconnect()
	for wait := firstRegistry; ; wait = moreRegistry {
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			if len(directory.Now().Meters()) == 0 {
				return fmt.Errorf("read registries from %s: %w", b.URL, ErrNoRegistry)
			}
			return nil
		}
	}
}
