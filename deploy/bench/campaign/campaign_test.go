package campaign_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench/campaign"
)

// A campaign that finds nothing in a library known to hand out late answers
// would prove nothing about ours.
func TestCampaignFindsWrongContents(t *testing.T) {
	const timeout = 20 * time.Millisecond
	got, err := campaign.Run(t.Context(), campaign.Options{Reads: 6000, Lines: 32, Timeout: timeout, Seed: 3,
		Slack: campaign.BareSlack,
		Open:  func(url string) (campaign.Reader, error) { return campaign.Bare(url, timeout) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v, %.1f %% of the readable ones read", got, 100*got.Share())
	if got.Wrong == 0 {
		t.Error("no wrong content, want some: the campaign does not see mix-ups")
	}
	if got.Reads != 6000 || got.Requests < got.Reads/2 {
		t.Errorf("%d reads and %d requests, want 6000 and most of as many", got.Reads, got.Requests)
	}
	for kind, n := range got.Faults {
		if n == 0 {
			t.Errorf("%s: never", kind)
		}
	}
}
