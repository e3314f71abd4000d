package household

import "slices"

// A Story is something out of the ordinary that happens in a dwelling, so that
// a program which looks for it has something to find.
type Story string

// The stories. Days count from the epoch.
const (
	LeakingToilet    Story = "leaking-toilet"    // 25 L/h of cold water from day 340 on
	HighStandby      Story = "high-standby"      // 150 W more than the household needs, always
	ColdFlat         Story = "cold-flat"         // 16 °C in winter
	Careful          Story = "careful"           // far below the mean, without a leak
	NightWorker      Story = "night-worker"      // lives at night, without a leak
	ReplacedMeter    Story = "replaced-meter"    // a new cold-water meter on day 200
	Rollover         Story = "rollover"          // the cold-water register passes 99,999 L about day 150
	DeadMeter        Story = "dead-meter"        // the electricity meter answers until day 300
	Swapped          Story = "swapped"           // the list has the water meters of two flats crossed
	SilentGateway    Story = "silent-gateway"    // the gateway is silent from day 385 on
	Unmetered        Story = "unmetered"         // not equipped
	ChangedHousehold Story = "changed-household" // one moved out on day 250, another in
	Empty            Story = "empty"             // nobody lives here since day 120
)

// Stories lists every story, in the order in which people are shown them.
var Stories = []Story{
	LeakingToilet, HighStandby, ColdFlat, Careful, NightWorker, ReplacedMeter, Rollover,
	DeadMeter, Swapped, SilentGateway, Unmetered, ChangedHousehold, Empty,
}

// When the stories happen, in days after the epoch.
const (
	emptyDay         = 120
	rolloverDay      = 150
	replacedDay      = 200
	changedDay       = 250
	deadDay          = 300
	leakDay          = 340
	gatewaySilentDay = 385
)

// How strong they are.
const (
	leakMLPerHour = 25_000
	extraStandbyW = 150
	rolloverML    = 100_000 * 1000
)

// The flats of building B, staircase 2, that have a room sensor.
var sensorFlats = []DwellingID{"B2-02", "B2-03", "B2-05", "B2-07"}

// The two flats of the story Swapped: each one's water meters are listed for
// the other.
var swappedWith = map[DwellingID]DwellingID{"A2-05": "A2-06", "A2-06": "A2-05"}

// storiesOf tells what happens in a flat: the same in every residence, so that
// people find the leak behind the same door whatever the seed.
func storiesOf(id DwellingID) []Story {
	switch id {
	case "A1-03":
		return []Story{LeakingToilet}
	case "A1-06":
		return []Story{HighStandby}
	case "A1-08":
		return []Story{Careful}
	case "A2-02":
		return []Story{ReplacedMeter}
	case "A2-04":
		return []Story{Rollover}
	case "A2-05", "A2-06":
		return []Story{Swapped}
	case "A2-07":
		return []Story{ChangedHousehold}
	case "B1-04":
		return []Story{NightWorker}
	case "B1-05":
		return []Story{DeadMeter}
	case "B2-02":
		return []Story{ColdFlat}
	case "C1-02":
		return []Story{Empty}
	case "A2-08", "B1-08", "B2-08", "C1-08":
		return []Story{Unmetered}
	}
	if id[:2] == "C2" {
		return []Story{SilentGateway}
	}
	return nil
}

// mustBeFine reports whether the household has to have consented to every
// reading for the flat's story to be seen.
func mustBeFine(d *Dwelling) bool {
	for _, s := range []Story{LeakingToilet, HighStandby, Careful, NightWorker, ColdFlat,
		ReplacedMeter, Rollover, DeadMeter, Swapped} {
		if d.Has(s) {
			return true
		}
	}
	return slices.Contains(sensorFlats, d.ID)
}
