package wire_test

import (
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestTopics(t *testing.T) {
	s := wire.Source{Site: "roseraie", Gateway: "gw-1"}
	for channel, want := range map[wire.Channel]string{
		wire.ReadingsChannel: "xnet/v1/roseraie/gw-1/readings",
		wire.StoredChannel:   "xnet/v1/roseraie/gw-1/stored",
		wire.MetersChannel:   "xnet/v1/roseraie/gw-1/meters",
		wire.StateChannel:    "xnet/v1/roseraie/gw-1/state",
		wire.ConfigChannel:   "xnet/v1/roseraie/gw-1/config",
	} {
		if got := s.Topic(channel); got != want {
			t.Errorf("Topic(%s) = %s, want %s", channel, got, want)
		}
		source, c, err := wire.ParseTopic(want)
		if err != nil || source != s || c != channel {
			t.Errorf("ParseTopic(%s) = %v, %s, %v", want, source, c, err)
		}
	}
	if got, want := wire.RegistryTopic("roseraie"), "xnet/v1/roseraie/registry"; got != want {
		t.Errorf("RegistryTopic = %s, want %s", got, want)
	}
	if site, err := wire.ParseRegistryTopic("xnet/v1/roseraie/registry"); err != nil || site != "roseraie" {
		t.Errorf("ParseRegistryTopic = %s, %v", site, err)
	}
	if got, want := s.String(), "roseraie/gw-1"; got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
}

func TestTopicsOfOthersAreRefused(t *testing.T) {
	for _, topic := range []string{
		"", "/", "xnet/v1", "xnet/v1/s", "xnet/v1/s/g", "xnet/v1/s/g/", "xnet/v1/s/g/readings/more",
		"xnet/v2/s/g/readings", "xnet/v1//g/readings", "xnet/v1/s//readings", "xnet/v1/+/g/readings",
		"xnet/v1/s/#", "xnet/v1/../g/readings", "xnet/v1/s/g/Readings", "$SYS/v1/s/g/readings",
		"xnet/v1/" + strings.Repeat("s", 65) + "/g/readings",
	} {
		if s, c, err := wire.ParseTopic(topic); err == nil {
			t.Errorf("ParseTopic(%q) = %v, %q, want an error", topic, s, c)
		}
	}
	for _, topic := range []string{"", "registry", "xnet/v1/registry", "xnet/v1//registry",
		"xnet/v1/s/g/registry", "xnet/v1/+/registry", "xnet/v1/s/registry/", "xnet/v2/s/registry"} {
		if s, err := wire.ParseRegistryTopic(topic); err == nil {
			t.Errorf("ParseRegistryTopic(%q) = %q, want an error", topic, s)
		}
	}
}

// matches reports whether an MQTT filter, its share prefix cut off, matches.
func matches(filter, topic string) bool {
	f, l := strings.Split(filter, "/"), strings.Split(topic, "/")
	if len(f) != len(l) {
		return false
	}
	for i := range f {
		if f[i] != "+" && f[i] != l[i] {
			return false
		}
	}
	return true
}

func TestFiltersMatchTheirTopicsOnly(t *testing.T) {
	s := wire.Source{Site: "roseraie", Gateway: "gw-1"}
	topics := []string{s.Topic(wire.ReadingsChannel), wire.RegistryTopic(s.Site), s.Topic(wire.MetersChannel),
		s.Topic(wire.StateChannel), s.Topic(wire.StoredChannel), s.Topic(wire.ConfigChannel)}
	filters := []string{strings.TrimPrefix(wire.SharedReadings, "$share/collectors/"), wire.AllRegistries,
		wire.AllMeters, wire.AllStates}
	for i, filter := range filters {
		for j, topic := range topics {
			if got, want := matches(filter, topic), i == j; got != want {
				t.Errorf("filter %s matches %s: %t, want %t", filter, topic, got, want)
			}
		}
	}
}
