package household

import "math/rand/v2"

// habits are what tells one household from another.
type habits struct {
	rhythms []rhythm

	showerMLPerMin float64
	showerMin      float64
	flushML        float64 // a full flush
	dualFlush      bool
	thrift         float64 // factor on what runs from taps
	dishwasher     bool
	dryer          bool
	loadsPerWeek   float64

	standbyW, fridgeW, lightW, televisionW, deskW float64
	cookWh                                        float64 // a dinner
	extraW                                        float64
	nights                                        bool
}

// A rhythm is a person's day in minutes of the local clock.
type rhythm struct {
	age           Age
	wake, bed     float64
	leave, back   float64 // of work or school; both 0 for who has neither
	eveningShower bool
	showers       float64 // a day
	nights        bool
}

func newHabits(d *Dwelling, ages []Age, rng *rand.Rand) habits {
	people := float64(len(ages))
	h := habits{
		showerMLPerMin: between(rng, 7_500, 11_500),
		showerMin:      between(rng, 5.5, 8),
		flushML:        []float64{6_000, 7_500, 9_000, 12_000}[rng.IntN(4)],
		thrift:         between(rng, 0.85, 1.25),
		dishwasher:     likely(rng, 0.25+0.1*people),
		dryer:          people >= 3 && likely(rng, 0.5),
		loadsPerWeek:   1 + people*between(rng, 0.8, 1.3),
		standbyW:       between(rng, 30, 60) + 6*people,
		fridgeW:        between(rng, 105, 180),
		lightW:         between(rng, 40, 70) + 15*people,
		televisionW:    between(rng, 70, 150),
		deskW:          between(rng, 25, 60),
		cookWh:         between(rng, 650, 950) + 140*people,
		nights:         d.Has(NightWorker),
	}
	h.dualFlush = h.flushML <= 7_500
	for _, age := range ages {
		h.rhythms = append(h.rhythms, newRhythm(age, h.nights, rng))
	}
	return h.told(d)
}

// told bends the habits to the stories of the dwelling.
func (h habits) told(d *Dwelling) habits {
	if d.Has(HighStandby) {
		h.extraW = extraStandbyW
	}
	if d.Has(Careful) {
		h.showerMLPerMin, h.showerMin = 6_000, 3.2
		h.flushML, h.dualFlush = 6_000, true
		h.thrift, h.loadsPerWeek, h.dishwasher, h.dryer = 0.5, 2, false, false
		h.standbyW, h.fridgeW, h.lightW, h.televisionW, h.cookWh = 12, 65, 25, 45, 350
	}
	return h
}

func newRhythm(age Age, nights bool, rng *rand.Rand) rhythm {
	b := rhythm{age: age, nights: nights, showers: between(rng, 0.75, 1), eveningShower: likely(rng, 0.4)}
	switch {
	case nights: // wakes in the afternoon, works until midnight, lives until morning
		b.wake, b.leave, b.back, b.bed = 15*60, 18*60, 23*60+50, 7*60+30
	case age == Child:
		b.wake, b.bed = between(rng, 410, 440), between(rng, 1230, 1320)
		b.leave, b.back = between(rng, 485, 505), between(rng, 990, 1050)
		b.eveningShower, b.showers = true, 0.6
	case age == Senior:
		b.wake, b.bed = between(rng, 375, 450), between(rng, 1290, 1370)
		b.showers = between(rng, 0.6, 0.9)
	default:
		b.wake, b.bed = between(rng, 345, 435), between(rng, 1335, 1410)
		if likely(rng, 0.65) {
			b.leave = b.wake + between(rng, 60, 90)
			b.back = between(rng, 1010, 1120)
		}
	}
	return b
}

// A span is [from, to) in minutes of the local clock.
type span struct{ from, to float64 }

// home returns when a person is at home and awake on a day, in order.
func (b rhythm) home(rng *rand.Rand, weekend bool) []span {
	shift := 8 * rng.NormFloat64()
	switch {
	case b.nights && weekend:
		return []span{{0, b.bed + shift}, {b.wake + shift, 24*60 - 1}}
	case b.nights:
		return []span{{5, b.bed + shift}, {b.wake + shift, b.leave + shift/2}}
	case weekend || b.leave == 0:
		return b.free(rng, shift, weekend)
	default:
		return []span{{b.wake + shift, b.leave + shift}, {b.back + 2*shift, b.bed + shift}}
	}
}

// free is a day without work: later up where one works, and often out for some
// hours.
func (b rhythm) free(rng *rand.Rand, shift float64, weekend bool) []span {
	wake, bed := b.wake+shift, min(b.bed+shift, 24*60-10)
	if weekend && b.leave > 0 {
		wake += between(rng, 50, 130)
		bed = min(bed+between(rng, 0, 30), 24*60-10)
	}
	if likely(rng, 0.4) {
		return []span{{wake, bed}}
	}
	out := between(rng, wake+90, 16*60)
	return []span{{wake, out}, {min(out+between(rng, 60, 240), bed-60), bed}}
}
