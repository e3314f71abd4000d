package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/durable"
)

// Modes of files: secrets of root, what the programs read, what all may read.
const (
	readableForOwner os.FileMode = 0o600
	readableForGroup os.FileMode = 0o640
	readableForAll   os.FileMode = 0o644
)

// An owner is the numbers of a user and a group. Where this command is not run as
// root everything belongs to whoever runs it.
type owner struct{ user, group int }

func (s *setup) owner(name, group string) (owner, error) {
	if os.Geteuid() != 0 {
		return owner{os.Geteuid(), os.Getegid()}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return owner{}, fmt.Errorf("%w: install the package xnet-server, which makes it", err)
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return owner{}, fmt.Errorf("%w: install the package xnet-server, which makes it", err)
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(g.Gid)
	return owner{uid, gid}, errors.Join(uidErr, gidErr)
}

// folder makes a folder where it lacks.
func (s *setup) folder(path string, mode os.FileMode, who owner) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return errors.Join(os.Chown(path, who.user, who.group), os.Chmod(path, mode))
}

// write puts a file in its place, whole, for those who may read it.
func (s *setup) write(path string, text []byte, mode os.FileMode, group int) error {
	if err := durable.Write(path, text); err != nil {
		return err
	}
	return s.share(path, mode, group)
}

// share gives a file of root to a group.
func (s *setup) share(path string, mode os.FileMode, group int) error {
	return errors.Join(os.Chown(path, os.Geteuid(), group), os.Chmod(path, mode))
}

// missing reports whether a file is not there.
func missing(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// secret makes a file with a random secret after a text, where there is none.
func (s *setup) secret(path, before string, mode os.FileMode) error {
	absent, err := missing(path)
	if err != nil || !absent {
		return err
	}
	s.say("made", path, "secret")
	return s.write(path, []byte(before+rand.Text()+"\n"), mode, s.programs.group)
}

// configuration writes a program's file where there is none. One that is there and
// says something else is left to whoever wrote it.
func (s *setup) configuration(name string, content yaml.MapSlice) (made bool, err error) {
	path := filepath.Join(s.Etc, name)
	text, err := yaml.Marshal(content)
	if err != nil {
		return false, err
	}
	text = append([]byte("# Written by xnet-setup, which leaves it alone from now on: change what you like,\n"+
		"# or remove the file and run xnet-setup to have it written anew.\n"), text...)
	there, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.say("made", path, "configuration")
		return true, s.write(path, text, readableForGroup, s.programs.group)
	case err != nil:
		return false, err
	case !bytes.Equal(there, text):
		s.say("kept", path, "it says something else than your answers")
	}
	return false, nil
}

func (s *setup) token(name string) string {
	return filepath.Join(s.Etc, "influx-"+name+".token")
}

func (s *setup) broker(name string) string { return filepath.Join(s.State, "broker", name) }

// apiConfiguration is /etc/xnet/api.yaml.
func (s *setup) apiConfiguration(a Answers) yaml.MapSlice {
	c := yaml.MapSlice{
		{Key: "listen", Value: a.Listen}, {Key: "site", Value: a.Site}, {Key: "behind_proxy", Value: a.BehindProxy},
		{Key: "database", Value: yaml.MapSlice{{Key: "dsn", Value: filepath.Join(s.State, "api", "api.db")}}},
		{Key: "broker", Value: yaml.MapSlice{
			{Key: "url", Value: s.BrokerURL}, {Key: "username", Value: "api"}, {Key: "password_file", Value: s.broker("api.password")},
			{Key: "access_dir", Value: s.broker("")}, {Key: "gateways_url", Value: "ssl://" + hostPort(a.Broker[0], "8883")},
			{Key: "gateways_ca_file", Value: s.broker("ca.pem")}}},
		{Key: "influx", Value: s.influxConfiguration(a, "api")},
		{Key: "advisor", Value: yaml.MapSlice{{Key: "name", Value: a.Advisor.Name}, {Key: "telephone", Value: a.Advisor.Telephone}}},
		{Key: "sign_in", Value: yaml.MapSlice{{Key: "secure_cookie", Value: a.https()}}},
		{Key: "signing_key_file", Value: filepath.Join(s.Etc, "sign.key")},
	}
	if len(a.Sender) > 0 {
		c = append(c, yaml.MapItem{Key: "letter", Value: yaml.MapSlice{{Key: "sender", Value: a.Sender}}})
	}
	return c
}

// collectorConfiguration is /etc/xnet/collector.yaml.
func (s *setup) collectorConfiguration(a Answers) yaml.MapSlice {
	return yaml.MapSlice{
		{Key: "broker", Value: yaml.MapSlice{{Key: "url", Value: s.BrokerURL}, {Key: "username", Value: "collector"},
			{Key: "password_file", Value: s.broker("collector.password")}}},
		{Key: "influx", Value: s.influxConfiguration(a, "collector")},
		{Key: "quarantine", Value: yaml.MapSlice{{Key: "dir", Value: filepath.Join(s.State, "collector")}}},
	}
}

func (s *setup) influxConfiguration(a Answers, program string) yaml.MapSlice {
	if a.Influx.URL != "" {
		return yaml.MapSlice{{Key: "url", Value: a.Influx.URL}, {Key: "org", Value: a.Influx.Org}, {Key: "token_file", Value: a.Influx.TokenFile}}
	}
	return yaml.MapSlice{{Key: "url", Value: s.InfluxAddress}, {Key: "token_file", Value: s.token(program)}}
}
