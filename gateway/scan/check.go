package scan

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/registers"
)

// A result is what came of a check.
type result struct {
	holds   bool
	skipped bool   // this bus, or this slave, cannot be asked so
	shown   string // what was seen, for people
}

// check asks the slave what the check looks at. Its function is not 0.
func (p *prober) check(c firmwareconfig.Check) result {
	if c.Function == firmwareconfig.DeviceIdentity {
		return p.name(c)
	}
	r := p.ask(question{c.Function, c.Address, c.Length()})
	if r.outcome != answered {
		return result{holds: c.Absent && r.outcome != garbled, shown: c.What + ": not there"}
	}
	if c.Type == firmwareconfig.Text {
		return beginning(c, string(r.raw))
	}
	return number(c, r.raw)
}

// name asks for a device's own name, which few meters know: one that does not
// says nothing against the profile.
func (p *prober) name(c firmwareconfig.Check) result {
	name, ok := p.identity(c.Object)
	if !ok {
		return result{skipped: true}
	}
	return beginning(c, name)
}

func beginning(c firmwareconfig.Check, text string) result {
	seen := plain(text)
	for _, begin := range c.Begins {
		if strings.HasPrefix(seen, plain(begin)) {
			printable := strings.TrimSpace(strings.ReplaceAll(text, "\x00", ""))
			return result{holds: true, shown: fmt.Sprintf("%s %q", c.What, printable)}
		}
	}
	return result{}
}

// plain leaves out zero bytes and spaces and lowers the case.
func plain(text string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == 0 || r == ' ' {
			return -1
		}
		return r
	}, text))
}

func number(c firmwareconfig.Check, raw []byte) result {
	n, err := registers.Number(c.Type, c.Order, raw)
	if errors.Is(err, registers.ErrNoValue) {
		return result{holds: c.Absent, shown: c.What + ": no number"}
	}
	factor, scaleErr := c.Factor()
	if err != nil || scaleErr != nil {
		return result{}
	}
	if c.Absent {
		return result{holds: n.Sign() == 0, shown: c.What + ": 0"}
	}
	n.Mul(n, factor)
	seen, _ := n.Float64()
	return result{holds: seen >= c.Range[0] && seen <= c.Range[1], shown: fmt.Sprintf("%s %.6g", c.What, seen)}
}

// strength is how many bits of evidence it is that a check holds: one for what
// is there or is not, and the logarithm of how many contents there are over how
// many pass.
func strength(c firmwareconfig.Check) float64 {
	if c.Absent {
		return 1
	}
	return 1 + rarity(c)
}

func rarity(c firmwareconfig.Check) float64 {
	switch {
	case c.Type == firmwareconfig.Text || c.Function == firmwareconfig.DeviceIdentity:
		return 8 * float64(len(plain(c.Begins[0])))
	case c.Type == "f32":
		return 32 - math.Log2(floats(c, func(f float64) float64 { return float64(math.Float32bits(float32(f))) }))
	case c.Type == "f64":
		return 64 - math.Log2(floats(c, func(f float64) float64 { return float64(math.Float64bits(f)) }))
	default:
		return 16*float64(c.Length()) - math.Log2(integers(c))
	}
}

// floats counts the floats within the range: among floats of one sign those
// that are greater have the greater pattern.
func floats(c firmwareconfig.Check, pattern func(float64) float64) float64 {
	low, high := unscaled(c)
	count := 1 + pattern(math.Max(high, 0)) - pattern(math.Max(low, 0))
	if low < 0 {
		count += pattern(-low) - pattern(math.Max(-high, 0))
	}
	return count
}

func integers(c firmwareconfig.Check) float64 {
	low, high := unscaled(c)
	return 1 + math.Floor(high) - math.Ceil(low)
}

// unscaled is the range in counts of the register.
func unscaled(c firmwareconfig.Check) (low, high float64) {
	factor, err := c.Factor()
	if err != nil {
		factor = big.NewRat(1, 1)
	}
	scale, _ := factor.Float64()
	return c.Range[0] / scale, c.Range[1] / scale
}
