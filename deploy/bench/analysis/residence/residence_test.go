package residence_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A residence as small as can be: what its tenants see is what its meters counted.
func TestTenantsSeeWhatIsStored(t *testing.T) {
	if _, err := peer.Influxd(t.Context(), t.Output()); err != nil {
		testkit.Unavailable(t, "no InfluxDB: %v", err)
	}
	t.Chdir("../../../..")
	r, err := residence.New(t.Context(), residence.Plan{Dwellings: 3, HourlyDays: 3, Said: t.Output(), Verbose: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	checkStored(t, r)
	house, err := r.Settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = house.End() })
	stop, err := house.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	tenants, err := house.Tenants(t.Context())
	if err != nil || len(tenants) != 3 {
		t.Fatalf("%d tenants, %v; want 3", len(tenants), err)
	}
	for n, tenant := range tenants {
		used := r.Index(n, r.Today.Start(r.Zone)) - r.Index(n, r.Today.AddDays(-1).Start(r.Zone))
		want := map[bool]int{true: 1, false: 2}[n == r.LateDwelling()] // cold and hot water count alike
		if got := yesterdays(t, tenant, used); got != want {
			t.Errorf("the page of dwelling %d says %d times what was used yesterday, want %d", n, got, want)
		}
	}
	spent, err := house.Spent()
	if err != nil || spent.Program <= 0 || spent.InfluxDB <= 0 {
		t.Errorf("the processes worked %v, %v; want more than nothing", spent, err)
	}
	checkLate(t, house)
}

// The readings that come late are booked as measured.
func checkLate(t *testing.T, house *residence.House) {
	t.Helper()
	if err := house.Late(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := residence.Meter(metering.ColdWater, house.LateDwelling())
	from, to := house.Today.AddDays(-1).Start(house.Zone), house.Today.Start(house.Zone)
	found, err := house.Store.Consumption(t.Context(), influx.Daily, []metering.MeterID{id}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if got := found[id]; len(got) != 1 || got[0].Used != house.LateUsed() || got[0].Quality != metering.Measured {
		t.Errorf("yesterday is booked as %+v, want %d mL, measured", got, house.LateUsed())
	}
}

// yesterdays is how often a tenant's page says that so much was used yesterday.
func yesterdays(t *testing.T, tenant residence.Tenant, used metering.Amount) int {
	t.Helper()
	page, err := tenant.Home(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(string(page))
	return strings.Count(plain, fmt.Sprintf("Hier : %d litres.", (used+500)/1000))
}

func checkStored(t *testing.T, r *residence.Residence) {
	t.Helper()
	id := residence.Meter(metering.Heat, 1)
	for period, want := range map[influx.Period]int{influx.Hourly: 72, influx.Monthly: 13} {
		found, err := r.Store.Consumption(t.Context(), period, []metering.MeterID{id}, r.First.First().Start(r.Zone), r.Today.Start(r.Zone))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(found[id]); got < want-1 || got > want+1 || period == influx.Monthly && got != want {
			t.Errorf("%d %s periods, want %d", got, period, want)
		}
	}
}
