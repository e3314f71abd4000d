package household

import "math/rand/v2"

// Streams of chance that must not influence each other: a new appliance in the
// electricity stream must not move anybody's shower.
const (
	streamFlat uint64 = iota + 1
	streamPeople
	streamConsent
	streamMeter
	streamHabits
	streamAbsence
	streamRhythm
	streamWater
	streamPower
	streamAir
	streamWeather
)

// chance returns a source that depends on nothing but the seed and what it is
// for.
func (r *Residence) chance(id DwellingID, stream, n uint64) *rand.Rand {
	h := mix(r.Seed, stream)
	for _, c := range []byte(id) {
		h = mix(h, uint64(c))
	}
	return rand.New(rand.NewPCG(h, mix(h, n)))
}

// mix is the finaliser of splitmix64 over both words.
func mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// between returns a number in [low, high).
func between(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }

// likely reports true with probability p.
func likely(rng *rand.Rand, p float64) bool { return rng.Float64() < p }
