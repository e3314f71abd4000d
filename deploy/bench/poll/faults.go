package main

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/campaign"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

// The campaign's patience is scaled down to 40 ms so that a million reads end in
// minutes; answers are late in proportion. The bare library sleeps 14 to 23 ms
// in every read on a serial line, so it gets fewer reads of the same campaign.
const (
	campaignTimeout = 40 * time.Millisecond
	campaignLines   = 64
	bareReads       = 40_000
)

// faults runs the campaign on RTU and on TCP, and on the bare library beside.
func (c *commands) faults(ctx context.Context) ([]bench.Row, error) {
	var rows []bench.Row
	for _, framing := range []struct {
		name string
		tcp  bool
	}{{"campaign-rtu", false}, {"campaign-tcp", true}} {
		ours, err := campaign.Run(ctx, campaign.Options{TCP: framing.tcp, Reads: c.CampaignReads, Lines: campaignLines,
			Timeout: campaignTimeout, Seed: 2026, Open: openBus, Progress: c.progress(framing.name, c.CampaignReads)})
		if err != nil {
			return rows, err
		}
		bare := campaign.Options{TCP: framing.tcp, Reads: min(bareReads, c.CampaignReads), Lines: campaignLines, Timeout: campaignTimeout,
			Seed: 2026, Open: func(url string) (campaign.Reader, error) { return campaign.Bare(url, campaignTimeout) },
			Progress: c.progress(framing.name+", goburrow/modbus alone", min(bareReads, c.CampaignReads))}
		if !framing.tcp {
			bare.Slack = campaign.BareSlack
		}
		theirs, err := campaign.Run(ctx, bare)
		if err != nil {
			return rows, err
		}
		c.tell(ours)
		rows = append(rows, campaignRow(framing.name, ours, theirs))
	}
	return rows, nil
}

func openBus(url string) (campaign.Reader, error) {
	return modbus.Open(firmwareconfig.Bus{URL: url, Baud: 115200, Parity: "none", StopBits: 1, Timeout: campaignTimeout})
}

// campaignRow shows wrong contents in a million reads.
func campaignRow(name string, ours, theirs campaign.Result) bench.Row {
	perMillion := func(r campaign.Result) float64 { return 1e6 * float64(r.Wrong) / float64(max(1, r.Reads)) }
	return bench.New(bench.Row{Bench: name, Ours: perMillion(ours), Peer: bench.Figure(perMillion(theirs)),
		Limit: bench.Figure(0), Unit: "wrong in a million reads",
		Note: fmt.Sprintf("%d reads, %.2f %% of the readable ones read; goburrow/modbus alone: %d wrong in %d reads, %.2f %%",
			ours.Reads, 100*ours.Share(), theirs.Wrong, theirs.Reads, 100*theirs.Share())},
		bench.All("0 wrong, at least 99 % of the readable ones read, each fault in at least 1 % of the requests",
			func(bench.Row) bool { return ours.Wrong == 0 && ours.Share() >= 0.99 && ours.LeastFault() >= 0.01 }))
}

// tell prints how often each fault was met, and what was mixed up.
func (c *commands) tell(r campaign.Result) {
	for _, mixup := range r.Mixups {
		c.say("  wrong: %s", mixup)
	}
	c.say("  %d requests in %s; faults: %v", r.Requests, r.Took.Round(time.Second), r.Faults)
}

// progress says every ten seconds how far a campaign is.
func (c *commands) progress(name string, all int) func(int) {
	said := make(chan time.Time, 1)
	said <- time.Now()
	return func(done int) {
		last := <-said
		if time.Since(last) > 10*time.Second {
			c.say("  %s: %d of %d reads", name, done, all)
			last = time.Now()
		}
		said <- last
	}
}
