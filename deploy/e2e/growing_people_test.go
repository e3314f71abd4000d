package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// status asks an API as the visitor.
func (v *visitor) status(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := v.client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Error(err)
	}
	return response.StatusCode, text.String()
}

func (g *grown) testSessions(t *testing.T) {
	v := g.signIn(t, "p00") // at the first
	if status, text := v.status(t, http.MethodGet, g.apis[1]+"/", ""); status != http.StatusOK || !strings.Contains(text, "Dernière relève il y a") {
		t.Errorf("the home at the other API: %d\n%s", status, text)
	}
	thief := v.twin(t) // whoever has the cookie as well
	if status, _ := thief.status(t, http.MethodGet, g.apis[0]+"/api/v1/session", ""); status != http.StatusOK {
		t.Fatalf("the same cookie: %d", status)
	}
	if status, _ := v.status(t, http.MethodDelete, g.apis[1]+"/api/v1/session", ""); status != http.StatusNoContent {
		t.Errorf("sign out at the other: %d", status)
	}
	for _, api := range g.apis {
		if status, _ := thief.status(t, http.MethodGet, api+"/api/v1/session", ""); status != http.StatusUnauthorized {
			t.Errorf("after the sign-out at the second the cookie opens %s: %d", api, status)
		}
	}
	// A new invitation ends what was before, whoever signed in where.
	again := g.signIn(t, "p00")
	if status, _ := again.status(t, http.MethodGet, g.apis[1]+"/api/v1/session", ""); status != http.StatusOK {
		t.Fatalf("signed in again: %d", status)
	}
	g.signIn(t, "p00")
	if status, _ := again.status(t, http.MethodGet, g.apis[1]+"/api/v1/session", ""); status != http.StatusUnauthorized {
		t.Errorf("a session that the first API ended is known to the second: %d", status)
	}
}

// twin is a visitor with the same cookies.
func (v *visitor) twin(t *testing.T) *visitor {
	t.Helper()
	at, err := url.Parse(v.api)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(at, v.client.Jar.Cookies(at))
	return &visitor{client: &http.Client{Jar: jar}, api: v.api}
}

// testKey notes a campaign with one key at both APIs at once, again and again.
func (g *grown) testKey(t *testing.T) {
	_, code, _ := strings.Cut(strings.TrimSpace(must(t, "api", "admin", "--config", g.path("api.yaml"), "--name", "Ada Test")), " ")
	v := enter(t, g.apis[0], code)
	const campaign = `{"residence":"street","title":"Water","goal":"follow_up","audience":"all","channel":"poster","from":"2026-01-01","until":"2026-02-01","note":""}`
	post := func(i int) (int, string) {
		return v.status(t, http.MethodPost, g.apis[i%2]+"/api/v1/programme/campaigns", campaign, "Idempotency-Key", "k-1")
	}
	var all errgroup.Group
	for i := range 2 * homes {
		all.Go(func() error {
			// A conflict says that the other API is at it.
			if status, text := post(i); status != http.StatusCreated && status != http.StatusConflict {
				return fmt.Errorf("status %d: %s", status, text)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	first, text := post(0)
	second, again := post(1)
	if first != http.StatusCreated || second != http.StatusCreated || text != again {
		t.Errorf("one key is answered %d %s and %d %s", first, text, second, again)
	}
	var campaigns int
	if err := g.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM campaign`).Scan(&campaigns); err != nil || campaigns != 1 {
		t.Errorf("%d campaigns were noted, %v", campaigns, err)
	}
}

var judged = regexp.MustCompile(`: (\d+) homes judged, (\d+) done before`)

// night runs the night with both programs at once and adds up what they say.
func (g *grown) night(t *testing.T) (done, before int) {
	t.Helper()
	var all errgroup.Group
	said := [2]string{}
	for i := range 2 {
		all.Go(func() (err error) {
			var stderr string
			said[i], stderr, err = once(t, "api", "nightly", "--config", g.path("api.yaml"), "--wait=2m")
			if err != nil {
				err = fmt.Errorf("%w: %s", err, stderr)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, text := range said {
		match := judged.FindStringSubmatch(text)
		if match == nil {
			t.Fatalf("the night says %q", text)
		}
		n, _ := strconv.Atoi(match[1])
		m, _ := strconv.Atoi(match[2])
		done, before = done+n, before+m
	}
	return done, before
}

// testNight: what two programs judge together is each home, once. Both APIs look
// each minute beside, and may have been the first.
func (g *grown) testNight(t *testing.T) {
	done, before := g.night(t)
	if done+before != 2*homes || done != homes && done != 0 {
		t.Errorf("the two judged %d homes and found %d done, want each of %d judged at most once", done, before, homes)
	}
	if done, before := g.night(t); done != 0 || before != 2*homes {
		t.Errorf("once more: %d homes judged, %d done before", done, before)
	}
	var runs, judged int
	if err := g.db.QueryRowContext(t.Context(), `SELECT COUNT(*), (SELECT COUNT(*) FROM nightly_home) FROM nightly_run`).Scan(&runs, &judged); err != nil || runs != 1 || judged != homes {
		t.Errorf("%d runs of %d homes are written down, %v", runs, judged, err)
	}
}

// testOutbox keeps messages that both APIs look for.
func (g *grown) testOutbox(t *testing.T) {
	now := time.Now().UnixMilli()
	want := []string{}
	for i := range homes {
		person := fmt.Sprintf("q%02d", i)
		want = append(want, person+"@example.org")
		sqldbtest.Exec(t, g.db, `INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms)
			VALUES ($1, 'email', 'invitation', $2, $2, $3, 'waiting', 0, $4, $4)`, "m-"+person, person, person+"@example.org", now)
	}
	testkit.Eventually(t, 2*time.Minute, func() error {
		var waiting, sent int
		err := g.db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(CASE WHEN state = 'sent' THEN 1 END) FROM outbox WHERE id LIKE 'm-%'`).Scan(&waiting, &sent)
		if err == nil && sent != homes {
			err = fmt.Errorf("%d of %d messages have left", sent, homes)
		}
		return err
	})
	var got []string
	for _, m := range g.mail.Received() {
		got = append(got, m.To)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who was written to (-want +got):\n%s", diff)
	}
}

// testWithdrawal: a household takes its fine curve back at one API. The other shows
// none of it, and both collectors drop what still comes.
func (g *grown) testWithdrawal(t *testing.T) {
	v, today := g.signIn(t, "p02"), time.Now().Format(time.DateOnly)
	hours := g.apis[1] + "/api/v1/consumption/hourly?date=" + today
	if status, text := v.status(t, http.MethodGet, hours, ""); status != http.StatusOK || strings.Contains(text, "refused") {
		t.Fatalf("before: %d %s", status, text)
	}
	if status, text := v.status(t, http.MethodDelete, g.apis[0]+"/api/v1/consents/fine_curve", ""); status >= 300 {
		t.Fatalf("withdraw: %d %s", status, text)
	}
	if status, text := v.status(t, http.MethodGet, hours, ""); status != http.StatusOK || !strings.Contains(text, "refused") {
		t.Errorf("the other API still shows hours: %d %s", status, text)
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(g.broker.URL).SetClientID("grown"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("broker: %v", token.Error())
	}
	defer client.Disconnect(100)
	before := [2]float64{}
	for i := range 2 {
		before[i] = g.told(i, "xnet_collector_dropped_by_consent_total")
	}
	seq := wire.Seq(0)
	testkit.Eventually(t, 2*time.Minute, func() error {
		seq++
		g.send(t, client, seq, meterOf(2))
		for i := range 2 {
			if g.told(i, "xnet_collector_dropped_by_consent_total") == before[i] {
				return fmt.Errorf("collector %d drops nothing", i)
			}
		}
		return nil
	})
	g.erased(t)
}

// erased waits until the hours of the household are gone from the store, whichever
// API worked the erasure off.
func (g *grown) erased(t *testing.T) {
	t.Helper()
	c := influx.DefaultConfig()
	c.URL = g.influx.URL
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	testkit.Eventually(t, 2*time.Minute, func() error {
		for meter, want := range map[metering.MeterID]bool{meterOf(2): false, meterOf(3): true} {
			found, err := client.Consumption(t.Context(), influx.Hourly, []metering.MeterID{meter}, time.Now().AddDate(0, 0, -3), time.Now())
			if err != nil || len(found[meter]) > 0 != want {
				return fmt.Errorf("%d hours of %s are stored, %w", len(found[meter]), meter, err)
			}
		}
		return nil
	})
}

// send publishes two readings of one minute of a meter, until a broker gave each
// collector some.
func (g *grown) send(t *testing.T, client mqtt.Client, seq wire.Seq, meter metering.MeterID) {
	t.Helper()
	pack := wire.Pack{Spool: "grown", Seq: seq}
	for i := range 2 {
		pack.Readings = append(pack.Readings, wire.UnitReading{Unit: metering.Millilitre, Reading: metering.Reading{Meter: meter,
			Quantity: metering.Index, At: time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(i-2) * time.Second), Amount: 9_000_000 + metering.Amount(seq)}})
	}
	payload, err := wire.AppendPack(nil, pack)
	if err != nil {
		t.Fatal(err)
	}
	topic := wire.Source{Site: "street", Gateway: "gw"}.Topic(wire.ReadingsChannel)
	if token := client.Publish(topic, 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("publish: %v", token.Error())
	}
}
