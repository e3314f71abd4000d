package enrolment

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// The broker's users besides the gateways, whose names are site/gateway.
const (
	APIUser       = "api"
	CollectorUser = "collector"
)

// accessList writes who may say and hear what, in the form of Mosquitto's
// acl_file (mosquitto.conf(5)). A gateway speaks on its own topics only and hears
// only what is for it and its site's registry; whoever is not named gets nothing.
func accessList(gateways []wire.Source) []byte {
	var text strings.Builder
	text.WriteString("# Written by api broker-access and at every enrolment: changes are overwritten.\n")
	// The API hears what it publishes itself: there may be several of it.
	published := []string{wire.AllRegistries, wire.AllConfigs}
	user(&text, APIUser, published, append([]string{wire.AllStates, wire.AllMeters}, published...))
	user(&text, CollectorUser, []string{wire.AllStored}, []string{wire.AllReadings, wire.AllRegistries})
	for _, g := range gateways {
		user(&text, g.String(),
			[]string{g.Topic(wire.ReadingsChannel), g.Topic(wire.MetersChannel), g.Topic(wire.StateChannel)},
			[]string{g.Topic(wire.StoredChannel), g.Topic(wire.ConfigChannel), wire.RegistryTopic(g.Site)})
	}
	return []byte(text.String())
}

func user(text *strings.Builder, name string, writes, reads []string) {
	fmt.Fprintf(text, "\nuser %s\n", name)
	for _, topic := range writes {
		fmt.Fprintf(text, "topic write %s\n", topic)
	}
	for _, topic := range reads {
		fmt.Fprintf(text, "topic read %s\n", topic)
	}
}

// The broker hashes a password again at each connection. Ours are random, so that
// a few rounds do what many do for those that people choose.
const (
	rounds    = 101 // as mosquitto_passwd has it
	saltBytes = 12
	hashBytes = 64
)

// hash returns a password as Mosquitto's password_file holds it: PBKDF2 with
// HMAC-SHA512, "$7$rounds$salt$hash".
func hash(password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	return hashWith(password, salt, rounds)
}

func hashWith(password string, salt []byte, rounds int) (string, error) {
	key, err := pbkdf2.Key(sha512.New, password, salt, rounds, hashBytes)
	if err != nil {
		return "", fmt.Errorf("hash of a password: %w", err)
	}
	coded := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", rounds, coded(salt), coded(key)), nil
}

// matches reports whether a hash is that of a password.
func matches(hashed, password string) bool {
	parts := strings.Split(hashed, "$")
	if len(parts) != 5 || parts[1] != "7" {
		return false
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n < 1 || n > 1_000_000 {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil {
		return false
	}
	again, err := hashWith(password, salt, n)
	return err == nil && subtle.ConstantTimeCompare([]byte(again), []byte(hashed)) == 1
}
