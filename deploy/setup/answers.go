package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/durable"
)

// Answers are what the landlord alone can know. Everything else follows from them.
type Answers struct {
	// Site is the address of the pages as people type it, as in
	// https://roseraie.example.
	Site string `yaml:"site"`
	// Listen is where the API listens, host:port.
	Listen string `yaml:"listen,omitempty"`
	// BehindProxy says that a reverse proxy stands in front of Listen.
	BehindProxy bool `yaml:"behind_proxy,omitempty"`
	// Broker are the names and addresses by which gateways reach this machine; the
	// first is the one they are told.
	Broker        []string `yaml:"broker"`
	Advisor       advisor  `yaml:"advisor"`
	Sender        []string `yaml:"sender,omitempty"` // the landlord on letters, at most 5 lines
	Administrator string   `yaml:"administrator"`    // first and last name
	Language      string   `yaml:"language,omitempty"`
	Influx        store    `yaml:"influx,omitempty"`
}

// An advisor is the human whom every page names.
type advisor struct {
	Name      string `yaml:"name"`
	Telephone string `yaml:"telephone"`
}

// A store is an InfluxDB 2 that the landlord has; empty for the one of package
// xnet-influxd on this machine.
type store struct {
	URL       string `yaml:"url,omitempty"`
	Org       string `yaml:"org,omitempty"`
	TokenFile string `yaml:"token_file,omitempty"`
}

// Validate joins every fault, each with its remedy.
func (a *Answers) Validate() error {
	var errs []error
	fault := func(key, format string, args ...any) {
		errs = append(errs, config.At(key, key, fmt.Errorf(format, args...)))
	}
	if u, err := url.Parse(a.Site); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		fault("site", "%q: want the address of the pages, as in https://roseraie.example", a.Site)
	}
	if _, _, err := net.SplitHostPort(a.Listen); err != nil {
		fault("listen", "%q: want host:port, as in 127.0.0.1:8080", a.Listen)
	}
	if len(a.Broker) == 0 {
		fault("broker", "want the name or address by which gateways reach this machine, as in server.roseraie.example")
	}
	for _, host := range a.Broker {
		if net.ParseIP(host) == nil && strings.ContainsAny(host, ":/ ") || host == "" {
			fault("broker", "%q: want a name or an address without port", host)
		}
	}
	if a.Advisor.Name == "" || a.Advisor.Telephone == "" {
		fault("advisor", "want the name and the telephone of the human whom every page names")
	}
	if strings.TrimSpace(a.Administrator) == "" {
		fault("administrator", "want the first and last name of whoever sets the roles")
	}
	if a.Language != "fr" && a.Language != "en" {
		fault("language", "%q: want fr or en", a.Language)
	}
	if len(a.Sender) > 5 {
		fault("sender", "%d lines: want at most 5", len(a.Sender))
	}
	if own := a.Influx; own != (store{}) && (own.URL == "" || own.Org == "" || own.TokenFile == "") {
		fault("influx", "name url, org and token_file of your InfluxDB 2, or leave all three out for the one of this machine")
	}
	return errors.Join(errs...)
}

// A kept answer is a flag that wins over the file.
type flags struct {
	Site             string   `help:"Address of the pages as people type it, as in https://roseraie.example."`
	Listen           string   `help:"Where the API listens, host:port." placeholder:"127.0.0.1:8080"`
	BehindProxy      bool     `help:"A reverse proxy on this machine stands in front."`
	Broker           []string `help:"Name or address by which gateways reach this machine; may be given several times." placeholder:"HOST"`
	AdvisorName      string   `help:"The human whom every page names."`
	AdvisorTelephone string   `help:"The human's telephone."`
	Sender           []string `help:"A line of the landlord's name and address on letters; may be given up to five times." sep:"none"`
	Administrator    string   `help:"First and last name of the first administrator."`
	Language         string   `help:"Language of the administrator's pages: fr or en." placeholder:"fr"`
	InfluxURL        string   `name:"influx-url" help:"Address of an InfluxDB 2 of your own; without it the one of this machine."`
	InfluxOrg        string   `name:"influx-org" help:"Its organisation."`
	InfluxTokenFile  string   `name:"influx-token-file" help:"File with its token, readable for group xnet." type:"path"`
}

// over puts the flags that were given over the answers.
func (f flags) over(a *Answers) {
	for _, text := range []struct {
		given string
		kept  *string
	}{{f.Site, &a.Site}, {f.Listen, &a.Listen}, {f.AdvisorName, &a.Advisor.Name}, {f.AdvisorTelephone, &a.Advisor.Telephone},
		{f.Administrator, &a.Administrator}, {f.Language, &a.Language}, {f.InfluxURL, &a.Influx.URL}, {f.InfluxOrg, &a.Influx.Org},
		{f.InfluxTokenFile, &a.Influx.TokenFile}} {
		if text.given != "" {
			*text.kept = text.given
		}
	}
	if len(f.Broker) > 0 {
		a.Broker = f.Broker
	}
	if len(f.Sender) > 0 {
		a.Sender = f.Sender
	}
	a.BehindProxy = a.BehindProxy || f.BehindProxy
}

// merged is what is validated: the file's answers below the flags.
type merged struct {
	Answers `yaml:",inline"`

	flags flags
}

// Validate implements [config.Validator].
func (m *merged) Validate() error {
	m.flags.over(&m.Answers)
	return m.Answers.Validate()
}

// answers reads the file, where there is one, and the flags, and keeps what they
// say together in the file, where it says something else.
func (s *setup) answers() (Answers, error) {
	m := merged{Answers: Answers{Listen: "127.0.0.1:8080", Language: "fr"}, flags: s.flags}
	file := s.Answers
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		file = ""
	}
	before := m.Answers
	nothing := func(string) string { return "" }
	if err := config.Load(&m, file, "XNET_SETUP", nothing); err != nil {
		return Answers{}, fmt.Errorf("answers: %w\n(give them as flags, see --help, or in %s)", err, s.Answers)
	}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return Answers{}, err
		}
		if err := yaml.Unmarshal(text, &before); err == nil && before.equal(m.Answers) {
			return m.Answers, nil
		}
	}
	text, err := yaml.Marshal(m.Answers)
	if err != nil {
		return Answers{}, err
	}
	s.say("made", s.Answers, "your answers, for the next time")
	return m.Answers, durable.Write(s.Answers, text)
}

func (a Answers) equal(b Answers) bool {
	return a.Site == b.Site && a.Listen == b.Listen && a.BehindProxy == b.BehindProxy && slices.Equal(a.Broker, b.Broker) &&
		a.Advisor == b.Advisor && slices.Equal(a.Sender, b.Sender) && a.Administrator == b.Administrator &&
		a.Language == b.Language && a.Influx == b.Influx
}
