package doctor

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// A BrokerUser is a way to sign in at the broker.
type BrokerUser struct {
	URL, Username, Password string
	TLS                     *tls.Config // nil for the system's defaults
}

// connect signs in. The caller leaves with Disconnect.
func (b BrokerUser) connect(ctx context.Context) (mqtt.Client, error) {
	options := mqtt.NewClientOptions().AddBroker(b.URL).SetClientID("xnet-doctor-" + rand.Text()[:8]).
		SetUsername(b.Username).SetPassword(b.Password).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
	if b.TLS != nil {
		options.SetTLSConfig(b.TLS)
	}
	client := mqtt.NewClient(options)
	if err := done(ctx, client.Connect()); err != nil {
		return nil, config.Explained(err, b.TLS)
	}
	return client, nil
}

// leaving is how long a farewell to the broker may take, in milliseconds.
const leaving = 100

// nobody reports whether the broker lets in who has no name.
func (b BrokerUser) nobody(ctx context.Context) bool {
	b.Username, b.Password = "", ""
	client, err := b.connect(ctx)
	if err != nil {
		return false
	}
	client.Disconnect(leaving)
	return true
}

// echo is how long what was said may take to come back after everything else did.
const echo = 500 * time.Millisecond

// unruled reports whether the broker passes on what its list of rights has not: it
// says something that is nobody's, and listens. A broker that ends the connection
// has such a list.
func unruled(ctx context.Context, client mqtt.Client) bool {
	topic, heard := "xnet/doctor/"+rand.Text(), make(chan struct{}, 1)
	told := client.Subscribe(topic, 0, func(mqtt.Client, mqtt.Message) {
		select {
		case heard <- struct{}{}:
		default:
		}
	})
	if done(ctx, told) != nil || done(ctx, client.Publish(topic, 1, false, "is anybody there?")) != nil {
		return false
	}
	select {
	case <-heard:
		return true
	case <-time.After(echo): // the broker has acknowledged it, and sends in turn
	case <-ctx.Done():
	}
	return false
}

// done waits for what was asked of the broker.
func done(ctx context.Context, token mqtt.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refused reports whether a broker knows the user and does not let him in.
func refused(err error) bool {
	return errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) || errors.Is(err, packets.ErrorRefusedNotAuthorised)
}

// Broker checks that a program gets in, that nobody does without a name, and that
// the broker has a list of who may say and hear what.
func Broker(program string, user BrokerUser) Check {
	return Check{"broker for the " + program, func(ctx context.Context) (string, error) {
		client, err := user.connect(ctx)
		switch {
		case refused(err):
			return "", fault("xnet-api broker-access, then systemctl reload mosquitto: the broker's file of passwords is another than "+program+"'s", "%s does not let %q in", user.URL, user.Username)
		case err != nil:
			return "", fault("systemctl restart mosquitto; journalctl -u mosquitto says why it ends", "%s: %v", user.URL, err)
		}
		defer client.Disconnect(leaving)
		if user.Username != "" && user.nobody(ctx) {
			return "", fault("set allow_anonymous false in /etc/mosquitto/conf.d/xnet.conf, with password_file and acl_file, and restart mosquitto", "%s lets in whoever comes", user.URL)
		}
		if user.Username != "" && unruled(ctx, client) {
			return "", fault("set acl_file /var/lib/xnet/broker/acl in /etc/mosquitto/conf.d/xnet.conf, which xnet-api broker-access writes, and restart mosquitto",
				"%s has no list of rights: every gateway says and hears everything", user.URL)
		}
		return fmt.Sprintf("%s lets %q in, and nobody without a name", user.URL, user.Username), nil
	}}
}

// Influx checks that a program gets at its buckets, and how long they keep.
func Influx(program string, c influx.Config) Check {
	return Check{"InfluxDB for the " + program, func(ctx context.Context) (string, error) {
		client, err := influx.Open(c)
		if err != nil {
			return "", fault("correct influx in the configuration of the "+program, "%v", err)
		}
		defer client.Close()
		if err := client.Ping(ctx); err != nil {
			return "", fault("systemctl restart xnet-influxd, or start the InfluxDB that you have; journalctl -u xnet-influxd says why it ends", "%v", err)
		}
		kept, err := client.Retention(ctx)
		switch {
		case errors.Is(err, influx.ErrDenied):
			return "", fault("write the right token into "+c.TokenFile+", or run xnet-setup", "%s does not let the %s in", c.URL, program)
		case err != nil:
			return "", fault("systemctl restart xnet-collector, which makes the buckets, or run xnet-setup", "%v", err)
		}
		var faults []error
		for _, k := range kept {
			if !k.Right() {
				faults = append(faults, fault("shorten the bucket's retention by hand, or start the collector once with --allow-shorter",
					"bucket %s keeps its points longer than the configuration wants", k.Bucket))
			}
		}
		return fmt.Sprintf("%d buckets, kept as the configuration says", len(kept)), errors.Join(faults...)
	}}
}

// probe is short: the programs answer at once or not at all.
var probe = &http.Client{Timeout: 5 * time.Second}

func ask(ctx context.Context, url string) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := probe.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	return response.StatusCode, string(body), err
}

// Program checks that a program runs and reaches its servers; address is that of
// its /readyz, host:port.
func Program(name, address string) Check {
	unit := "xnet-" + name
	return Check{name, func(ctx context.Context) (string, error) {
		status, text, err := ask(ctx, "http://"+address+"/readyz")
		switch {
		case err != nil:
			return "", fault("systemctl start "+unit+"; journalctl -u "+unit+" says why it ends", "nothing answers at %s", address)
		case status != http.StatusOK:
			return "", fault("see to what it waits for; it goes on by itself", "it runs and waits: %s", strings.ReplaceAll(strings.TrimSpace(text), "\n", ", "))
		}
		return "runs at " + address + " and reaches its servers", nil
	}}
}

// slowest is how long a reading may wait to be rolled up.
const slowest = 10 * time.Minute

// Intake checks what a running collector tells: how far its rollup is behind, and
// that nothing lies in the quarantine.
func Intake(address string) Check {
	return Check{"quarantine and rollup", func(ctx context.Context) (string, error) {
		_, text, err := ask(ctx, "http://"+address+"/metrics")
		if err != nil {
			return "", fault("start xnet-collector first", "nothing answers at %s", address)
		}
		var faults []error
		if kept := figureIn(text, "xnet_collector_quarantine_bytes"); kept > 0 {
			faults = append(faults, fault("xnet-collector quarantine list says what was refused and why; mend the cause, then xnet-collector quarantine replay --all",
				"%.0f bytes of packs were refused and lie in the quarantine", kept))
		}
		lag := time.Duration(figureIn(text, "xnet_collector_rollup_lag_seconds") * float64(time.Second))
		if lag > slowest {
			faults = append(faults, fault("look at InfluxDB's load and disk; journalctl -u xnet-collector says what it waits for", "readings have waited %s to be rolled up", lag.Round(time.Second)))
		}
		return fmt.Sprintf("nothing refused, readings rolled up after %s", lag.Round(time.Second)), errors.Join(faults...)
	}}
}

// figureIn returns a figure without labels out of the text of /metrics, 0 where
// it is not there.
func figureIn(text, name string) float64 {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if number, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(number, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}
