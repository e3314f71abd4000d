package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A poison is a message that no gateway would send.
type poison struct {
	what  string
	topic string
	load  []byte
}

// poisonSpool is the spool from which poison claims to come.
const poisonSpool wire.SpoolID = "poison"

// poisons makes one of each kind. Nothing of them may ever be stored under a
// meter of the residence.
func poisons(chance *rand.Rand, site metering.SiteID, gateway metering.GatewayID, meter metering.MeterID) []poison {
	here := wire.Source{Site: site, Gateway: gateway}.Topic(wire.ReadingsChannel)
	stranger := wire.Source{Site: site, Gateway: "gw-stranger"}.Topic(wire.ReadingsChannel)
	noise := make([]byte, 200+chance.IntN(2000))
	for i := range noise {
		noise[i] = byte(chance.UintN(256))
	}
	seq := 1 + chance.IntN(1_000_000)
	head := fmt.Sprintf(`[{"bver":26,"n":"spool","vs":%q},{"n":"seq","v":%d}`, poisonSpool, seq)
	at := time.Now().Add(-time.Hour).UnixMilli()
	record := func(id, quantity, unit string, at int64, number string) []byte {
		return fmt.Appendf(nil, `%s,{"n":"%s/%s","u":%q,"t":%d.%03d,"v":%s}]`, head, id, quantity, unit, at/1000, at%1000, number)
	}
	good := record(string(meter), "index", "Wh", at, "1")
	return []poison{
		{"noise", here, noise},
		{"an empty message", here, nil},
		{"half a pack", here, good[:len(good)/2]},
		{"JSON that is no pack", here, []byte(`{"index":[1,2,3]}`)},
		{"a pack without end", here, bytes.Repeat([]byte(`[`), 100_000)},
		{"a pack of more than a megabyte", here, append(good, bytes.Repeat([]byte(" "), wire.MaxPackBytes)...)},
		{"a quantity that there is not", here, record(string(meter), "colour", "Wh", at, "1")},
		{"a number that is none", here, record(string(meter), "index", "Wh", at, "1e999")},
		{"half a watt-hour", here, record(string(meter), "index", "Wh", at, "0.5")},
		{"an index below zero", here, record(string(meter), "index", "Wh", at, "-5")},
		{"an instant in 1970", here, record(string(meter), "index", "Wh", 1000, "1")},
		{"an instant in years", here, record(string(meter), "index", "Wh", at+1000*24*3600*1000, "1")},
		{"another gateway's meter", stranger, good},
		{"a topic of no gateway", "xnet/v1/" + string(site) + "//readings", good},
	}
}
