package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// systemd reports whether this machine was booted with it, as sd_booted(3) does,
// and this command may speak to it.
func (s *setup) systemd() bool {
	_, err := os.Stat("/run/systemd/system")
	return err == nil && os.Geteuid() == 0 && s.Etc == "/etc/xnet"
}

func (s *setup) systemctl(ctx context.Context, args ...string) error {
	said, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(said)))
	}
	return nil
}

// units are what runs on a server, in the order of their start.
var units = []string{"mosquitto.service", "xnet-broker-reload.path", "xnet-setup.timer", "xnet-collector.service", "xnet-api.service"}

// start starts what does not run, and starts anew what has a new configuration.
func (s *setup) start(ctx context.Context, _ Answers) error {
	if !s.systemd() {
		s.say("start", "by yourself", "there is no systemd here: mosquitto, xnet-api run, xnet-collector run, each with its configuration")
		return nil
	}
	for _, unit := range units {
		var err error
		if s.restart[unit] {
			err = s.systemctl(ctx, "restart", unit)
		}
		if err == nil {
			err = s.systemctl(ctx, "enable", "--now", unit)
		}
		if err != nil {
			return fmt.Errorf("%w: journalctl -u %s says why", err, unit)
		}
	}
	running := slices.DeleteFunc(slices.Clone(units), func(unit string) bool { return s.systemctl(ctx, "is-active", "--quiet", unit) != nil })
	s.say("runs", strings.Join(running, " "), "journalctl -u UNIT shows what each says")
	return nil
}
