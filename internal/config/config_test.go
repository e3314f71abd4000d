package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type settings struct {
	Address string        `yaml:"address"`
	Queue   int           `yaml:"queue"`
	Share   float64       `yaml:"share"`
	Port    uint16        `yaml:"port"`
	Loud    bool          `yaml:"loud,omitempty"`
	Meters  []string      `yaml:"meters"`
	Kind    metering.Kind `yaml:"kind"`
	Since   civil.Date    `yaml:"since"`
	Broker  broker        `yaml:"broker"`
	Own     string        `yaml:"-"`
	Unnamed string
}

type broker struct {
	URL     string        `yaml:"url"`
	Timeout time.Duration `yaml:"timeout"`
}

var (
	errPort = errors.New("port must not be 1: take another")
	errURL  = errors.New("broker.url is missing: set it, as in tcp://127.0.0.1:1883")
)

func (s *settings) Validate() error {
	var errs []error
	if s.Port == 1 {
		errs = append(errs, errPort)
	}
	if s.Broker.URL == "" {
		errs = append(errs, errURL)
	}
	return errors.Join(errs...)
}

func defaults() *settings {
	return &settings{Address: ":9101", Queue: 1000, Broker: broker{URL: "tcp://127.0.0.1:1883", Timeout: time.Second}}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "xnet.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		env        map[string]string
		want       func(*settings)
	}{
		{"defaults", "", nil, func(*settings) {}},
		{"comments only", "# nothing set\n", nil, func(*settings) {}},
		{"file", "queue: 5\nbroker:\n  timeout: 3s\nmeters: [M1, M2]\n", nil, func(s *settings) {
			s.Queue, s.Broker.Timeout, s.Meters = 5, 3*time.Second, []string{"M1", "M2"}
		}},
		{"a section of comments only", "queue: 5\nbroker:\n  # timeout: 3s\n", nil, func(s *settings) { s.Queue = 5 }},
		{"environment over file", "queue: 5\n", map[string]string{"XNET_QUEUE": "6"}, func(s *settings) { s.Queue = 6 }},
		{"environment of every sort", "", map[string]string{
			"XNET_ADDRESS": "[::1]:80", "XNET_SHARE": "0.5", "XNET_PORT": "65535", "XNET_LOUD": "true",
			"XNET_KIND": "heat", "XNET_SINCE": "2026-03-29", "XNET_BROKER_URL": "tcp://b:1", "XNET_BROKER_TIMEOUT": "1m30s",
		}, func(s *settings) {
			s.Address, s.Share, s.Port, s.Loud, s.Kind = "[::1]:80", 0.5, 65535, true, metering.Heat
			s.Since, s.Broker = civil.Date{Year: 2026, Month: 3, Day: 29}, broker{"tcp://b:1", 90 * time.Second}
		}},
		{"an empty variable sets nothing", "", map[string]string{"XNET_ADDRESS": ""}, func(*settings) {}},
		{"another program's variable", "", map[string]string{"QUEUE": "6", "OTHER_QUEUE": "6", "XNET_UNNAMED": "x", "XNET_OWN": "x", "XNET_-": "x"}, func(*settings) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, want := defaults(), defaults()
			tt.want(want)
			if err := config.Load(got, file(t, tt.yaml), "XNET", env(tt.env)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		env        map[string]string
		want       []string // all in the error
	}{
		{"unknown key", "queue: 5\nqeue: 6\n", nil, []string{"xnet.yaml", "qeue", "2:1"}},
		{"unknown key below", "broker:\n  adress: x\n", nil, []string{"adress", "2:3"}},
		{"key twice", "queue: 5\nqueue: 6\n", nil, []string{"queue", "2:1"}},
		{"another sort", "queue: many\n", nil, []string{"queue"}},
		{"unknown name", "kind: steam\n", nil, []string{"steam", "cold_water"}},
		{"not YAML", "queue: [1\n", nil, []string{"xnet.yaml"}},
		{"two documents", "queue: 5\n---\nqueue: 6\n", nil, []string{"second document"}},
		{"variable of another sort", "", map[string]string{"XNET_QUEUE": "many"}, []string{"XNET_QUEUE", "many"}},
		{"variable out of range", "", map[string]string{"XNET_PORT": "65536"}, []string{"XNET_PORT", "65536"}},
		{"variable not a duration", "", map[string]string{"XNET_BROKER_TIMEOUT": "30"}, []string{"XNET_BROKER_TIMEOUT"}},
		{"variable not true or false", "", map[string]string{"XNET_LOUD": "oui"}, []string{"XNET_LOUD"}},
		{"variable of unknown name", "", map[string]string{"XNET_KIND": "steam"}, []string{"XNET_KIND", "cold_water"}},
		{"variable not a date", "", map[string]string{"XNET_SINCE": "2026-02-30"}, []string{"XNET_SINCE"}},
		{"variable for a list", "", map[string]string{"XNET_METERS": "M1,M2"}, []string{"XNET_METERS", "use the file"}},
		{"every faulty variable", "", map[string]string{"XNET_QUEUE": "x", "XNET_LOUD": "y"}, []string{"XNET_QUEUE", "XNET_LOUD"}},
		{"every fault of the whole", "port: 1\nbroker:\n  url: \"\"\n", nil, []string{"xnet.yaml", errPort.Error(), errURL.Error()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := config.Load(defaults(), file(t, tt.yaml), "XNET", env(tt.env))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestLoadWithoutFile(t *testing.T) {
	got := defaults()
	if err := config.Load(got, "", "XNET", env(nil)); err != nil {
		t.Fatal(err)
	}
	got.Port = 1
	if err := config.Load(got, "", "XNET", env(nil)); !errors.Is(err, errPort) || !strings.HasPrefix(err.Error(), "configuration:\n") {
		t.Errorf("error %q, want the fault without a file's name", err)
	}
	missing := filepath.Join(t.TempDir(), "none.yaml")
	if err := config.Load(got, missing, "XNET", env(nil)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want one that names %s", err, missing)
	}
}

func TestSecret(t *testing.T) {
	for text, want := range map[string]string{
		"s3cret": "s3cret", "s3cret\n": "s3cret", "s3cret\r\n": "s3cret", " two words \n": " two words ",
	} {
		if got, err := config.Secret(file(t, text)); got != want || err != nil {
			t.Errorf("Secret of %q = %q, %v, want %q", text, got, err, want)
		}
	}
	if got, err := config.Secret(""); got != "" || err != nil {
		t.Errorf("Secret without a path = %q, %v", got, err)
	}
	empty := file(t, "\n")
	if _, err := config.Secret(empty); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("error %v, want one that names the empty %s", err, empty)
	}
	missing := filepath.Join(t.TempDir(), "none")
	if _, err := config.Secret(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("queue: 5\nbroker:\n  url: x\n")
	f.Add("&a [*a]")
	f.Add("a: 1\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		first, second := defaults(), defaults()
		if a, b := config.Decode([]byte(text), first), config.Decode([]byte(text), second); (a == nil) != (b == nil) {
			t.Errorf("decoded twice: %v, then %v", a, b)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("decoded twice (-first +second):\n%s", diff)
		}
	})
}
