package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A format is how a language writes numbers and dates.
type format struct {
	thousands, point string
	list             rune      // between the cells of a line
	days             [7]string // from Sunday
	shortDays        [7]string
	months           [12]string
	shortMonths      [12]string
	first            string // the first day of a month
	several          float64
	spaced           *strings.Replacer // binds signs that stand apart to their word; nil where none do
}

// Spaces that do not break: before a unit, and between thousands.
const (
	narrow = "\u202f"
	firm   = "\u00a0"
)

var frenchFormat = format{
	thousands: narrow, point: ",", first: "1er", several: 2,
	spaced:      strings.NewReplacer(" ?", firm+"?", " !", firm+"!", " :", firm+":", " ;", firm+";", "« ", "«"+firm, " »", firm+"»"),
	list:        ';',
	shortDays:   [7]string{"dim", "lun", "mar", "mer", "jeu", "ven", "sam"},
	shortMonths: [12]string{"jan", "fév", "mar", "avr", "mai", "juin", "juil", "août", "sep", "oct", "nov", "déc"},
	days:        [7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	months:      [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
}

var englishFormat = format{
	thousands: ",", point: ".", first: "1", several: 1.0000001,
	list:        ',',
	shortDays:   [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
	shortMonths: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	days:        [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	months:      [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// Number writes x with so many decimals, as in "1 234,5".
func (l Language) Number(x float64, decimals int) string {
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "−", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + l.format.thousands + whole[at:]
	}
	if fraction != "" {
		whole += l.format.point + fraction
	}
	return sign + whole
}

const (
	mlPerLitre      = 1000
	mlPerCubicMetre = 1000 * mlPerLitre
	whPerKWh        = 1000
)

// Plain writes a number that has only digits and a point as the language's
// spreadsheets read it, as in "98,5".
func (l Language) Plain(number string) string { return strings.Replace(number, ".", l.format.point, 1) }

// ListSign stands between the cells of a line in a file for spreadsheets.
func (l Language) ListSign() rune { return l.format.list }

// Euros writes cents as whole euros, as in "12 €": more digits would claim what
// nobody knows.
func (l Language) Euros(cents int64) string {
	return l.Money(l.Number(math.Round(float64(cents)/100), 0))
}

// Money sets the sign of the euro beside a number of [Language.Number], as in "12 €",
// or "€12" and "−€12" in English.
func (l Language) Money(number string) string {
	if l.code != "en" {
		return number + firm + "€"
	}
	if debt, below := strings.CutPrefix(number, "−"); below {
		return "−€" + debt
	}
	return "€" + number
}

// Percent writes hundredths, as in "12 %", or "12%" in English.
func (l Language) Percent(hundredths float64) string {
	number := l.Number(hundredths, 0)
	if l.code == "en" {
		return number + "%"
	}
	return number + firm + "%"
}

// KWh writes an energy given in kWh with one decimal, or two below 1.
func (l Language) KWh(kwh float64) string {
	decimals := 1
	if kwh >= 100 || kwh == 0 {
		decimals = 0
	} else if kwh < 1 {
		decimals = 2
	}
	return l.Number(kwh, decimals) + firm + "kWh"
}

// WholeLitres writes a volume given in litres, as in "78 litres".
func (l Language) WholeLitres(litres float64) string {
	return l.Litres(metering.Amount(math.Round(litres)) * mlPerLitre)
}

// Cubic writes a volume given in litres in m³ with one decimal.
func (l Language) Cubic(litres float64) string {
	return l.Number(litres/1000, 1) + firm + "m³"
}

// Litres writes a volume in litres, as in "98 litres".
func (l Language) Litres(ml metering.Amount) string {
	grain, decimals := metering.Amount(mlPerLitre), 0
	if max(ml, -ml) < 10*mlPerLitre && ml%mlPerLitre != 0 {
		grain, decimals = mlPerLitre/10, 1
	}
	litres := float64(rounded(ml, grain)) / mlPerLitre
	word := "unit.litre"
	if math.Abs(litres) >= l.format.several || litres == 0 && l.code == "en" {
		word = "unit.litres"
	}
	return l.Number(litres, decimals) + firm + l.T(word)
}

// CubicMetres writes a volume in m³, as in "3,21 m³".
func (l Language) CubicMetres(ml metering.Amount) string {
	return l.Number(float64(ShownCubicMetres(ml))/mlPerCubicMetre, 2) + firm + "m³"
}

// KilowattHours writes an energy, as in "12,3 kWh".
func (l Language) KilowattHours(wh metering.Amount) string {
	grain, decimals := metering.Amount(whPerKWh/10), 1
	if max(wh, -wh) >= 100*whPerKWh {
		grain, decimals = whPerKWh, 0
	}
	return l.Number(float64(rounded(wh, grain))/whPerKWh, decimals) + firm + "kWh"
}

// rounded is a to the nearest multiple of a grain, half of one away from zero. A
// float cannot hold 2,405 and so falls to either side of the half.
func rounded(a, grain metering.Amount) metering.Amount {
	if a < 0 {
		return -rounded(-a, grain)
	}
	return (a + grain/2) / grain * grain
}

// OfDay writes what a kind of meter counted on a day: litres or kWh.
func (l Language) OfDay(k metering.Kind, used metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return l.KilowattHours(used)
	}
	return l.Litres(used)
}

// OnScale writes what stands beside a line of a chart of days, in litres or kWh
// without the unit, with as many decimals as it needs.
func (l Language) OnScale(k metering.Kind, a metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return l.scaled(float64(a) / whPerKWh)
	}
	return l.scaled(float64(a) / mlPerLitre)
}

// OnMonthScale does so for a chart of months, in m³ or kWh.
func (l Language) OnMonthScale(k metering.Kind, a metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return l.scaled(float64(a) / whPerKWh)
	}
	return l.scaled(float64(a) / mlPerCubicMetre)
}

func (l Language) scaled(x float64) string {
	decimals := 0
	for rest := x; decimals < 3 && rest != math.Trunc(rest); decimals++ {
		rest = math.Round(rest*10*1000) / 1000
	}
	return l.Number(x, decimals)
}

// OfMonth writes what a kind counted in a month: kWh, litres, or from a cubic
// metre on both, as in "3,21 m³ (3 210 litres)".
func (l Language) OfMonth(k metering.Kind, used metering.Amount) (first, second string) {
	switch {
	case k.IndexUnit() == metering.WattHour:
		return l.KilowattHours(used), ""
	case used < mlPerCubicMetre:
		return l.Litres(used), ""
	default:
		return l.CubicMetres(used), l.Litres(used)
	}
}

// ShownOfMonth is the figure that the first of [Language.OfMonth] shows: used,
// rounded as it is written there. Who takes one shown figure from another finds the
// difference of these.
func ShownOfMonth(k metering.Kind, used metering.Amount) metering.Amount {
	if k.IndexUnit() != metering.WattHour && used >= mlPerCubicMetre {
		return ShownCubicMetres(used)
	}
	return ShownOfDay(k, used)
}

// ShownOfDay is so the figure that [Language.OfDay] shows.
func ShownOfDay(k metering.Kind, used metering.Amount) metering.Amount {
	grain := metering.Amount(mlPerLitre)
	switch energy := k.IndexUnit() == metering.WattHour; {
	case energy && used >= 100*whPerKWh:
		grain = whPerKWh
	case energy:
		grain = whPerKWh / 10
	case used < 10*mlPerLitre:
		grain = mlPerLitre / 10
	}
	return rounded(used, grain)
}

// ShownCubicMetres is so the figure that [Language.CubicMetres] shows.
func ShownCubicMetres(ml metering.Amount) metering.Amount {
	return rounded(ml, mlPerCubicMetre/100)
}

// Dial writes an index as the meter's face shows it: m³ with three decimals, kWh
// with one.
func (l Language) Dial(k metering.Kind, index metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return l.Number(float64(index)/whPerKWh, 1) + firm + "kWh"
	}
	return l.Number(float64(index)/mlPerCubicMetre, 3) + firm + "m³"
}

// DialExact writes an index with all that was counted, to the litre or the
// watt-hour, so that who takes one from another finds the difference.
func (l Language) DialExact(k metering.Kind, index metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return l.Number(float64(index)/whPerKWh, 3) + firm + "kWh"
	}
	return l.Dial(k, index)
}

// Day writes a date without its year, as in "lundi 3 mars".
func (l Language) Day(d civil.Date) string {
	weekday := d.Start(time.UTC).Weekday()
	return l.format.days[weekday] + " " + l.DayOfMonth(d)
}

// ShortDay writes the day of the week in three letters, as in "lun".
func (l Language) ShortDay(d civil.Date) string {
	return l.format.shortDays[d.Start(time.UTC).Weekday()]
}

// ShortMonth writes the month in three or four letters, as in "fév".
func (l Language) ShortMonth(m civil.Month) string { return l.format.shortMonths[m.Month-1] }

// DayOfMonth writes a date without weekday and year, as in "1er mars".
func (l Language) DayOfMonth(d civil.Date) string {
	day := strconv.Itoa(d.Day)
	if d.Day == 1 {
		day = l.format.first
	}
	return day + firm + l.format.months[d.Month-1]
}

// Month writes a month, as in "mars 2026".
func (l Language) Month(m civil.Month) string {
	return l.format.months[m.Month-1] + firm + strconv.Itoa(m.Year)
}

// MonthName writes a month without its year, as in "mars".
func (l Language) MonthName(m civil.Month) string { return l.format.months[m.Month-1] }

// Clock writes the time of day, as in "21 h 05", or "21:05" in English. The instant
// must be in the zone in which it is told.
func (l Language) Clock(local time.Time) string {
	if l.code == "en" {
		return local.Format("15:04")
	}
	return strconv.Itoa(local.Hour()) + firm + "h" + firm + local.Format("04")
}

// Moment writes an instant with its distance from now, as in "il y a 8 secondes
// (14 h 03)", and with its date when it is older than an hour.
func (l Language) Moment(at, now time.Time, zone *time.Location) string {
	local := at.In(zone)
	switch ago := max(0, now.Sub(at)); {
	case ago < time.Second:
		return l.T("ago.now") + " (" + l.Clock(local) + ")"
	case ago < time.Minute:
		return l.count("ago.second", int(ago/time.Second)) + " (" + l.Clock(local) + ")"
	case ago < time.Hour:
		return l.count("ago.minute", int(ago/time.Minute)) + " (" + l.Clock(local) + ")"
	case civil.DateOf(local) == civil.DateIn(now, zone):
		return l.T("ago.today", l.Clock(local))
	default:
		return l.T("ago.day", l.Date(civil.DateOf(local), civil.DateIn(now, zone)), l.Clock(local))
	}
}

// Date writes a date as [Language.Day] does, with its year where it is not that
// of today.
func (l Language) Date(d, today civil.Date) string {
	if d.Year == today.Year {
		return l.Day(d)
	}
	return fmt.Sprintf("%s%s%d", l.Day(d), firm, d.Year)
}

func (l Language) count(key string, n int) string {
	if float64(n) >= l.format.several || n == 0 && l.code == "en" {
		key += "s"
	}
	return l.T(key, n)
}
