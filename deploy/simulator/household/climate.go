package household

import (
	"math"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const latitude = 47.47 * math.Pi / 180 // Angers

// winter is 1 in the middle of January, -1 in the middle of July.
func winter(date civil.Date) float64 {
	return math.Cos(2 * math.Pi * float64(yearDay(date)-15) / 365.25)
}

func yearDay(date civil.Date) int {
	return time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, time.UTC).YearDay()
}

// daylight returns sunrise and sunset in minutes of the local clock.
func daylight(date civil.Date, zone *time.Location) (rise, set float64) {
	declination := 23.44 * math.Pi / 180 * math.Sin(2*math.Pi*float64(284+yearDay(date))/365)
	half := math.Acos(-math.Tan(latitude)*math.Tan(declination)) * 12 / math.Pi * 60
	_, offset := date.Start(zone).Add(12 * time.Hour).Zone()
	noon := 12*60 + float64(offset)/60 + 2 // Angers is half a degree west of Greenwich
	return noon - half, noon + half
}

// Temperature is that of the air in the room where m hangs, in m°C; 0 for a
// meter that is not a room sensor. In winter it stays about what the household
// sets, in summer it follows the weather.
func (r *Residence) Temperature(m *Meter, at time.Time) metering.Amount {
	if m.Kind != metering.Temperature {
		return 0
	}
	set := between(r.chance(m.Dwelling, streamAir, 0), 19.3, 21.2)
	if r.byID[m.Dwelling].Has(ColdFlat) {
		set = 16
	}
	local := at.In(r.Zone)
	hour := float64(local.Hour()) + float64(local.Minute())/60 + float64(local.Second())/3600
	date := civil.DateOf(local)
	heated := 0.5 + 0.5*math.Tanh(4*(winter(date)+0.35)) // 1 while the boiler runs
	day := math.Cos(2 * math.Pi * (hour - 17) / 24)
	free := 22.5 - 3.5*winter(date) + 1.2*day + 2*r.noise(at, "", streamWeather)
	warmed := set + 0.35*day + 0.3*r.noise(at, m.Dwelling, streamAir)
	return metering.Amount(math.Round(1000 * (heated*warmed + (1-heated)*free)))
}

// noise is a smooth noise from -1 to 1: every day has a lot of its own and
// the hours between lead from one to the next.
func (r *Residence) noise(at time.Time, id DwellingID, stream uint64) float64 {
	hours := at.Sub(r.Epoch.Start(time.UTC)).Hours() / 24
	n, part := math.Floor(hours), hours-math.Floor(hours)
	a := r.chance(id, stream, uint64(int64(n))+1).Float64()
	b := r.chance(id, stream, uint64(int64(n))+2).Float64()
	ease := part * part * (3 - 2*part)
	return 2*(a+(b-a)*ease) - 1
}
