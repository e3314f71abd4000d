package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Reasons why a configuration from afar does not count, besides those of its
// signature and its content.
var (
	errNoKey = errors.New("config_key_file names no key that could vouch for it: name one, or configure this gateway by its file alone")
	errOlder = errors.New("one that is as new or newer was applied: sign it anew with a greater version")
)

// remoteFile keeps the configuration from afar that counts, beside the packs of
// the spool, as it came. It is verified again when it is read.
const remoteFile = "config.json"

// A remote is the configuration from afar, of which one counts at a time. Its
// methods are for one goroutine, but for offer and told.
type remote struct {
	key  ed25519.PublicKey // nil: nothing from afar counts
	file string
	log  *slog.Logger

	newest  wire.SignedConfig // the newest that was applied; no version: none ever
	counts  bool              // it is in force
	refused []byte            // the payload that was refused last
	trial   *trial            // of the newest, until it is proven; nil: it is
	failed  []byte            // the payload that was taken back last

	coming chan []byte // to be judged; the last one that came

	mu      sync.Mutex
	version string // that counts, for the state
	fault   string
}

// openRemote reads the key and what was kept. It fails where there is a key that
// cannot be read, and not for what was kept: that is refused then.
func openRemote(local *firmwareconfig.Gateway, log *slog.Logger) (*remote, error) {
	r := &remote{file: filepath.Join(local.Spool.Dir, remoteFile), log: log, coming: make(chan []byte, 1)}
	text, err := config.Secret(local.ConfigKeyFile)
	if err != nil {
		return nil, fmt.Errorf("config_key_file: %w: write the public key into it, or leave the setting out", err)
	}
	if text == "" {
		return r, nil
	}
	if r.key, err = firmwareconfig.ParsePublicKey(text); err != nil {
		return nil, fmt.Errorf("config_key_file %s: %w", local.ConfigKeyFile, err)
	}
	payload, err := os.ReadFile(r.file)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	kept, err := r.read(payload, err)
	if err != nil {
		r.refuse(payload, fmt.Errorf("what was kept in %s: %w", r.file, err))
		return r, nil
	}
	r.newest = kept
	return r, nil
}

// read decodes and verifies a payload that was read with err.
func (r *remote) read(payload []byte, err error) (wire.SignedConfig, error) {
	if err != nil {
		return wire.SignedConfig{}, err
	}
	if r.key == nil {
		return wire.SignedConfig{}, errNoKey
	}
	c, err := wire.DecodeSignedConfig(payload)
	if err != nil {
		return c, err
	}
	return c, firmwareconfig.Verify(r.key, c)
}

// over returns the configuration that counts on top of the board's own: that with
// the meters of the newest from afar or, where this has a fault on this board, the
// board's own alone.
func (r *remote) over(local *firmwareconfig.Gateway) *firmwareconfig.Gateway {
	if r.newest.Version == "" {
		return local
	}
	both, err := local.With(r.newest.Document)
	if err != nil {
		r.counts = false
		r.tell("", r.complain(nil, fmt.Errorf("version %s: %w", r.newest.Version, err)))
		return local
	}
	r.counts = true
	r.tell(r.newest.Version, "")
	return both
}

// offer hands a payload to be judged. Of several that wait the last one counts.
func (r *remote) offer(payload []byte) {
	payload = bytes.Clone(payload)
	for {
		select {
		case r.coming <- payload:
			return
		default:
		}
		select {
		case <-r.coming:
		default:
		}
	}
}

// judge returns what a payload makes of the board's own configuration. It is nil
// without an error where the payload is what counts already.
func (r *remote) judge(payload []byte, local *firmwareconfig.Gateway) (c wire.SignedConfig, next *firmwareconfig.Gateway, err error) {
	if c, err = r.read(payload, nil); err != nil {
		return c, nil, err
	}
	if r.failed != nil && bytes.Equal(payload, r.failed) {
		return c, nil, fmt.Errorf("version %s: %w", c.Version, errNoAnswer)
	}
	same := c.Version == r.newest.Version && bytes.Equal(c.Document, r.newest.Document)
	switch {
	case same && r.counts:
		return c, nil, nil
	case !same && !r.newer(c):
		return c, nil, fmt.Errorf("version %s after %s: %w", c.Version, r.newest.Version, errOlder)
	}
	if next, err = local.With(c.Document); err != nil {
		return c, nil, fmt.Errorf("version %s: %w", c.Version, err)
	}
	return c, next, nil
}

// newer reports whether c, which was verified, has a greater version than all
// before it.
func (r *remote) newer(c wire.SignedConfig) bool {
	if r.newest.Version == "" {
		return true
	}
	version, err := firmwareconfig.ParseVersion(c.Version)
	newest, err2 := firmwareconfig.ParseVersion(r.newest.Version)
	return err == nil && err2 == nil && version > newest
}

// accept books that a configuration is in force, on trial for so long, and keeps
// it for the next start. Hopeful says that meters answered under the one before.
func (r *remote) accept(c wire.SignedConfig, payload []byte, lasts time.Duration, hopeful bool) {
	err := r.try(lasts, hopeful)
	r.newest, r.counts, r.refused = c, true, nil
	fault := ""
	if err := errors.Join(err, durable.Write(r.file, payload)); err != nil {
		fault = r.unkept(c, err)
	}
	r.tell(c.Version, fault)
}

// unkept logs that a configuration is not on the disk, and returns the fault.
func (r *remote) unkept(c wire.SignedConfig, err error) string {
	r.log.Error("configuration from afar is not kept", "version", c.Version, "err", err)
	return fmt.Sprintf("version %s counts until the next start alone: it cannot be kept: %v: make room on the disk", c.Version, err)
}

// confirm books that what counts was offered again: what else was offered since
// has been taken back. It is kept now where it could not be before.
func (r *remote) confirm(c wire.SignedConfig, payload []byte) {
	_, fault := r.told()
	if fault == "" || r.trial != nil {
		return
	}
	r.newest, r.refused, fault = c, nil, ""
	if err := durable.Write(r.file, payload); err != nil {
		fault = r.unkept(c, err)
	}
	r.tell(c.Version, fault)
}

// refuse books that a payload does not count; what counted before still does.
func (r *remote) refuse(payload []byte, err error) {
	version, _ := r.told()
	r.tell(version, r.complain(payload, err))
}

// complain logs a fault, once for the same payload, which comes again at each
// connection, and once for all that come without a key. It returns the fault as
// the state says it.
func (r *remote) complain(payload []byte, err error) string {
	if r.refused == nil || !bytes.Equal(r.refused, payload) && !errors.Is(err, errNoKey) {
		r.log.Error("configuration from afar refused: the one before stays", "err", err)
	}
	if payload != nil {
		r.refused = payload
	}
	return err.Error()
}

// mostFault is how many bytes of a fault the state bears; the log has it whole.
const mostFault = 1000

func (r *remote) tell(version, fault string) {
	if len(fault) > mostFault {
		fault = strings.ToValidUTF8(fault[:mostFault], "") + " … and more, in the gateway's log"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version, r.fault = version, fault
}

// told returns the version that counts and why the last one that came does not.
func (r *remote) told() (version, fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version, r.fault
}
