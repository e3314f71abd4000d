package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A neighbourhood is the demo as the test of a withdrawal looks at it.
type neighbourhood struct {
	visitor *visitor
	influx  *influx.Client
	own     metering.MeterID // cold water of flat A1-04, which agreed
	other   metering.MeterID // of a flat that agreed too

	mu       sync.Mutex
	reported map[metering.MeterID]metering.Resolution // by the gateways
}

// TestWithdrawalStopsTheFineCurve: who takes the fine curve back on the page is
// read once a day within a minute, and the hours are gone; others are not
// touched. Everything is real: meters, gateways, broker, collector, InfluxDB, API.
func TestWithdrawalStopsTheFineCurve(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	r := runDemo(t, demoFolder(t))
	r.await(t, "  ready")
	r.await(t, "Logs are in")
	n := newNeighbourhood(t, r)
	testkit.Eventually(t, time.Minute, func() error { return n.reports(n.own, metering.Fine) })
	now := time.Now()
	from := now.AddDate(0, 0, -20)
	hours, days := n.periods(t, influx.Hourly, n.own, from, now), n.periods(t, influx.Daily, n.own, from, now)
	if before := n.readings(t, n.own, from, now); hours < 400 || days < 18 || before < 400 {
		t.Fatalf("before: %d hours, %d days, %d readings: this test would show nothing", hours, days, before)
	}
	otherHours := n.periods(t, influx.Hourly, n.other, from, now)

	page := n.page(t, "")
	if !strings.Contains(page, "/mes-donnees/accords/fine_curve/fin") {
		t.Fatalf("the page offers no withdrawal:\n%s", page)
	}
	begun := time.Now()
	page = n.page(t, "/accords/fine_curve/fin")
	if !strings.Contains(page, "Votre oui est retiré") || !strings.Contains(page, "sera effacé") {
		t.Fatalf("after the withdrawal the page says:\n%s", page)
	}
	testkit.Within(t, time.Until(begun.Add(time.Minute)), func() error {
		if left := n.periods(t, influx.Hourly, n.own, from, time.Now()); left > 0 {
			return fmt.Errorf("%d hours are left", left)
		}
		return nil
	})
	gone := time.Since(begun)
	// The gateway acts within seconds, and tells once a minute what it does.
	testkit.Within(t, time.Until(begun.Add(75*time.Second)), func() error { return n.reports(n.own, metering.Day) })
	stopped := time.Since(begun)
	testkit.Eventually(t, 2*time.Minute, func() error {
		if !strings.Contains(n.page(t, ""), "Effacé le") {
			return errors.New("the page does not say that it is erased")
		}
		return nil
	})
	t.Logf("withdrawal: hours gone after %.1f s, the gateway said that it stopped after %.1f s, all done after %.1f s",
		gone.Seconds(), stopped.Seconds(), time.Since(begun).Seconds())

	if left := n.readings(t, n.own, from, time.Now()); left < 18 || left > 22 {
		t.Errorf("%d readings of 20 days are left, want one a day", left)
	}
	if left := n.periods(t, influx.Daily, n.own, from, now); left != days {
		t.Errorf("%d days are left of %d", left, days)
	}
	// While the neighbours' meters are read on, nothing of this one comes in.
	was, others := n.readings(t, n.own, begun, time.Now()), n.readings(t, n.other, begun, time.Now())
	testkit.Eventually(t, 2*time.Minute, func() error {
		if n.readings(t, n.other, begun, time.Now()) < others+3 {
			return errors.New("the other meter is not read on")
		}
		return nil
	})
	if is := n.readings(t, n.own, begun, time.Now()); is != was {
		t.Errorf("%d readings came in after the withdrawal", is-was)
	}
	if left := n.periods(t, influx.Hourly, n.other, from, now); left < otherHours {
		t.Errorf("%d hours of the neighbour are left of %d", left, otherHours)
	}
	if err := n.reports(n.other, metering.Fine); err != nil {
		t.Errorf("the neighbour's meter: %v", err)
	}
	r.interrupt(t)
}

var (
	opens = regexp.MustCompile(`Open\s+(http://\S+)`)
	codes = regexp.MustCompile(`(\S{4}-\S{4}-\S{4})\s.*flat A1-04`)
)

func newNeighbourhood(t *testing.T, r *running) *neighbourhood {
	t.Helper()
	address, code := opens.FindStringSubmatch(r.text()), codes.FindStringSubmatch(r.text())
	if address == nil || code == nil {
		t.Fatal("the demo names no address or no code of flat A1-04")
	}
	var config struct {
		Broker struct{ URL string }
		Influx struct{ URL string }
	}
	readYAML(t, filepath.Join(r.dir, "etc", "api.yaml"), &config)
	n := &neighbourhood{visitor: enter(t, address[1], code[1]), reported: map[metering.MeterID]metering.Resolution{}}
	n.chooseMeters(t, filepath.Join(r.dir, "etc", "residence.yaml"))
	c := influx.DefaultConfig()
	c.URL = config.Influx.URL
	var err error
	if n.influx, err = influx.Open(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.influx.Close)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(config.Broker.URL).SetClientID("privacy-test"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("broker: %v", token.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	client.Subscribe(wire.AllMeters, 1, func(_ mqtt.Client, m mqtt.Message) { n.hear(m.Payload()) })
	return n
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// chooseMeters takes the flat's cold-water meter, and that of another flat whose
// household agreed and whose meter was not replaced.
func (n *neighbourhood) chooseMeters(t *testing.T, list string) {
	t.Helper()
	var residence struct {
		Dwellings []struct {
			ID         string
			Households []struct {
				MovedOut string `yaml:"moved_out"`
				Consents []string
			}
			Points []struct {
				Kind   string
				Meters []struct{ ID, Gateway string }
			}
		}
	}
	readYAML(t, list, &residence)
	for _, d := range residence.Dwellings {
		if len(d.Households) != 1 || len(d.Households[0].Consents) == 0 {
			continue
		}
		for _, p := range d.Points {
			switch {
			case p.Kind != "cold_water" || len(p.Meters) != 1:
			case d.ID == "A1-04":
				n.own = metering.MeterID(p.Meters[0].ID)
			case n.other == "" && strings.HasPrefix(d.ID, "A1-"):
				n.other = metering.MeterID(p.Meters[0].ID)
			}
		}
	}
	if n.own == "" || n.other == "" {
		t.Fatalf("meters %q and %q", n.own, n.other)
	}
}

func (n *neighbourhood) hear(payload []byte) {
	report, err := wire.DecodeMeters(payload)
	if err != nil {
		return // another test's affair
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range report.Meters {
		n.reported[m.Meter] = m.Resolution
	}
}

// reports returns nil where the meter's gateway says that it reads it so.
func (n *neighbourhood) reports(m metering.MeterID, want metering.Resolution) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if got := n.reported[m]; got != want {
		return fmt.Errorf("the gateway of %s says %q, want %q", m, got, want)
	}
	return nil
}

func (n *neighbourhood) periods(t *testing.T, p influx.Period, m metering.MeterID, from, to time.Time) int {
	t.Helper()
	found, err := n.influx.Consumption(t.Context(), p, []metering.MeterID{m}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return len(found[m])
}

func (n *neighbourhood) readings(t *testing.T, m metering.MeterID, from, to time.Time) int {
	t.Helper()
	found, err := n.influx.Readings(t.Context(), []metering.MeterID{m}, metering.Index, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return len(found[m])
}

// page returns the page "Mes données", or where path is not empty what comes of
// its form at that address.
func (n *neighbourhood) page(t *testing.T, path string) string {
	t.Helper()
	const mine = "/mes-donnees"
	response, err := n.visitor.client.Get(n.visitor.api + mine)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if path == "" {
		return string(text)
	}
	_, rest, _ := strings.Cut(string(text), `name="jeton" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	answer, err := n.visitor.client.PostForm(n.visitor.api+mine+path, url.Values{"jeton": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
