package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keep writes an authority or a certificate as the command does.
func keep(t *testing.T, a *authority, dir, name string) (cert, key string) {
	t.Helper()
	text, private, err := a.pem()
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	if err := errors.Join(os.WriteFile(cert, text, 0o600), os.WriteFile(key, private, 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func made(t *testing.T, now time.Time) *authority {
	t.Helper()
	a, err := newAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestCertificateIsDue: a new one is made when it lacks, ends, or fits no longer,
// and at no other time.
func TestCertificateIsDue(t *testing.T) {
	now := time.Now()
	hosts := []string{"broker.example", "127.0.0.1"}
	ca, dir := made(t, now), t.TempDir()
	server, err := ca.server(hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := keep(t, server, dir, "server")
	other := made(t, now)
	for _, tt := range []struct {
		name string
		ca   *authority
		cert string
		host []string
		at   time.Time
		want string
	}{
		{"just made", ca, cert, hosts, now, ""},
		{"after nine months", ca, cert, hosts, now.AddDate(0, 9, 0), ""},
		{"two months before its end", ca, cert, hosts, now.AddDate(0, 10, 10), "it ends on"},
		{"after its end", ca, cert, hosts, now.AddDate(2, 0, 0), "it ends on"},
		{"a name that it lacks", ca, cert, append(hosts, "other.example"), now, "other.example"},
		{"an address that it lacks", ca, cert, []string{"192.0.2.1"}, now, "192.0.2.1"},
		{"of another authority", other, cert, hosts, now, "another authority"},
		{"not there", ca, cert + "x", hosts, now, "there is none"},
		{"not a certificate", ca, key, hosts, now, "cannot be read"},
	} {
		if got := tt.ca.due(tt.cert, key, tt.host, tt.at); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: due because %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAuthorityAndTheClock: an authority that is over, or of the future, is named
// with what to do.
func TestAuthorityAndTheClock(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	cert, key := keep(t, made(t, now), dir, "ca")
	if _, err := readAuthority(cert, key, now.AddDate(9, 0, 0)); err != nil {
		t.Errorf("after nine years: %v", err)
	}
	if _, err := readAuthority(cert, key, now.AddDate(0, 0, -7)); !errors.Is(err, errClock) {
		t.Errorf("a week before it was made: %v", err)
	}
	if _, err := readAuthority(cert, key, now.AddDate(11, 0, 0)); err == nil || !strings.Contains(err.Error(), "ended on") {
		t.Errorf("after eleven years: %v", err)
	}
	if _, err := readAuthority(cert, filepath.Join(dir, "none"), now); err == nil || !strings.Contains(err.Error(), "back-up") {
		t.Errorf("without its key: %v", err)
	}
	// What ends with its authority is not made anew each week before that.
	late := now.AddDate(9, 11, 0)
	ca, err := readAuthority(cert, key, late)
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.server([]string{"h"}, late)
	if err != nil {
		t.Fatal(err)
	}
	serverCert, serverKey := keep(t, server, dir, "server")
	if why := ca.due(serverCert, serverKey, []string{"h"}, late); why != "" {
		t.Errorf("in the last month of its authority it is due because %s", why)
	}
}

// TestAnswers: what lacks is named with its remedy, flags win, and what was
// answered once need not be answered again.
func TestAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "answers.yaml")
	s := &setup{Answers: file, Quiet: true, out: &strings.Builder{}}
	if _, err := s.answers(); err == nil || !strings.Contains(err.Error(), "site") || !strings.Contains(err.Error(), "advisor") || !strings.Contains(err.Error(), "--help") {
		t.Errorf("without answers: %v", err)
	}
	s.flags = flags{Site: "https://roseraie.example", Broker: []string{"server.example"}, AdvisorName: "Nadia", AdvisorTelephone: "02", Administrator: "Ada"}
	first, err := s.answers()
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	s.flags = flags{}
	again, err := s.answers()
	if err != nil || !again.equal(first) {
		t.Errorf("the second time %+v, %v, want %+v", again, err, first)
	}
	if now, err := os.Stat(file); err != nil || !now.ModTime().Equal(stat.ModTime()) {
		t.Errorf("the same answers are written again: %v", err)
	}
	s.flags = flags{Broker: []string{"bad host"}}
	if _, err := s.answers(); err == nil || !strings.Contains(err.Error(), "bad host") {
		t.Errorf("a host that is none: %v", err)
	}
	s.flags = flags{InfluxURL: "http://influx.example:8086"}
	if _, err := s.answers(); err == nil || !strings.Contains(err.Error(), "org and token_file") {
		t.Errorf("half an InfluxDB: %v", err)
	}
}
