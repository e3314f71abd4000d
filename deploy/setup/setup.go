package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
)

// setup is the command and what it works with.
type setup struct {
	flags

	Answers string `help:"File (YAML) with your answers; what flags say is kept in it." default:"/etc/xnet/answers.yaml" type:"path"`
	Quiet   bool   `help:"Say only what changed."`

	// Of a machine that is not laid out as the packages do.
	Etc           string `hidden:"" default:"/etc/xnet" type:"path"`
	State         string `hidden:"" default:"/var/lib/xnet" type:"path"`
	Mosquitto     string `hidden:"" default:"/etc/mosquitto/conf.d/xnet.conf" type:"path"`
	BrokerFile    string `hidden:"" default:"/usr/share/xnet/mosquitto.conf" type:"path"`
	API           string `hidden:"" default:"/usr/bin/xnet-api" type:"path"`
	BrokerURL     string `hidden:"" default:"tcp://127.0.0.1:1883"`
	InfluxAddress string `hidden:"" default:"http://127.0.0.1:8086"`

	out      io.Writer
	now      time.Time
	programs owner // user and group of API and collector
	hall     owner // the same user, with the group that the broker belongs to
	restart  map[string]bool
}

// Users and groups that the packages make.
const (
	programUser = "xnet"
	brokerGroup = "xnet-broker"
)

// Run sets up what lacks.
func (s *setup) Run(ctx context.Context, stdout io.Writer) (err error) {
	s.out, s.now, s.restart = stdout, time.Now(), map[string]bool{}
	if s.programs, err = s.owner(programUser, programUser); err != nil {
		return err
	}
	if s.hall, err = s.owner(programUser, brokerGroup); err != nil {
		return err
	}
	if err := s.folders(); err != nil {
		return fmt.Errorf("folders: %w: run this as root", err)
	}
	a, err := s.answers()
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, Answers) error{
		s.certificates, s.signingKey, s.stores, s.configurations, s.access, s.brokerFile, s.start, s.administrator} {
		if err := step(ctx, a); err != nil {
			return err
		}
	}
	s.say("ready", a.Site, "run xnet-setup again whenever something lacks: it changes nothing else")
	return nil
}

func (s *setup) folders() error {
	root := owner{os.Geteuid(), s.programs.group}
	own := owner{os.Geteuid(), os.Getegid()}
	return errors.Join(
		s.folder(s.Etc, 0o750, root),
		s.folder(filepath.Join(s.Etc, "authority"), 0o700, own),
		s.folder(s.State, 0o755, own),
		s.folder(filepath.Join(s.State, "api"), 0o700, s.programs),
		s.folder(filepath.Join(s.State, "collector"), 0o700, s.programs),
		s.folder(s.broker(""), 0o750|os.ModeSetgid, s.hall))
}

// certificates makes the broker's authority once, and its certificate whenever it
// is due.
func (s *setup) certificates(_ context.Context, a Answers) error {
	ca, err := s.authority()
	if err != nil {
		return err
	}
	if left := ca.certificate.NotAfter.Sub(s.now); left < authorityDue {
		s.say("beware", s.broker("ca.pem"), "the broker's authority ends on "+ca.certificate.NotAfter.Format(time.DateOnly)+
			": before that day remove "+filepath.Join(s.Etc, "authority")+", run this again, and enrol every gateway again")
	}
	cert, key := s.broker("server.pem"), s.broker("server.key")
	why := ca.due(cert, key, a.hosts(), s.now)
	if why == "" {
		return nil
	}
	server, err := ca.server(a.hosts(), s.now)
	if err != nil {
		return err
	}
	text, private, err := server.pem()
	if err != nil {
		return err
	}
	s.say("made", cert, "the broker's certificate until "+server.certificate.NotAfter.Format(time.DateOnly)+", because "+why)
	// The certificate last: the broker is told to read anew when it changes.
	return errors.Join(s.write(key, private, readableForGroup, s.hall.group), s.write(cert, text, readableForAll, s.hall.group))
}

func (s *setup) authority() (*authority, error) {
	cert, key := filepath.Join(s.Etc, "authority", "ca.pem"), filepath.Join(s.Etc, "authority", "ca.key")
	absent, err := missing(cert)
	if err != nil {
		return nil, err
	}
	if !absent {
		ca, err := readAuthority(cert, key, s.now)
		if err != nil {
			return nil, err
		}
		return ca, s.publish(ca)
	}
	ca, err := newAuthority(s.now)
	if err != nil {
		return nil, err
	}
	text, private, err := ca.pem()
	if err != nil {
		return nil, err
	}
	s.say("made", cert, "the authority that vouches for the broker; keep ca.key beside it in a safe back-up")
	group := os.Getegid()
	if err := errors.Join(s.write(key, private, readableForOwner, group), s.write(cert, text, readableForAll, group)); err != nil {
		return nil, err
	}
	return ca, s.publish(ca)
}

// publish puts the authority's certificate where broker and API read it.
func (s *setup) publish(ca *authority) error {
	text, _, err := ca.pem()
	if err != nil {
		return err
	}
	if there, err := os.ReadFile(s.broker("ca.pem")); err == nil && bytes.Equal(there, text) {
		return nil
	}
	return s.write(s.broker("ca.pem"), text, readableForAll, s.hall.group)
}

// signingKey makes the pair that signs gateways' configurations.
func (s *setup) signingKey(ctx context.Context, _ Answers) error {
	path := filepath.Join(s.Etc, "sign.key")
	absent, err := missing(path)
	if err != nil {
		return err
	}
	if absent {
		if _, err := s.api(ctx, nil, "sign-key", path); err != nil {
			return err
		}
		s.say("made", path, "signs the gateways' configurations; keep it in a safe back-up")
	}
	return s.share(path, readableForGroup, s.programs.group)
}

// stores sets up InfluxDB, that of this machine or the landlord's own.
func (s *setup) stores(ctx context.Context, a Answers) error {
	if a.Influx.URL != "" {
		return buckets(ctx, influx.Config{URL: a.Influx.URL, Org: a.Influx.Org, TokenFile: a.Influx.TokenFile})
	}
	if s.systemd() {
		if err := s.systemctl(ctx, "enable", "--now", "xnet-influxd.service"); err != nil {
			return fmt.Errorf("%w: install the package xnet-influxd, or name an InfluxDB 2 of your own with --influx-url", err)
		}
	}
	return s.localStore(ctx)
}

func (s *setup) configurations(ctx context.Context, a Answers) error {
	for unit, write := range map[string]func() (bool, error){
		"xnet-api.service":       func() (bool, error) { return s.configuration("api.yaml", s.apiConfiguration(a)) },
		"xnet-collector.service": func() (bool, error) { return s.configuration("collector.yaml", s.collectorConfiguration(a)) },
	} {
		made, err := write()
		if err != nil {
			return err
		}
		s.restart[unit] = made
	}
	return nil
}

// access makes the broker's passwords and rights, and with them the database.
func (s *setup) access(ctx context.Context, _ Answers) error {
	absent, err := missing(s.broker("passwords"))
	if err != nil {
		return err
	}
	_, err = s.api(ctx, &s.hall, "broker-access", "--config", filepath.Join(s.Etc, "api.yaml"))
	s.sayIf(err == nil && absent, s.broker("passwords"), "who may connect to the broker")
	return err
}

// brokerFile has Mosquitto read our configuration.
func (s *setup) brokerFile(context.Context, Answers) error {
	text, err := os.ReadFile(s.BrokerFile)
	if err != nil {
		return err
	}
	there, err := os.ReadFile(s.Mosquitto)
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.say("made", s.Mosquitto, "the broker's configuration")
		s.restart["mosquitto.service"] = true
		return s.write(s.Mosquitto, text, readableForAll, os.Getegid())
	case err == nil && !bytes.Equal(there, text):
		s.say("kept", s.Mosquitto, "it says something else than "+s.BrokerFile)
	}
	return err
}

// administrator makes the first one and shows the code to sign in with.
func (s *setup) administrator(ctx context.Context, a Answers) error {
	said, err := s.api(ctx, &s.hall, "admin", "--config", filepath.Join(s.Etc, "api.yaml"), "--if-none", "--name", a.Administrator, "--language", a.Language)
	if _, code, ok := strings.Cut(strings.TrimSpace(said), " "); ok && err == nil {
		s.say("made", "administrator", fmt.Sprintf("%s signs in at %s with the code %s", a.Administrator, a.Site, code))
	}
	return err
}

// api runs the API's program to its end, as a user of its own where one is given.
func (s *setup) api(ctx context.Context, who *owner, args ...string) (said string, err error) {
	command := exec.CommandContext(ctx, s.API, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr, command.Dir = &stdout, &stderr, "/"
	if who != nil && os.Geteuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(who.user), Gid: uint32(s.programs.group), Groups: []uint32{uint32(who.group)}}}
	}
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", s.API, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// hostPort is an address with brackets where they are needed.
func hostPort(host, port string) string { return net.JoinHostPort(host, port) }

// https reports whether people reach the pages by HTTPS.
func (a Answers) https() bool { return strings.HasPrefix(a.Site, "https://") }

// say tells what was done to what, in columns.
func (s *setup) say(what, to, why string) {
	if s.Quiet && what != "made" && what != "beware" {
		return
	}
	fmt.Fprintf(s.out, "%-7s %s: %s\n", what, to, why)
}

// sayIf tells that something was made, where it was.
func (s *setup) sayIf(made bool, what, why string) {
	if made {
		s.say("made", what, why)
	}
}
