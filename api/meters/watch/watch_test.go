package watch_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

var page = resource.Page{Limit: 100}

func store(db *sql.DB, client *influx.Client) *watch.Store {
	return watch.NewStore(db, premises.NewStore(db), meters.NewStore(db), client)
}

func each(t *testing.T, test func(t *testing.T, db *sql.DB, s *watch.Store)) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		meterstest.Furnish(t, db)
		test(t, db, store(db, nil))
	})
}

var gateway = wire.Source{Site: "R", Gateway: "gw-r"}

// tell keeps a state and the meters that a gateway names, all read at that
// instant.
func tell(t *testing.T, s *watch.Store, from wire.Source, at time.Time, ids ...metering.MeterID) {
	t.Helper()
	if err := s.State(t.Context(), from, wire.State{Online: true, Version: "1.0", Clock: wire.ClockTrusted}, at); err != nil {
		t.Fatal(err)
	}
	m := wire.Meters{}
	for _, id := range ids {
		m.Meters = append(m.Meters, wire.MeterReport{Meter: id, Serial: "S-" + string(id), Kind: metering.ColdWater, Resolution: metering.Day, LastGoodMs: at.UnixMilli()})
	}
	if _, err := s.Meters(t.Context(), from, m, at); err != nil {
		t.Fatal(err)
	}
}

func survey(t *testing.T, s *watch.Store, at time.Time) {
	t.Helper()
	if _, err := s.Survey(t.Context(), at, true); err != nil {
		t.Fatal(err)
	}
}

// standings returns those of the meters, by id.
func standings(t *testing.T, s *watch.Store, who accounts.PersonID) map[metering.MeterID]watch.Standing {
	t.Helper()
	all, err := s.Fares(t.Context(), who, watch.FareFilter{}, meterstest.Now, page)
	if err != nil {
		t.Fatal(err)
	}
	found := map[metering.MeterID]watch.Standing{}
	for _, f := range all {
		found[f.Meter] = f.Standing
	}
	return found
}

// incidents writes the incidents, oldest first, as "kind gateway meter" with a
// star where they last.
func incidents(t *testing.T, s *watch.Store) []string {
	t.Helper()
	all, err := s.Incidents(t.Context(), meterstest.Admin, watch.IncidentFilter{}, page)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, i := range slices.Backward(all) {
		text := fmt.Sprintf("%s %s %s", i.Kind, i.Gateway, i.Meter)
		if i.To.IsZero() {
			text += "*"
		}
		found = append(found, text)
	}
	return found
}

// Nothing is to be done at the meters of a gateway that has stopped or is silent, save
// where another gateway reads them; one that has never spoken is being set up.
func TestHeardLeavesOutTheMetersOfAStoppedGateway(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *watch.Store) {
		now := meterstest.Now
		expect := func(what string, at time.Time, want ...metering.MeterID) {
			t.Helper()
			all, err := s.Fares(t.Context(), meterstest.Manager, watch.FareFilter{Trouble: true, Heard: true}, at, page)
			var got []metering.MeterID
			for _, f := range all {
				got = append(got, f.Meter)
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v, meters (-want +got):\n%s", what, err, diff)
			}
		}
		expect("it has never spoken", now, "cw-1", "cw-2", "el-1")
		tell(t, s, gateway, now, "cw-1")
		tell(t, s, wire.Source{Site: "R", Gateway: "gw-r2"}, now, "cw-2")
		sqldbtest.Exec(t, db, `UPDATE gateway_report SET heard_ms = $1, online = 1`, now.UnixMilli())
		survey(t, s, now)
		expect("it is heard", now, "cw-2", "el-1")
		expect("it is silent", now.Add(watch.GatewayAfter+time.Second), "cw-2")
		sqldbtest.Exec(t, db, `UPDATE gateway_report SET online = 0`)
		expect("it has stopped", now, "cw-2")
	})
}

func TestReportsAgainstTheRegistry(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *watch.Store) {
		now := meterstest.Now
		tell(t, s, gateway, now, "cw-1", "stray")
		tell(t, s, wire.Source{Site: "R", Gateway: "gw-r2"}, now, "cw-2")
		tell(t, s, wire.Source{Site: "R", Gateway: "gw-new"}, now, "stray-2")
		tell(t, s, wire.Source{Site: "nowhere", Gateway: "gw-x"}, now, "stray-3")
		survey(t, s, now)
		want := map[metering.MeterID]watch.Standing{"cw-1": watch.Bound, "cw-2": watch.WrongPlace, "el-1": watch.NeverSeen, "cw-spare": watch.Unbound}
		if diff := cmp.Diff(want, standings(t, s, meterstest.Manager)); diff != "" {
			t.Errorf("standings (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"meter_wrong_place gw-r cw-2*"}, incidents(t, s)); diff != "" {
			t.Errorf("incidents (-want +got):\n%s", diff)
		}
		strangers, err := s.Strangers(t.Context(), meterstest.Installer, "", "", page)
		if err != nil || len(strangers) != 2 || strangers[0].Meter != "stray-2" || strangers[1].Meter != "stray" {
			t.Errorf("unknown meters %+v, %v", strangers, err)
		}
		gateways, err := s.Gateways(t.Context(), meterstest.Installer, "", page)
		if err != nil || len(gateways) != 3 || gateways[0].ID != "gw-new" || gateways[0].Registered || !gateways[1].Registered {
			t.Errorf("gateways %+v, %v", gateways, err)
		}
		// The gateway stops naming the stray one, and another residence's staff
		// see nothing of all that.
		tell(t, s, gateway, now.Add(time.Minute), "cw-1")
		if strangers, err := s.Strangers(t.Context(), meterstest.Installer, "", "", page); err != nil || len(strangers) != 1 {
			t.Errorf("unknown meters %+v, %v", strangers, err)
		}
		for _, who := range []accounts.PersonID{meterstest.Elsewhere, meterstest.Technician, meterstest.Tenant} {
			strangers, err := s.Strangers(t.Context(), who, "", "", page)
			gateways, errG := s.Gateways(t.Context(), who, "R", page)
			fares, errF := s.Fares(t.Context(), who, watch.FareFilter{Residence: "R"}, now, page)
			is, errI := s.Incidents(t.Context(), who, watch.IncidentFilter{}, page)
			if len(strangers)+len(gateways)+len(fares)+len(is) != 0 || err != nil || errG != nil || errF != nil || errI != nil {
				t.Errorf("%s sees %v %v %v %v", who, strangers, gateways, fares, is)
			}
		}
	})
}

// A silent gateway is one incident, however many meters it reads; what its meters
// were before stays as it was.
func TestOneIncidentASilentGateway(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *watch.Store) {
		now := meterstest.Now
		at := now.Add(-2 * meterstest.Day)
		tell(t, s, gateway, at, "cw-1", "cw-2", "el-1")
		later := at.Add(25 * time.Hour) // the gateway lives, and reads only one of its meters
		tell(t, s, gateway, later, "cw-1")
		if _, err := s.Meters(t.Context(), gateway, wire.Meters{Meters: []wire.MeterReport{
			{Meter: "cw-1", Kind: metering.ColdWater, Resolution: metering.Fine, LastGoodMs: later.UnixMilli()},
			{Meter: "cw-2", Kind: metering.ColdWater, Resolution: metering.Fine, LastGoodMs: at.UnixMilli()},
			{Meter: "el-1", Kind: metering.Electricity, Resolution: metering.Fine, LastGoodMs: later.UnixMilli()}}}, later); err != nil {
			t.Fatal(err)
		}
		survey(t, s, later)
		if diff := cmp.Diff([]string{"meter_silent gw-r cw-2*"}, incidents(t, s)); diff != "" {
			t.Fatalf("incidents (-want +got):\n%s", diff)
		}
		survey(t, s, later.Add(watch.GatewayAfter))
		if got := incidents(t, s); len(got) != 1 {
			t.Errorf("a gateway of a quarter of an hour is silent: %v", got)
		}
		for range 3 { // again and again, by several servers
			survey(t, store(db, nil), now)
			survey(t, s, now)
		}
		if diff := cmp.Diff([]string{"meter_silent gw-r cw-2*", "gateway_silent gw-r *"}, incidents(t, s)); diff != "" {
			t.Errorf("incidents (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[metering.MeterID]watch.Standing{"cw-1": watch.GatewaySilent, "cw-2": watch.GatewaySilent, "el-1": watch.GatewaySilent, "cw-spare": watch.Unbound},
			standings(t, s, meterstest.Manager)); diff != "" {
			t.Errorf("standings (-want +got):\n%s", diff)
		}
		tell(t, s, gateway, now, "cw-1", "cw-2", "el-1")
		survey(t, s, now.Add(time.Second))
		if diff := cmp.Diff([]string{"meter_silent gw-r cw-2", "gateway_silent gw-r "}, incidents(t, s)); diff != "" {
			t.Errorf("incidents after its return (-want +got):\n%s", diff)
		}
	})
}

// A server that did not listen cannot call a gateway silent.
func TestNobodyIsSilentWhileNobodyListens(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *watch.Store) {
		tell(t, s, gateway, meterstest.Ago(2*meterstest.Day), "cw-1")
		if _, err := s.Survey(t.Context(), meterstest.Now, false); err != nil {
			t.Fatal(err)
		}
		if got := incidents(t, s); got != nil {
			t.Errorf("incidents %v", got)
		}
		survey(t, s, meterstest.Now)
		if got := incidents(t, s); len(got) != 1 {
			t.Errorf("incidents %v, want one", got)
		}
		if _, err := s.Survey(t.Context(), meterstest.Now, false); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"gateway_silent gw-r *"}, incidents(t, s)); diff != "" {
			t.Errorf("incidents (-want +got):\n%s", diff)
		}
	})
}

func TestAlarmsOfAGateway(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *watch.Store) {
		at := meterstest.Now
		if err := s.State(t.Context(), gateway, wire.State{Online: true, SpoolAlarm: true, ConfigFault: "version 7: the signature is not by the key"}, at); err != nil {
			t.Fatal(err)
		}
		survey(t, s, at)
		if got := incidents(t, s); len(got) != 2 || !slices.Contains(got, "spool_alarm gw-r *") || !slices.Contains(got, "config_fault gw-r *") {
			t.Errorf("incidents %v", got)
		}
		tell(t, s, gateway, at.Add(time.Minute))
		survey(t, s, at.Add(time.Minute))
		if got := incidents(t, s); len(got) != 2 || !slices.Contains(got, "spool_alarm gw-r ") || !slices.Contains(got, "config_fault gw-r ") {
			t.Errorf("incidents %v", got)
		}
	})
}

// Nobody fills the database with gateways that nobody registered.
func TestStrangersAreLimited(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *watch.Store) {
		for i := range 130 {
			tell(t, s, wire.Source{Site: "R", Gateway: metering.GatewayID(fmt.Sprintf("x-%d", i))}, meterstest.Now, "m")
		}
		tell(t, s, gateway, meterstest.Now, "cw-1")
		var gateways, strays int
		if err := db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM gateway_report), (SELECT COUNT(*) FROM meter_report WHERE meter_id = 'm')`).Scan(&gateways, &strays); err != nil || gateways != 101 || strays != 100 {
			t.Errorf("%d gateways, %d meters kept, %v; want 101 and 100", gateways, strays, err)
		}
	})
}

func TestStuckMeters(t *testing.T) {
	client := influxtest.Open(t)
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	meterstest.Furnish(t, db)
	s := store(db, client)
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	today := time.Date(2026, 3, 18, 0, 0, 0, 0, zone)
	var days []influx.Consumption
	for d := 1; d <= 9; d++ {
		for meter, used := range map[metering.MeterID]metering.Amount{"cw-1": 0, "cw-2": 0, "el-1": 0} {
			if meter == "el-1" && d == 7 {
				used = 1
			}
			days = append(days, influx.Consumption{Meter: meter, Start: today.AddDate(0, 0, -d), Index: 9, Used: used})
		}
	}
	if err := client.WriteConsumption(t.Context(), influx.Daily, days); err != nil {
		t.Fatal(err)
	}
	if err := s.Stillness(t.Context(), meterstest.Now); err != nil {
		t.Fatal(err)
	}
	tell(t, s, gateway, meterstest.Now, "cw-1", "cw-2", "el-1")
	survey(t, s, meterstest.Now)
	// R-1 is lived in; R-2, where cw-2 hangs, is empty.
	want := map[metering.MeterID]watch.Standing{"cw-1": watch.Stuck, "cw-2": watch.Bound, "el-1": watch.Bound, "cw-spare": watch.Unbound}
	if diff := cmp.Diff(want, standings(t, s, meterstest.Installer)); diff != "" {
		t.Errorf("standings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"meter_stuck gw-r cw-1*"}, incidents(t, s)); diff != "" {
		t.Errorf("incidents (-want +got):\n%s", diff)
	}
}

// TestListener hears real messages: kept ones at its start, live ones after, and
// those of a broker that was away.
func TestListener(t *testing.T) {
	broker := testkit.Broker(t)
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	meterstest.Furnish(t, db)
	s := store(db, influxtest.Open(t))
	at := time.Now()
	// A broker that has much to deliver may take a second subscription's number
	// for one in use.
	crowd := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL).SetClientID("crowd"))
	if token := crowd.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	for n := range 50 {
		elsewhere := wire.Source{Site: "elsewhere", Gateway: metering.GatewayID(fmt.Sprint("gw-", n))}
		crowd.Publish(elsewhere.Topic(wire.StateChannel), 1, true, []byte("{}")).WaitTimeout(5 * time.Second)
	}
	crowd.Disconnect(100)
	retained := func(channel wire.Channel, payload []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL).SetClientID("gw"))
		if token := c.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
			t.Fatal(token.Error())
		}
		c.Publish(gateway.Topic(channel), 1, true, payload).WaitTimeout(5 * time.Second)
		c.Disconnect(100)
	}
	state := func(online bool, at time.Time) {
		t.Helper()
		payload, err := wire.State{Online: online, Clock: wire.ClockTrusted, AtMs: at.UnixMilli(), Config: "7"}.Encode()
		retained(wire.StateChannel, payload, err)
	}
	named := func(said time.Time, ids ...metering.MeterID) {
		t.Helper()
		m := wire.Meters{AtMs: said.UnixMilli()}
		for _, id := range ids {
			m.Meters = append(m.Meters, wire.MeterReport{Meter: id, Kind: metering.ColdWater, Resolution: metering.Day, LastGoodMs: at.UnixMilli()})
		}
		payload, err := m.Encode()
		retained(wire.MetersChannel, payload, err)
	}
	state(true, at.Add(-time.Hour))
	named(at.Add(-time.Hour), "cw-1", "cw-2")
	retained(wire.StateChannel, []byte("nonsense"), nil)
	state(true, at.Add(-time.Hour))

	rhythms := watch.Rhythms{Survey: 50 * time.Millisecond, Stillness: time.Hour, Settle: 200 * time.Millisecond}
	l := watch.NewListener(watch.Broker{URL: broker.URL, ClientID: "watch"}, s, rhythms, time.Now, testkit.Logger(t))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { l.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })

	expect := func(what string, want ...string) {
		t.Helper()
		testkit.Eventually(t, 15*time.Second, func() error {
			if diff := cmp.Diff(want, incidents(t, s)); diff != "" {
				return fmt.Errorf("%s: incidents (-want +got):\n%s", what, diff)
			}
			return nil
		})
	}
	expect("an hour old", "gateway_silent gw-r *")
	state(true, time.Now())
	expect("it tells again", "gateway_silent gw-r ")
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := standings(t, s, meterstest.Installer)["cw-1"]; got != watch.Bound {
			return fmt.Errorf("cw-1 is %s", got)
		}
		return nil
	})
	broker.Stop()
	testkit.Eventually(t, 10*time.Second, func() error {
		if l.Attentive() {
			return fmt.Errorf("it listens without a broker")
		}
		return nil
	})
	broker.Start()
	testkit.Eventually(t, 30*time.Second, func() error {
		named(time.Now(), "cw-1")
		all, err := s.Fares(t.Context(), meterstest.Installer, watch.FareFilter{Standing: watch.NeverSeen}, time.Now(), page)
		if err != nil || len(all) != 2 { // cw-2 is not named any more, el-1 never was
			return fmt.Errorf("%+v, %w", all, err)
		}
		return nil
	})
}
