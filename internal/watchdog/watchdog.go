// Package watchdog tells systemd that a program is ready, and afterwards that it
// still works, so that one that hangs is started again. It speaks the protocol of
// sd_notify(3) itself; without systemd it does nothing.
package watchdog

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"
)

// A Dog is fed by a program that systemd watches. Make it with [New].
type Dog struct {
	socket string        // empty: nobody listens
	every  time.Duration // 0: nobody waits for food
	log    *slog.Logger
}

// New reads from the environment what systemd asks for: NOTIFY_SOCKET,
// WATCHDOG_USEC and WATCHDOG_PID. What cannot be read counts as not asked for.
func New(getenv func(string) string, log *slog.Logger) *Dog {
	d := &Dog{socket: getenv("NOTIFY_SOCKET"), log: log}
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return d // another process is meant
	}
	if us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		d.every = time.Duration(us) * time.Microsecond / mealsPerWait
	}
	return d
}

// mealsPerWait is how often the dog is fed within the time that systemd waits:
// sd_watchdog_enabled(3) recommends two, and one may be late.
const mealsPerWait = 3

// Run says that the program is ready, then feeds the dog until ctx ends as long as
// alive returns nil, and says at the end that the program stops. Alive must be
// quick; what it returns is logged when it changes. Where nobody listens Run
// returns at once.
func (d *Dog) Run(ctx context.Context, alive func(context.Context) error) {
	if d.socket == "" {
		return
	}
	d.say("READY=1")
	defer d.say("STOPPING=1")
	if d.every == 0 {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(d.every)
	defer ticker.Stop()
	hungry := false
	for {
		err := alive(ctx)
		switch {
		case err == nil:
			d.say("WATCHDOG=1")
		case ctx.Err() == nil && !hungry:
			d.log.Error("the program hangs: systemd is to start it again", "error", err)
		}
		hungry = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (d *Dog) say(state string) {
	if err := d.send(state); err != nil {
		d.log.Warn("systemd is not told", "state", state, "error", err)
	}
}

// send writes one datagram. A name that begins with @ is an abstract socket, as
// package net has it too.
func (d *Dog) send(state string) (err error) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: d.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify %s: %w", d.socket, err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify %s: %w", d.socket, err)
	}
	return nil
}
