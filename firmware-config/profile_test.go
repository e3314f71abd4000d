package firmwareconfig_test

import (
	"strings"
	"testing"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

func TestEveryProfileIsSound(t *testing.T) {
	names := firmwareconfig.Profiles()
	if len(names) < 3 {
		t.Fatalf("profiles %v, want those of electricity, pulses and temperature", names)
	}
	for _, name := range names {
		p, err := firmwareconfig.LoadProfile(name)
		if err != nil {
			t.Errorf("%v", err)
		}
		if p.Name != name || p.Maker == "" || p.Model == "" {
			t.Errorf("profile %s: name, maker and model are %q, %q, %q", name, p.Name, p.Maker, p.Model)
		}
	}
}

func TestProfileFaults(t *testing.T) {
	const sound = "source: s\nconfidence: A\nfunction: 3\nlimit: 20\nregisters: [{address: 1, type: u32, unit: Wh, quantity: index}]\n"
	if _, err := firmwareconfig.ParseProfile("p", []byte(sound)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"unknown key", "source: s", "source: s\nsauce: s", "sauce"},
		{"unknown type", "type: u32", "type: u24", `type "u24"`},
		{"unknown unit", "unit: Wh", "unit: J", `unit "J"`},
		{"unknown quantity", "quantity: index", "quantity: volume", `quantity "volume"`},
		{"scale that is no number", "unit: Wh", "unit: Wh, scale: ten", `scale "ten"`},
		{"scale that fills the memory", "unit: Wh", "unit: Wh, scale: 1e999999999", `scale "1e999999999"`},
		{"unit of another quantity", "unit: Wh", "unit: W", `unit "W" does not suit index`},
		{"unit of another kind", "source: s", "source: s\nkind: cold_water", `unit "Wh" does not suit index of "cold_water"`},
		{"quantity twice", "registers: [", "registers: [{address: 9, type: u16, unit: Wh, quantity: index}, ", "shows index twice"},
		{"overlapping registers", "registers: [", "registers: [{address: 0, type: u32, unit: W, quantity: power}, ", "line 5, column 74: register at 0x0001: overlaps power at 0x0000"},
		{"place of a register", "unit: Wh", "unit: Xh", "line 5, column 23: register at 0x0001"},
		{"place of an unknown key", "unit: Wh", "units: Wh", "[5:"},
		{"confidence", "confidence: A", "confidence: sure", "want A, B, C, D or site"},
		{"register's confidence", "unit: Wh", "unit: Wh, confidence: E", `confidence "E"`},
		{"alarm number", "unit: Wh", "unit: Wh, none_numbers: [many]", "none_numbers \"many\""},
		{"negative modulus", "unit: Wh", "unit: Wh, modulus: -1", "modulus"},
		{"negative pause", "source: s", "source: s\npause: -1s", "pause"},
		{"serial parity", "source: s", "source: s\nserial: {baud: 9600, parity: mark}", `serial.parity "mark"`},
		{"no registers", "registers: [{address: 1, type: u32, unit: Wh, quantity: index}]", "registers: []", "no registers"},
		{"probe without words for people", "source: s", "source: s\nprobe: [{address: 1, type: u16, range: [1, 2]}]", "what: say"},
		{"probe without expectation", "source: s", "source: s\nprobe: [{what: w, address: 1, type: u16}]", "want a range"},
		{"probe range backwards", "source: s", "source: s\nprobe: [{what: w, address: 1, type: u16, range: [2, 1]}]", "want a range"},
		{"probe text without length", "source: s", "source: s\nprobe: [{what: w, address: 1, type: text, begins: [a]}]", "1 to 125 words"},
		{"probe absent and certain", "source: s", "source: s\nprobe: [{what: w, address: 1, type: u16, absent: true, certain: true}]", "never certain"},
		{"probe of another function", "source: s", "source: s\nprobe: [{what: w, function: 6, address: 1, type: u16, range: [1, 2]}]", "want 3, 4 or 43"},
		{"probe beyond the last address", "source: s", "source: s\nprobe: [{what: w, address: 65535, type: u32, range: [1, 2]}]", "last address"},
		{"identity without a name", "source: s", "source: s\nprobe: [{what: w, function: 43}]", "begins"},
		{"order", "unit: Wh", "unit: Wh, order: BACD", `order "BACD"`},
		{"beyond the last address", "address: 1", "address: 65535", "last address"},
		{"limit", "limit: 20", "limit: 200", "limit 200"},
		{"function", "function: 3", "function: 6", "function 6"},
		{"sentinel of another length", "unit: Wh", `unit: Wh, none: ["FFFF"]`, "8 hexadecimal digits"},
		{"no source", "source: s\n", "", "source"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := firmwareconfig.ParseProfile("p", []byte(strings.Replace(sound, tt.from, tt.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestUnknownProfileListsTheKnownOnes(t *testing.T) {
	_, err := firmwareconfig.LoadProfile("sdm9000")
	if err == nil || !strings.Contains(err.Error(), "pulse-counter-4") {
		t.Errorf("got %v, want the list of profiles", err)
	}
}

func TestTypesHaveTheirLength(t *testing.T) {
	for name, want := range map[firmwareconfig.Type]uint16{"u16": 1, "i16": 1, "bcd16": 1, "u32": 2, "i32": 2, "f32": 2, "bcd32": 2,
		"u48": 3, "i48": 3, "bcd48": 3, "u64": 4, "i64": 4, "f64": 4, "bcd64": 4, "u8": 0, "": 0, "f16": 0} {
		if got := name.Words(); got != want {
			t.Errorf("%q has %d words, want %d", name, got, want)
		}
	}
}

// What ships is honest about where it comes from, and whoever is asked for pulses
// gets a modulus only where one is known.
func TestShippedProfilesAreComplete(t *testing.T) {
	names := firmwareconfig.Profiles()
	if len(names) < 25 {
		t.Errorf("%d profiles, want at least 25", len(names))
	}
	kinds := map[string]int{}
	for _, name := range names {
		p, err := firmwareconfig.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		kinds[string(p.Kind)]++
		if p.Confidence == firmwareconfig.Doubtful {
			t.Errorf("%s is doubtful as a whole: it must not ship", name)
		}
		if p.Confidence != firmwareconfig.SiteMade && len(p.Probe) == 0 {
			t.Errorf("%s has no probe: a scan could never propose it", name)
		}
		if p.Confidence == firmwareconfig.OneSource && p.Note == "" {
			t.Errorf("%s stands on one source and does not say what to look out for", name)
		}
		if len(p.Of(0, false)) == 0 && len(p.Of(1, false)) == 0 {
			t.Errorf("%s has nothing to read", name)
		}
	}
	for _, kind := range []string{"electricity", "heat", ""} {
		if kinds[kind] < 3 {
			t.Errorf("%d profiles of kind %q, want several", kinds[kind], kind)
		}
	}
}
