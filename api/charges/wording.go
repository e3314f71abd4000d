package charges

import (
	"embed"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

//go:embed texts
var texts embed.FS

// A Wording is the words of a note in one language.
type Wording struct {
	language string
	texts    map[string]string
	months   []string
}

// Languages lists the languages of notes; the first is spoken to who speaks none of
// them.
var Languages = []string{"fr", "en"}

// Words returns the wording of a language, French where notes do not speak it. An
// error is a fault of the catalogue.
func Words(language string) (Wording, error) {
	w := Wording{language: Languages[0], texts: map[string]string{}}
	for _, known := range Languages {
		if language == known {
			w.language = known
		}
	}
	text, err := texts.ReadFile("texts/" + w.language + ".yaml")
	if err != nil {
		return w, fmt.Errorf("texts of notes in %s: %w", w.language, err)
	}
	if err := yaml.UnmarshalWithOptions(text, &w.texts, yaml.Strict()); err != nil {
		return w, fmt.Errorf("texts of notes in %s: %w", w.language, err)
	}
	w.months = strings.Fields(w.texts["months"])
	if len(w.months) != monthsOfAYear {
		return w, fmt.Errorf("texts of notes in %s: months: want 12 names, got %d", w.language, len(w.months))
	}
	return w, nil
}

// Keys lists the keys of the catalogue, in no order.
func (w Wording) Keys() map[string]string { return w.texts }

// firm is a space that does not break: before a unit, and between thousands, for
// which the fonts of a page have no narrower one.
const firm = "\u00a0"

// say is a text with its verbs filled in, and the signs that stand apart in French
// bound to their word.
func (w Wording) say(key string, args ...any) string {
	text, ok := w.texts[key]
	if !ok {
		return "?" + key
	}
	if w.language == "fr" {
		text = strings.NewReplacer(" ?", firm+"?", " :", firm+":", " ;", firm+";", " !", firm+"!").Replace(text)
	}
	return fmt.Sprintf(text, args...)
}

func (w Wording) number(x float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	thousands, point := firm, ","
	if w.language == "en" {
		thousands, point = ",", "."
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + thousands + whole[at:]
	}
	if fraction != "" {
		whole += point + fraction
	}
	if x < 0 {
		whole = "−" + whole
	}
	return whole
}

// used writes a consumption: kWh, cubic metres, or litres where it is less than one.
func (w Wording) used(k metering.Kind, n metering.Amount) string {
	x := float64(n)
	switch {
	case k.IndexUnit() == metering.WattHour:
		return w.number(x/whPerKWh, decimals(x/whPerKWh)) + firm + "kWh"
	case n >= mlPerM3:
		return w.number(x/mlPerM3, 1) + firm + "m³"
	default:
		return w.number(x/1000, 0) + firm + "L"
	}
}

func decimals(x float64) int {
	if x < 10 {
		return 1
	}
	return 0
}

// euros rounds cents to whole euros, as costs are shown.
func (w Wording) euros(cents int64) string {
	return w.money(w.number(math.Round(float64(cents)/100), 0))
}

// money sets the sign of the euro where the language has it, as in "12 €" or "€12".
func (w Wording) money(number string) string {
	if w.language != "en" {
		return number + firm + "€"
	}
	if debt, below := strings.CutPrefix(number, "−"); below {
		return "−€" + debt
	}
	return "€" + number
}

// price writes a price as people read it, as in "0,1952 €/kWh".
func (w Wording) price(p metering.Price) string {
	places := 4
	if p.Per == perM3 {
		places = 2
	}
	return w.money(w.number(float64(p.MicroEUR)/1e6, places)) + "/" + strings.Replace(p.Per, "m3", "m³", 1)
}

func (w Wording) month(m civil.Month) string {
	return w.months[int(m.Month)-1] + firm + strconv.Itoa(m.Year)
}

func (w Wording) date(d civil.Date) string {
	day := strconv.Itoa(d.Day)
	if d.Day == 1 {
		day = w.texts["first"]
	}
	return day + firm + w.month(d.MonthOf())
}

// initial is the first letter of a month, below its bars.
func (w Wording) initial(m civil.Month) string {
	return strings.ToUpper(string([]rune(w.months[int(m.Month)-1])[:1]))
}

func (w Wording) percent(n int) string {
	if n < 0 {
		n = -n
	}
	if w.language == "en" {
		return strconv.Itoa(n) + "%"
	}
	return strconv.Itoa(n) + firm + "%"
}
