package modbus_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench/campaign"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

// TestCampaign is the short form of the million reads of make bench-poll: no
// fault or sequence of faults may make a wrong content pass, and next to nothing
// that can be read may be missed.
func TestCampaign(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tcp   bool
		reads int
	}{{"rtu", false, 20_000}, {"tcp", true, 20_000}} {
		t.Run(tt.name, func(t *testing.T) {
			const timeout = 20 * time.Millisecond
			got, err := campaign.Run(t.Context(), campaign.Options{TCP: tt.tcp, Reads: tt.reads, Lines: 16,
				Timeout: timeout, Seed: 1, Open: func(url string) (campaign.Reader, error) {
					return modbus.Open(firmwareconfig.Bus{URL: url, Baud: 115200, Parity: "none", StopBits: 1, Timeout: timeout})
				}})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d reads, %d requests, %d readable, %d of them read, %d wrong, in %s; faults %v",
				got.Reads, got.Requests, got.Readable, got.Good, got.Wrong, got.Took, got.Faults)
			if got.Wrong != 0 {
				t.Errorf("%d wrong contents, want none", got.Wrong)
			}
			// Timeouts of milliseconds are no measure under an emulator, which
			// runs the short form.
			if got.Share() < 0.99 && !testing.Short() {
				t.Errorf("%.2f %% of what can be read was read, want at least 99 %%", 100*got.Share())
			}
			if got.LeastFault() < 0.01 {
				t.Errorf("a kind of fault met %.2f %% of the requests, want at least 1 %%: %v", 100*got.LeastFault(), got.Faults)
			}
		})
	}
}
