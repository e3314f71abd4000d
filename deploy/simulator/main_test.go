package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"
	"github.com/simonvetter/modbus"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/registers"
	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

var epoch = civil.Date{Year: 2025, Month: time.October, Day: 20}

func noEnv(string) string { return "" }

// output runs the program to its end and returns what it printed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, noEnv, &out); err != nil {
		t.Fatalf("simulator %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

// history returns the rows of the history command, without the header.
func history(t *testing.T, gateway, from, to, step string) [][]string {
	t.Helper()
	text := output(t, "history", "--seed", "1", "--epoch", epoch.String(), "--gateway", gateway,
		"--from", from, "--to", to, "--step", step)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(rows[0], ","), "meter,time,index"; got != want {
		t.Fatalf("header %q, want %q", got, want)
	}
	return rows[1:]
}

// What a master that is not ours reads over Modbus TCP at an instant is what the
// history says of that instant, for every meter.
func TestHistoryIsWhatIsServed(t *testing.T) {
	r := household.New(1, epoch)
	for _, tt := range []struct {
		gateway metering.GatewayID
		at      string
		meters  int
	}{
		{"gw-a", "2025-11-02T03:00:00.000Z", 45},
		{"gw-a", "2026-06-01T12:00:00.000Z", 45},
		{"gw-b", "2026-06-01T12:00:00.000Z", 42},
		{"gw-b", "2026-10-01T12:00:00.000Z", 41}, // one is dead
		{"gw-c", "2026-11-15T23:00:00.000Z", 21},
		{"gw-d", "2026-11-01T00:00:00.000Z", 24},
		{"gw-d", "2026-11-15T00:00:00.000Z", 0}, // silent
	} {
		t.Run(fmt.Sprint(tt.gateway, " ", tt.at), func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			rows := history(t, string(tt.gateway), tt.at, at.Add(time.Hour).Format(time.RFC3339), "1h")
			if len(rows) != tt.meters {
				t.Errorf("%d meters in the history, want %d", len(rows), tt.meters)
			}
			client := masterOf(t, r, tt.gateway, at)
			for _, row := range rows {
				m := meter(t, r, row[0])
				if got := strconv.FormatInt(readTCP(t, client, m), 10); got != row[2] || row[1] != tt.at {
					t.Errorf("meter %s: served %s at %s, history has %s at %s", m.ID, got, tt.at, row[2], row[1])
				}
			}
		})
	}
}

// masterOf serves a gateway's slaves as they are at an instant.
func masterOf(t *testing.T, r *household.Residence, gateway metering.GatewayID, at time.Time) *modbus.ModbusClient {
	t.Helper()
	source, err := registers.New(r, gateway, func() time.Time { return at }, false)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = slave.New(source, slave.Options{}).ServeTCP(t.Context(), listener) }()
	client, err := dial(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func dial(addr string) (*modbus.ModbusClient, error) {
	client, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + addr, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	return client, client.Open()
}

func meter(t *testing.T, r *household.Residence, id string) *household.Meter {
	t.Helper()
	i := slices.IndexFunc(r.Meters(), func(m *household.Meter) bool { return string(m.ID) == id })
	if i < 0 {
		t.Fatalf("no meter %s", id)
	}
	return r.Meters()[i]
}

// readTCP reads the index of a meter in Wh or mL.
func readTCP(t *testing.T, client *modbus.ModbusClient, m *household.Meter) int64 {
	t.Helper()
	if err := client.SetUnitId(m.Slave); err != nil {
		t.Fatal(err)
	}
	if m.Profile == household.ProfileElectricity {
		wh, err := client.ReadUint64(0x0C83, modbus.HOLDING_REGISTER)
		if err != nil {
			t.Fatalf("meter %s: %v", m.ID, err)
		}
		return int64(wh)
	}
	count, err := client.ReadUint32(uint16(2*m.Channel-2), modbus.INPUT_REGISTER)
	if err != nil {
		t.Fatalf("meter %s: %v", m.ID, err)
	}
	return int64(count) * int64(m.PulseML)
}

func TestHistoryRows(t *testing.T) {
	rows := history(t, "gw-a,gw-b", "2025-10-24T21:59:59Z", "2025-10-25T00:00:00Z", "30m")
	var first []string
	for _, row := range rows {
		if row[0] == rows[0][0] {
			first = append(first, row[1])
		}
	}
	want := []string{"2025-10-24T22:00:00.000Z", "2025-10-24T22:30:00.000Z", "2025-10-24T23:00:00.000Z", "2025-10-24T23:30:00.000Z"}
	if !slices.Equal(first, want) {
		t.Errorf("instants %v, want %v", first, want)
	}
	sorted := slices.IsSortedFunc(rows, func(a, b []string) int {
		return strings.Compare(a[0]+a[1], b[0]+b[1])
	})
	if !sorted {
		t.Error("rows are not ordered by meter, then time")
	}
}

func TestResidenceTable(t *testing.T) {
	text := output(t, "residence", "--epoch", epoch.String())
	for _, s := range household.Stories {
		if !strings.Contains(text, string(s)) {
			t.Errorf("the table does not tell the story %s", s)
		}
	}
	if got := strings.Count(text, "\n"); got != 2+1+48 {
		t.Errorf("%d lines, want 51:\n%s", got, text)
	}
}

func TestWrongCommandLines(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct{ name, args, want string }{
		{"no epoch", "residence", "--epoch"},
		{"not a date", "residence --epoch 2026-02-30", "existing day"},
		{"nothing to serve", "run --epoch 2025-10-20", "--tcp gw-a="},
		{"unknown gateway", "run --epoch 2025-10-20 --tcp gw-z=127.0.0.1:0", `"gw-z"`},
		{"both ways", "run --epoch 2025-10-20 --tcp gw-a=127.0.0.1:0 --rtu gw-a=/tmp/x", "either"},
		{"address in use", "run --epoch 2025-10-20 --tcp gw-a=" + taken.Addr().String(), "stop what uses the port"},
		{"history of nobody", "history --epoch 2025-10-20 --gateway gw-z --from 2025-10-20T00:00:00Z --to 2025-10-21T00:00:00Z", "gw-z"},
		{"history backwards", "history --epoch 2025-10-20 --gateway gw-a --from 2025-10-22T00:00:00Z --to 2025-10-21T00:00:00Z", "after --from"},
		{"no folder", "history --epoch 2025-10-20 --gateway gw-a --from 2025-10-20T00:00:00Z --to 2025-10-21T00:00:00Z --out /nowhere/x", "/nowhere/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(t.Context(), strings.Fields(tt.args), noEnv, new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %q", err, tt.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	if text := output(t, "run", "--help"); !strings.Contains(text, "--unique") {
		t.Errorf("help is %q", text)
	}
}

// The whole program: two gateways, one over TCP and one over a pseudo-terminal,
// real masters, and a log in which everything that was served stands.
func TestRunServesAndLogs(t *testing.T) {
	dir := t.TempDir()
	link, logged := filepath.Join(dir, "gw-b"), filepath.Join(dir, "served.csv")
	begin := civil.DateOf(time.Now()).AddDays(-100)
	cold := meterAt(t, household.New(1, begin), "gw-a", 1, 1)
	var want []int64
	for n := range 2 { // the second run goes on where the first ended
		client, stop := started(t, begin, link, "--served", logged, "--unique")
		for range 3 {
			want = append(want, readTCP(t, client, cold))
		}
		tenths := readRoom(t, link, 210)
		testkit.Eventually(t, 10*time.Second, func() error { // an answer is logged once it has gone
			entries, err := served.Read(logged)
			if rooms := rooms(entries); err != nil || rooms != n+1 {
				return fmt.Errorf("%d rooms logged: %w", rooms, err)
			}
			return nil
		})
		stop()
		entries, err := served.Read(logged)
		if err != nil {
			t.Fatal(err)
		}
		last := lastRoom(entries) // answers of the other line may be logged after it
		if last.Quantity != metering.Celsius || last.Index != metering.Amount(tenths)*100 {
			t.Errorf("logged %+v, read %d tenths of a degree", last, tenths)
		}
		checkLogged(t, entries, cold.ID, want)
	}
}

// rooms counts the temperatures that were read.
func lastRoom(entries []served.Entry) (last served.Entry) {
	for _, e := range entries {
		if e.Quantity == metering.Celsius {
			last = e
		}
	}
	return last
}

func rooms(entries []served.Entry) (n int) {
	for _, e := range entries {
		if e.Quantity == metering.Celsius {
			n++
		}
	}
	return n
}

// started runs the program with building A on TCP and building B on a line, and
// returns a master of A and what ends both.
func started(t *testing.T, begin civil.Date, link string, flags ...string) (*modbus.ModbusClient, func()) {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"run", "--epoch", begin.String(), "--tcp", "gw-a=" + addr, "--rtu", "gw-b=" + link}, flags...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, args, noEnv, new(bytes.Buffer)) }()
	var client *modbus.ModbusClient
	testkit.Eventually(t, 10*time.Second, func() (err error) {
		if _, err := os.Lstat(link); err != nil {
			return err
		}
		client, err = dial(addr)
		return err
	})
	return client, func() {
		_ = client.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if _, err := os.Lstat(link); !os.IsNotExist(err) {
			t.Errorf("the link to the serial line is still there: %v", err)
		}
	}
}

// checkLogged compares what was read of a meter with the log, and wants each
// index greater than the last.
func checkLogged(t *testing.T, entries []served.Entry, id metering.MeterID, want []int64) {
	t.Helper()
	var got []int64
	for _, e := range entries {
		if e.Meter == id {
			got = append(got, int64(e.Index))
		}
		if e.Answered.Before(e.Received) || time.Since(e.Received) > time.Minute {
			t.Errorf("entry %+v", e)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %v, logged %v", want, got)
	}
	if !slices.IsSorted(want) || len(slices.Compact(slices.Clone(want))) != len(want) {
		t.Errorf("indexes %v do not grow at each read", want)
	}
}

func meterAt(t *testing.T, r *household.Residence, gateway metering.GatewayID, address byte, channel int) *household.Meter {
	t.Helper()
	for _, m := range r.Meters() {
		if m.Gateway == gateway && m.Slave == address && m.Channel == channel && m.To.IsZero() {
			return m
		}
	}
	t.Fatalf("gateway %s has nothing at slave %d, channel %d", gateway, address, channel)
	return nil
}

// readRoom reads a room sensor over the serial line, in tenths of a degree.
func readRoom(t *testing.T, link string, address byte) int16 {
	t.Helper()
	handler := goburrow.NewRTUClientHandler(link)
	handler.BaudRate, handler.DataBits, handler.Parity, handler.StopBits = 19200, 8, "N", 1
	handler.Timeout, handler.SlaveId = time.Second, address
	if err := handler.Connect(); err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	raw, err := goburrow.NewClient(handler).ReadInputRegisters(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	return int16(raw[0])<<8 | int16(raw[1])
}

// A started process ends in good order on SIGTERM; the same path as an
// interrupt from the keyboard.
func TestRunEndsOnSignal(t *testing.T) {
	if testing.Short() {
		t.Skip("sends this process a signal")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"run", "--epoch", epoch.String(), "--tcp", "gw-a=127.0.0.1:0"}, noEnv, new(bytes.Buffer))
	}()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}
