package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestReplacementThroughTheWholeChain: an installer replaces a meter, the gateway
// reads the new one, and what the household is shown over the event is exact: no
// litre too many, none too few.
func TestReplacementThroughTheWholeChain(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	list := home("swap", "Europe/Paris", map[string]string{"CW-1": "cold_water"})
	list["staff"] = []any{map[string]any{"id": "p-installer", "name": "Test Installer", "roles": []any{"installer"}}}
	s := newSystem(t, list)

	// The old meter is read until half an hour before it is taken down, the new one
	// from half an hour after it hangs: the dials tell what passed between.
	first := civil.DateIn(time.Now(), zone).AddDays(-6)
	at := first.AddDays(2).Start(zone).Add(10*time.Hour + 7*time.Minute)
	old := counter{from: first.Start(zone), to: at.Add(-30 * time.Minute), index: 98_765_432, step: 7_301}
	lastDial := old.last() + 4_321
	next := counter{from: at.Add(30 * time.Minute), to: first.AddDays(4).Start(zone).Add(time.Hour), index: 12_345 + 2_222, step: 5_003}

	newLogger(t, s, "swap", "Europe/Paris", map[string]string{"CW-1": "cold_water"}).takes(t, "CW-1", old)
	installer := s.signIn(t, "p-installer")
	installer.replace(t, "CW-1", map[string]any{"at": at.UTC().Format(time.RFC3339), "id": "CW-2", "serial": "2",
		"last": map[string]any{"index": lastDial}, "first": map[string]any{"index": 12_345}})
	newLogger(t, s, "swap", "Europe/Paris", map[string]string{"CW-2": "cold_water"}).takes(t, "CW-2", next)

	// The registry tells of the new meter within seconds; what came before is then
	// made up for.
	visitor := s.signIn(t, "p-swap")
	event, end := first.AddDays(2), first.AddDays(4)
	total := (lastDial - old.index) + (next.at(end.Start(zone)) - 12_345)
	onTheDay := (lastDial - old.at(event.Start(zone))) + (next.at(event.AddDays(1).Start(zone)) - 12_345)
	testkit.Eventually(t, time.Minute, func() error {
		days := visitor.daily(t, "cold_water", first.String(), end.String())
		var sum int64
		for _, d := range days {
			sum += d.used()
		}
		if d := days[event.String()]; sum != total || len(days) != 4 || d.used() != onTheDay || d.Coverage < 0.999 {
			return fmt.Errorf("%d days sum to %d mL, the dials to %d; the day of the replacement is %d mL over %.3f of it, want %d over all of it",
				len(days), sum, total, d.used(), d.Coverage, onTheDay)
		}
		return nil
	})
}

// A counter is a meter whose index grows by step every ten minutes.
type counter struct {
	from, to    time.Time
	index, step int64
}

func (c counter) at(instant time.Time) int64 {
	return c.index + c.step*int64(instant.Sub(c.from)/time.Minute)/10
}

func (c counter) last() int64 { return c.at(c.to) }

// takes imports what a counter showed.
func (l *logger) takes(t *testing.T, meter string, c counter) {
	t.Helper()
	text := "time,index_ml\n"
	for at := c.from; !at.After(c.to); at = at.Add(10 * time.Minute) {
		text += fmt.Sprintf("%s,%d\n", at.UTC().Format(time.RFC3339), c.at(at))
	}
	file := l.system.path(meter + ".csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.send(t, "--meter", meter, "--column", "index_ml", "--unit", "mL", "--means", "index", file)
}

// replace replaces a meter as an installer's program would.
func (v *visitor) replace(t *testing.T, meter string, sent map[string]any) {
	t.Helper()
	address := v.api + "/api/v1/meters/" + meter
	found, err := v.client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	found.Body.Close()
	body, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/replacement", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("If-Match", found.Header.Get("ETag"))
	request.Header.Set("Idempotency-Key", strings.Repeat("r", 16))
	response, err := v.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("replacement: %s, %v: %s", response.Status, err, said)
	}
}
