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
