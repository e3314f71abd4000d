package tenant

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func frenchTeller(t *testing.T) teller {
	t.Helper()
	return teller{Language: web.French(), home: consumption.Home{Zone: time.UTC, Today: day(t, "2026-03-18")}}
}

// Costs are told to the euro, and something is never told as nothing.
func TestAbout(t *testing.T) {
	teller := frenchTeller(t)
	for cents, want := range map[int64]string{0: "environ 0\u00a0€", 1: "moins d’un euro", 49: "moins d’un euro", 50: "environ 1\u00a0€", 149: "environ 1\u00a0€", 1693: "environ 17\u00a0€"} {
		if got := teller.about(cents); got != want {
			t.Errorf("%d cents: %q, want %q", cents, got, want)
		}
	}
}

// Below ten euros the cents alone say what a sum comes to.
func TestRounded(t *testing.T) {
	teller := frenchTeller(t)
	for cents, want := range map[int64]string{42: "0,42 €", 149: "1,49 €", 999: "9,99 €", 1000: "10,00 €, soit environ 10 €", 1337: "13,37 €, soit environ 13 €"} {
		if got := plain(teller.rounded(cents)); got != want {
			t.Errorf("%d cents: %q, want %q", cents, got, want)
		}
	}
}

// Who has one meter is not told of several, and everybody of whom to call.
func TestUncheckedHeadline(t *testing.T) {
	const then = " Nous ne comparons donc pas. Pour savoir quand : appelez-nous."
	for n, want := range map[int]string{1: "Votre compteur n’est pas encore vérifié.", 3: "Vos compteurs ne sont pas encore tous vérifiés."} {
		teller := frenchTeller(t)
		teller.home.Series = make([]consumption.Series, n)
		if got := plain(teller.headline(nil, true).Sentence); got != want+then {
			t.Errorf("%d kinds: %q, want %q", n, got, want+then)
		}
	}
}

// A price is written with all its digits, and an amount to the cent.
func TestPrices(t *testing.T) {
	teller := frenchTeller(t)
	for micro, want := range map[int64]string{4_690_000: "4,69\u00a0€/m³", 12_000_000: "12,00\u00a0€/m³", 101_920: "0,10192\u00a0€/m³", 1: "0,000001\u00a0€/m³"} {
		if got := teller.price(metering.Price{MicroEUR: micro, Per: "m3"}); got != want {
			t.Errorf("%d: %q, want %q", micro, got, want)
		}
	}
}

// Hot water is water and its heat, of which only a part may follow the meter.
func TestWhyCostOfHotWater(t *testing.T) {
	line := func(of metering.CostPart, wh, micro, price int64, per string) metering.CostLine {
		return metering.CostLine{Of: of, From: "2026-03-01", To: "2026-03-18", Used: 2_000_000, WhPerM3: wh, SharePercent: 70, MicroEUR: micro,
			Price: metering.Price{MicroEUR: price, Per: per, From: "2025-07-01"}, Bill: metering.Charges, Estimated: wh > 0}
	}
	e := metering.Explanation{Kind: metering.HotWater, Cost: &metering.Cost{ChargesCents: 1337, Lines: []metering.CostLine{
		line(metering.CostOfWater, 0, 6_566_000, 4_690_000, "m3"), line(metering.CostOfHeat, 46_500, 6_803_000, 104_500, "kWh")}}}
	want := &whyCost{
		Prices: []whyPrice{
			{Name: "Prix de l’eau, du 1er\u00a0mars au 17\u00a0mars", Title: "Coût", Cost: "6,57\u00a0€", Rows: []whyRow{
				{Name: "Consommation", Factor: "2,000\u00a0m³"}, {Name: "Prix", Since: "depuis le 1er\u00a0juillet 2025", Factor: "×\u00a04,69\u00a0€/m³"},
				{Name: "Part qui suit votre compteur", Factor: "×\u00a070\u00a0%"}}},
			{Name: "Prix de la chaleur, du 1er\u00a0mars au 17\u00a0mars", Title: "Coût", Cost: "6,80\u00a0€", Rows: []whyRow{
				{Name: "Consommation", Factor: "2,000\u00a0m³"}, {Name: "Chaleur pour un m³", Factor: "×\u00a046,5\u00a0kWh/m³"},
				{Name: "Prix", Since: "depuis le 1er\u00a0juillet 2025", Factor: "×\u00a00,1045\u00a0€/kWh"}, {Name: "Part qui suit votre compteur", Factor: "×\u00a070\u00a0%"}},
				Soft: []string{"Le prix a changé. Nous partageons la consommation par jour, à parts égales."}},
		},
		Totals:  []string{"13,37\u00a0€, soit environ 13\u00a0€, dans vos charges"},
		Caution: "L’abonnement n’est pas compris. C’est une estimation, pas une facture.",
	}
	if diff := cmp.Diff(want, frenchTeller(t).whyCost(e)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Amounts of the first words add up to those below, and bills stay apart.
func TestTold(t *testing.T) {
	teller := frenchTeller(t)
	var s sums
	for title, c := range map[string]metering.Cost{"Eau froide": {ChargesCents: 345}, "Électricité": {SupplierCents: 1693}, "Eau chaude": {ChargesCents: 349}} {
		c.Lines = []metering.CostLine{{Bill: metering.Charges}}
		if c.SupplierCents > 0 {
			c.Lines[0].Bill = metering.Supplier
		}
		one := card{Title: title, Big: "1", When: "depuis le 1er\u00a0mars", Cost: teller.cost(metering.Explanation{Cost: &c}, "depuis le 1er\u00a0mars")}
		if s.add(one); title == "Électricité" {
			continue
		}
		if got := one.Cost.Lines[0].Euros; got != "environ 3\u00a0€" {
			t.Errorf("%s: %q", title, got)
		}
	}
	s.add(card{Title: "Chauffage", Big: "480\u00a0kWh", Cost: &cost{None: "…"}})
	got := teller.told(s)
	if len(got) != 2 || got[0].Euros != "environ 6\u00a0€" || got[1] != (billed{"environ 17\u00a0€", "depuis le 1er\u00a0mars, chez votre fournisseur\u00a0: électricité"}) {
		t.Errorf("told %+v", got)
	}
}

// What is paid and what is expected are told in the same steps, so that their
// difference is the one that is told.
func TestOutlookAddsUp(t *testing.T) {
	paid := int64(81_234)
	o := charges.Outlook{Year: 2026, LowCents: 84_900, HighCents: 91_100, ProvisionCents: &paid, Kinds: []metering.Kind{metering.ColdWater}}
	got := frenchTeller(t).tellOutlook(o)
	want := []string{"environ 810 €", "Entre 845 et 915 €", "Vos provisions ne suffiront sans doute pas. À la fin de l’année, il peut manquer de 35 € à 105 €. Appelez-nous : nous cherchons une solution avec vous."}
	if diff := cmp.Diff(want, []string{plain(got.Paid), plain(got.Range), plain(got.Verdict)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if paid != 81_234 {
		t.Errorf("what is paid became %d", paid)
	}
}

// A column in which nothing stands is left out; each bar has a line, be it the grey one
// of a month to come.
func TestColumnOfLastYear(t *testing.T) {
	slots := []slot{{name: "novembre", label: "nov", used: 2000, known: true}, {name: "décembre", label: "déc", coming: true}}
	teller := frenchTeller(t)
	if c := teller.draw(metering.ColdWater, slots, byMonth(metering.ColdWater), noLink); c.HasColumn || c.HasBefore || len(c.Table) != 1 {
		t.Errorf("nothing known of last year: column %t, grey bars %t, lines %+v", c.HasColumn, c.HasBefore, c.Table)
	}
	slots[1].before, slots[1].beforeKnown = 3000, true
	c := teller.draw(metering.ColdWater, slots, byMonth(metering.ColdWater), func(slot) string { return "/" })
	want := []row{{Name: "novembre", Used: "2\u00a0litres", Link: "/"}, {Name: "décembre", Used: "–", Before: "3\u00a0litres"}}
	if diff := cmp.Diff(want, c.Table); diff != "" || !c.HasColumn || !c.HasBefore {
		t.Errorf("column %t, grey bars %t, lines (-want +got):\n%s", c.HasColumn, c.HasBefore, diff)
	}
}

// Who divides the one figure shown by the other finds the share.
func TestShareOfSimilarHomesIsOfTheShownFigures(t *testing.T) {
	for _, tt := range []struct {
		own, others metering.Amount
		want        string
		well        bool
	}{
		{38_400, 35_900, "6 %", false},
		{37_600, 36_400, "à peu près", false},
		{30_000, 36_000, "Bravo", true},
		{99_600, 40_400, "2,5 fois", false},
		{100, 98, "à peu près", false}, // 0,1 litre both
		{500, 0, "", false},
	} {
		s := consumption.Typical{Used: tt.others}
		if said, well := frenchTeller(t).verdict(metering.ColdWater, s, tt.own); !strings.Contains(plain(said), tt.want) || well != tt.well || tt.want == "" && said != "" {
			t.Errorf("%d beside %d: %q, praise %t, want %q", tt.own, tt.others, said, well, tt.want)
		}
	}
}
