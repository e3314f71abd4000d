package e2e_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What a day and the day that runs use in the home of the tasks, and the price.
const (
	litresADay     metering.Amount  = 1_000_000
	litresSoFar    metering.Amount  = 500_000
	eurosACubic                     = 4
	taskMeter      metering.MeterID = "CW-tasks"
	firstTaskIndex metering.Amount  = 20_000_000
)

// TestTasksOfATenant does in a real browser what tenants come for, by the words on
// the page alone: sign in with the letter, find this month's cost and why, understand
// an alert and act, refuse a tip, take a consent back.
func TestTasksOfATenant(t *testing.T) {
	list := home("tasks", "Europe/Paris", map[string]string{string(taskMeter): "cold_water"})
	list["tariffs"] = []any{map[string]any{"kind": "cold_water", "from": "2020-01-01", "bill": "charges", "price_micro_eur": eurosACubic * 1_000_000, "source": "exemple"}}
	household := list["dwellings"].([]any)[0].(map[string]any)["households"].([]any)[0].(map[string]any)
	household["consents"] = []any{"daily_follow_up", "fine_curve", "personal_advice"}
	s := newSystem(t, list)
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s.count(t, now.In(zone))
	db, err := sqldb.Open(t.Context(), s.path("api.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	check(t, db)
	must(t, "api", "nightly", "--config", s.path("api.yaml")) // the API itself does this morning no more
	openLeak(t, db, civil.DateIn(now, zone), zone)
	proposeTip(t, db, civil.DateIn(now, zone))

	printed := must(t, "api", "invite", "--config", s.path("api.yaml"), "p-tasks")
	_, code, _ := strings.Cut(strings.TrimSpace(printed), " ")
	p := webtest.Sit(t, s.api, code)
	p.Reads("Bonjour Test")
	findCost(t, p, civil.DateIn(now, zone))
	actOnLeak(p)
	refuseTip(p)
	takeBack(p)
}

// count writes what the meter counted in the days before now, and shows now.
func (s *system) count(t *testing.T, now time.Time) {
	t.Helper()
	c := influx.DefaultConfig()
	c.URL, c.Keep = s.influx.URL, influx.Retention{}
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	today, index := civil.DateOf(now), firstTaskIndex
	var days []influx.Consumption
	for day := today.AddDays(-40); day.Before(today); day = day.AddDays(1) {
		index += litresADay
		days = append(days, influx.Consumption{Meter: taskMeter, Start: day.Start(now.Location()), Used: litresADay, Index: index})
	}
	if err := client.WriteConsumption(t.Context(), influx.Daily, days); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteReadings(t.Context(), []metering.Reading{{Meter: taskMeter, Quantity: metering.Index, At: now, Amount: index + litresSoFar}}); err != nil {
		t.Fatal(err)
	}
}

// check writes that an installer checked the meter.
func check(t *testing.T, db *sql.DB) {
	t.Helper()
	sqldbtest.Exec(t, db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state) SELECT meter_id, point_id, from_ms, 'verified' FROM binding WHERE meter_id = $1`, string(taskMeter))
}

// openLeak opens the case of a cistern that runs since four days.
func openLeak(t *testing.T, db *sql.DB, today civil.Date, zone *time.Location) {
	t.Helper()
	since, last := today.AddDays(-4).Start(zone), today.Start(zone)
	f := alerts.Finding{Cause: alerts.Cause{Subject: alerts.Water, Point: metering.PointID("tasks." + string(taskMeter))}, Source: alerts.FromQuietFlow,
		Class: alerts.RunningCistern, Flow: alerts.Flow{Low: 24_000, Likely: 25_000, High: 26_000}, Since: alerts.Since{Earliest: since, Latest: since}, Last: last,
		Nights: 2, Level: 2, DayWindow: time.Hour, Window: time.Hour, Smallest: 2_000,
		Why: metering.Explanation{Kind: metering.ColdWater, Unit: metering.Millilitre, Used: 25_000, Coverage: 1}}
	opened, err := alerts.NewStore(db).Take(t.Context(), alerts.Verdict{Outcome: alerts.Alarm, Finding: f}, "h-tasks", last)
	if err != nil || !opened {
		t.Fatalf("case opened: %t, %v", opened, err)
	}
}

// proposeTip proposes a tip as a morning's run does.
func proposeTip(t *testing.T, db *sql.DB, today civil.Date) {
	t.Helper()
	finding, err := json.Marshal(tips.Finding{Figures: map[string]float64{"l_per_person_day": 140, "similar_l_per_person_day": 100, "people": 1, "people_days_per_year": 365}, From: today.AddDays(-14), To: today,
		Kinds: []metering.Kind{metering.ColdWater}, Quality: metering.Measured, Coverage: 1})
	if err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, db, `INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, proposed_date, chosen_date, place, score, finding, first_date, last_date)
		SELECT 'tip-tasks', household_id, id, 'shorter_shower', 'proposed', $1, $1, $1, 1, 1, $2, $3, $4 FROM tenancy WHERE household_id = 'h-tasks'`,
		today.String(), string(finding), today.AddDays(-14).String(), today.AddDays(-1).String())
}

// findCost: how much is this month, on which bill, and why?
func findCost(t *testing.T, p *webtest.Sitter, today civil.Date) {
	t.Helper()
	cubic := float64(metering.Amount(today.Day-1)*litresADay+litresSoFar) / 1e6
	euros := fmt.Sprintf("environ %.0f €", cubic*eurosACubic)
	since, reckoned := " depuis le 1er", "soit "+euros
	if today.Day == 1 {
		since = " aujourd’hui, jusqu’à maintenant"
	}
	if cubic*eurosACubic < 10 { // small enough to be told once
		reckoned = strings.Replace(fmt.Sprintf("%.2f €", cubic*eurosACubic), ".", ",", 1)
	}
	p.Reads(euros+since, "dans vos charges", "C’est une estimation, pas une facture.", "Une question ? Test est au 01 00 00 00 00")
	p.PressUnder("Eau froide", "Pourquoi ce chiffre ?")
	p.Reads("Différence", strings.Replace(fmt.Sprintf("= %.3f m³", cubic), ".", ",", 1), "× 4,00 €/m³", reckoned)
}

// actOnLeak: what runs, since when, what to do, whom to call?
func actOnLeak(p *webtest.Sitter) {
	p.Press("Mes alertes")
	p.Reads("De l’eau coule sans arrêt chez vous", "entre 24 et 26 litres par heure", "Cela a commencé le", "ont coulé pour rien", "dans vos charges",
		"Regarder les toilettes", "Fermer l’arrivée d’eau", "Appelez Test au 01 00 00 00 00")
	p.Press("J’ai vérifié, il y a une fuite")
	p.Reads("Merci. Appelez-nous pour la réparation.", "C’est une fuite")
	p.Press("C’est réparé")
	p.Reads("Merci. Les deux prochaines nuits le montreront.")
}

func refuseTip(p *webtest.Sitter) {
	p.Press("Mon logement")
	p.Reads("Vos conseils")
	p.Press("Pas chez moi")
	p.Reads("C’est noté. Ce conseil ne reviendra plus.")
	p.Misses("Je le fais")
	p.Press("Mes conseils")
	p.Reads("Vos réponses", "Pas chez vous")
}

// takeBack withdraws the consent to be read finely.
func takeBack(p *webtest.Sitter) {
	const heading, words = "Voir mes chiffres heure par heure", "Je ne suis plus d’accord"
	p.Press("Mes données")
	p.Reads(heading)
	p.PressUnder(heading, words)
	p.PressUnder(heading, words)
	p.Reads("C’est fait. Votre oui est retiré.")
}
