package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// The program starts and serves while the broker and InfluxDB are away, says
// so, and is ready once they are there.
func TestRunWithoutServers(t *testing.T) {
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	broker, store := testkit.Broker(t), testkit.Influx(t)
	broker.Stop()
	store.Kill()
	env := environment(map[string]string{"XNET_API_LISTEN": addr, "XNET_API_DATABASE_DSN": filepath.Join(t.TempDir(), "api.db"),
		"XNET_API_ADVISOR_NAME": "Claire Moreau", "XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00",
		"XNET_API_BROKER_URL": broker.URL, "XNET_API_INFLUX_URL": store.URL, "XNET_API_LOG_LEVEL": "error"})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"run"}, env, io.Discard) }()

	await := func(path, want string) {
		t.Helper()
		testkit.Eventually(t, 20*time.Second, func() error { return answers("http://"+addr+path, want) })
	}
	await("/healthz", "200 ok")
	await("/connexion", "200 <!doctype html>")
	await("/readyz", "503 influxdb: does not answer\nbroker: does not answer")
	broker.Start()
	store.Start()
	await("/readyz", "200 ready")
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run ended with %v", err)
	}
}

func answers(address, want string) error {
	response, err := http.Get(address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if got := fmt.Sprintf("%d %s", response.StatusCode, text); err != nil || !strings.HasPrefix(got, want) {
		return fmt.Errorf("%s answers %.100q, %w; want %q", address, got, err, want)
	}
	return nil
}

func TestCommands(t *testing.T) {
	folder := t.TempDir()
	good := filepath.Join(folder, "good.yaml")
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("good.yaml", "advisor: {name: Claire, telephone: 02 41 00 00 00}\ndatabase: {dsn: "+filepath.Join(folder, "x.db")+"}\n")
	bad := write("bad.yaml", "listen: nowhere\nsign_in: {session: 1s}\nlog: {level: loud}\n")
	typo := write("typo.yaml", "listne: 127.0.0.1:8080\n")
	for _, tt := range []struct {
		name string
		args []string
		says []string // on stdout
		errs []string // in the error; none where it succeeds
	}{
		{"help", []string{"--help"}, []string{"Usage: api", "invite <PERSON>"}, nil},
		{"valid", []string{"check-config", "--config", good}, []string{"the configuration is valid"}, nil},
		{"every fault", []string{"check-config", "--config", bad}, nil, []string{`listen "nowhere"`, "advisor:", "sign_in.session 1s", `log.level "loud"`}},
		{"unknown key", []string{"check-config", "--config", typo}, nil, []string{"listne", "typo.yaml"}},
		{"no file", []string{"check-config", "--config", filepath.Join(folder, "none.yaml")}, nil, []string{"none.yaml"}},
		{"no command", nil, nil, []string{"api --help"}},
		{"no residence", []string{"load", "--config", good, filepath.Join(folder, "none.yaml")}, nil, []string{"residence's file"}},
		{"faulty residence", []string{"load", "--config", good, typo}, nil, []string{"nothing was stored", "listne"}},
		{"residence", []string{"load", "--config", good, "testdata/residence.yaml"}, []string{"3 dwellings, 4 households, 4 persons, 6 meters"}, nil},
		{"nobody", []string{"invite", "--config", good, "P-nobody"}, nil, []string{`person "P-nobody" is not known: load`}},
		{"somebody", []string{"invite", "--config", good, "P-new"}, []string{"P-new "}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said bytes.Buffer
			err := run(t.Context(), tt.args, environment(nil), &said)
			if (err != nil) != (len(tt.errs) > 0) {
				t.Fatalf("error = %v", err)
			}
			for _, want := range tt.says {
				if !strings.Contains(said.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, said.String())
				}
			}
			for _, want := range tt.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}
