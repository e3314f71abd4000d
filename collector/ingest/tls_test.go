package ingest_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/collector/ingest"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestBrokerWithTLS: the collector trusts the broker that the configured authority
// vouches for, shows its own certificate, and trusts nobody else.
func TestBrokerWithTLS(t *testing.T) {
	a, other := testkit.NewAuthority(t, "the landlord's"), testkit.NewAuthority(t, "somebody else's")
	a.IssueServer(t)
	a.Issue(t, "collector", &x509.Certificate{Subject: pkix.Name{CommonName: "collector"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	broker, store := a.Mosquitto(t, "require_certificate true", "use_identity_as_username true"), influxtest.Open(t)
	own := ingest.Broker{URL: broker.URL, CAFile: a.File("ca.crt"), CertificateFile: a.File("collector.crt"), KeyFile: a.File("collector.key")}
	for _, tt := range []struct {
		name   string
		broker func(*ingest.Broker)
		joins  bool
	}{
		{"its authority and certificate", func(*ingest.Broker) {}, true},
		{"no certificate", func(b *ingest.Broker) { b.CertificateFile, b.KeyFile = "", "" }, false},
		{"another authority", func(b *ingest.Broker) { b.CAFile = other.File("ca.crt") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := quick(broker.URL)
			c.Broker = own
			tt.broker(&c.Broker)
			col := start(t, c, store)
			if tt.joins {
				col.waitReady(t)
				return
			}
			testkit.Eventually(t, 20*time.Second, col.said("cannot be joined"))
			if err := col.ingester.Ready(t.Context()); err == nil {
				t.Error("the collector joined a broker that it must not trust, or that must not let it in")
			}
		})
	}
}

// TestBrokerWhoseCertificateEnded is named with its remedy, and joined once the
// certificate is renewed, without a restart of the collector.
func TestBrokerWhoseCertificateEnded(t *testing.T) {
	a := testkit.NewAuthority(t, "the landlord's")
	a.IssueServerUntil(t, time.Now().Add(-time.Minute))
	broker := a.Mosquitto(t, "allow_anonymous true")
	c := quick(broker.URL)
	c.Broker = ingest.Broker{URL: broker.URL, CAFile: a.File("ca.crt")}
	col := start(t, c, influxtest.Open(t))
	testkit.Eventually(t, time.Minute, col.said("xnet-setup renews that of the broker"))
	a.IssueServer(t)
	broker.Kill()
	broker.Start()
	testkit.Eventually(t, time.Minute, func() error { return col.ingester.Ready(t.Context()) })
}
