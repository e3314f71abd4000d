// Package wire is the one definition of what travels by MQTT between gateways,
// collectors and the API: topics and payloads, encoded and decoded.
//
// MQTT is 3.1.1, quality of service 1. Topics are
//
//	xnet/v1/{site}/registry            the api, retained
//	xnet/v1/{site}/{gateway}/readings  the gateway
//	xnet/v1/{site}/{gateway}/stored    the collector
//	xnet/v1/{site}/{gateway}/meters    the gateway, retained
//	xnet/v1/{site}/{gateway}/state     the gateway, retained, and its last will
//	xnet/v1/{site}/{gateway}/config    the api, retained
//
// The files of testdata are vectors that any other implementation can be held
// against.
package wire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
)

const root = "xnet/v1"

// A Channel is the last level of a gateway's topic.
type Channel string

// The channels of a gateway.
const (
	ReadingsChannel Channel = "readings"
	StoredChannel   Channel = "stored"
	MetersChannel   Channel = "meters"
	StateChannel    Channel = "state"
	ConfigChannel   Channel = "config"
)

// Topic filters over all sites and gateways.
const (
	// SharedReadings shares the readings of all gateways among collectors.
	SharedReadings = "$share/collectors/" + AllReadings
	// AllReadings matches the readings of every gateway, for who shares them with
	// nobody and for a broker's list of who may hear what.
	AllReadings = root + "/+/+/" + string(ReadingsChannel)
	// AllRegistries matches the registry of every site.
	AllRegistries = root + "/+/registry"
	// AllMeters matches what every gateway says of its meters.
	AllMeters = root + "/+/+/" + string(MetersChannel)
	// AllStored and AllConfigs match what every gateway is told.
	AllStored  = root + "/+/+/" + string(StoredChannel)
	AllConfigs = root + "/+/+/" + string(ConfigChannel)
	// AllStates matches the state of every gateway.
	AllStates = root + "/+/+/" + string(StateChannel)
)

// A Source names a gateway within its site.
type Source struct {
	Site    metering.SiteID
	Gateway metering.GatewayID
}

// Topic returns the topic of one of the gateway's channels.
func (s Source) Topic(c Channel) string {
	return fmt.Sprintf("%s/%s/%s/%s", root, s.Site, s.Gateway, c)
}

// String writes site/gateway.
func (s Source) String() string { return string(s.Site) + "/" + string(s.Gateway) }

// channels lists what a gateway's topic may end in.
var channels = []Channel{ReadingsChannel, StoredChannel, MetersChannel, StateChannel, ConfigChannel}

// ParseTopic returns the gateway and channel of a gateway's topic. A topic of
// another shape, a site or gateway that is not a valid id, and an unknown
// channel are errors.
func ParseTopic(topic string) (Source, Channel, error) {
	levels := strings.Split(topic, "/")
	if len(levels) != 5 || levels[0]+"/"+levels[1] != root {
		return Source{}, "", fmt.Errorf("topic %q: want %s/{site}/{gateway}/{channel}", topic, root)
	}
	s := Source{Site: metering.SiteID(levels[2]), Gateway: metering.GatewayID(levels[3])}
	if err := metering.CheckID("site", s.Site); err != nil {
		return Source{}, "", fmt.Errorf("topic %q: %w", topic, err)
	}
	if err := metering.CheckID("gateway", s.Gateway); err != nil {
		return Source{}, "", fmt.Errorf("topic %q: %w", topic, err)
	}
	c := Channel(levels[4])
	if !slices.Contains(channels, c) {
		return Source{}, "", fmt.Errorf("topic %q: unknown channel %q, known are %v", topic, c, channels)
	}
	return s, c, nil
}

// RegistryTopic returns the topic of a site's registry.
func RegistryTopic(site metering.SiteID) string { return root + "/" + string(site) + "/registry" }

// ParseRegistryTopic returns the site of a registry's topic.
func ParseRegistryTopic(topic string) (metering.SiteID, error) {
	site, ok := strings.CutPrefix(topic, root+"/")
	site, suffix := strings.CutSuffix(site, "/registry")
	if !ok || !suffix || !metering.ValidID(metering.SiteID(site)) {
		return "", fmt.Errorf("topic %q: want %s/{site}/registry", topic, root)
	}
	return metering.SiteID(site), nil
}
