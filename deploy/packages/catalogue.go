package main

// A pack is what a Debian package consists of.
type pack struct {
	name                string
	summary             string // at most 80 letters
	about               []string
	depends, recommends string
	binaries            []binary
	pages               []page
	units               []string          // files of deploy/systemd
	started             []string          // those that are started and enabled
	files               map[string]string // path on the target: file of this repository
	conffiles           map[string]string // the same, of what people change
}

// A page is a page of the manual.
type page struct {
	name    string
	section int
	summary string
	text    string
	see     string
}

const (
	maintainer = "XnetRoseraie <packages@xnetroseraie.org>"
	homepage   = "https://github.com/xnetroseraie/xnet"
)

// packages are all that there are, in the order of their names on a server.
var packages = []pack{
	{
		name:    "xnet-server",
		summary: "tenants' pages on water and energy: web server and collector",
		about: []string{
			"XnetRoseraie shows tenants what they use of water and energy, what it costs, and what they can do about it; " +
				"it shows landlords buildings, losses and silent meters.",
			"This package has the web server, the collector that stores what gateways read, and xnet-setup, which sets up a machine in one command.",
		},
		depends: "adduser, init-system-helpers (>= 1.52), mosquitto (>= 2.0.11)", recommends: "xnet-influxd",
		binaries: []binary{{"api", "/usr/bin/xnet-api"}, {"collector", "/usr/bin/xnet-collector"}, {"deploy/setup", "/usr/sbin/xnet-setup"}},
		pages: []page{
			{"xnet-api", 1, "pages, JSON and the registry of meters", "The web server of XnetRoseraie, and the commands by which it is looked after: loading a residence, back-up, restore, and others.", "xnet-setup(8)"},
			{"xnet-collector", 1, "stores the readings of all gateways", "Takes the readings of all gateways from the broker, stores them in InfluxDB exactly once, and sums them up.", "xnet-setup(8)"},
			{"xnet-setup", 8, "set up a server of XnetRoseraie", "Makes secrets, certificates, users of InfluxDB, configuration files and the first administrator, by the answers in /etc/xnet/answers.yaml or by flags. " +
				"Run again it makes what lacks and renews the certificate of the broker when it is due.", "xnet-api(1), xnet-collector(1)"},
		},
		units:   []string{"xnet-api.service", "xnet-collector.service", "xnet-broker-reload.path", "xnet-broker-reload.service", "xnet-setup.service", "xnet-setup.timer"},
		started: []string{"xnet-api.service", "xnet-collector.service", "xnet-broker-reload.path", "xnet-setup.timer"},
		files:   map[string]string{"/usr/share/xnet/mosquitto.conf": "deploy/mosquitto/xnet.conf"},
	},
	{
		name:    "xnet-influxd",
		summary: "InfluxDB 1.8 as XnetRoseraie stores readings in it",
		about: []string{
			"InfluxDB is a database of measurements. This is release 1.8 as its authors published it, built with a recent Go, " +
				"on loopback only, asking for a password, and without reports to anybody.",
		},
		depends:   "adduser, init-system-helpers (>= 1.52)",
		binaries:  []binary{{influxdSource, "/usr/libexec/xnet/influxd"}},
		pages:     []page{{"xnet-influxd", 8, "InfluxDB for XnetRoseraie", "The service xnet-influxd runs InfluxDB 1.8 by /etc/xnet-influxdb/influxd.conf, with its files below /var/lib/xnet-influxdb.", "xnet-setup(8)"}},
		units:     []string{"xnet-influxd.service"},
		started:   []string{"xnet-influxd.service"},
		conffiles: map[string]string{"/etc/xnet-influxdb/influxd.conf": "deploy/packages/influxd.conf"},
	},
	{
		name:    "xnet-gateway",
		summary: "reads water and energy meters over Modbus",
		about: []string{
			"The gateway of XnetRoseraie reads the meters of a building over Modbus and sends what it read to the server, losing nothing that it has written to its disk. " +
				"It writes to /var/lib/xnet-gateway only.",
			"A board is enrolled by the file /boot/firmware/xnet-enrol.yaml, with the address of the server and a code, or by xnet-gateway enrol.",
		},
		depends:  "adduser, init-system-helpers (>= 1.52)",
		binaries: []binary{{"gateway", "/usr/bin/xnet-gateway"}},
		pages: []page{{"xnet-gateway", 1, "reads meters over Modbus", "Reads the meters of a building and sends their readings to the server. " +
			"The service keeps configuration and spool in /var/lib/xnet-gateway: name /var/lib/xnet-gateway/gateway.yaml with --config.", "xnet-api(1)"}},
		units:   []string{"xnet-gateway.service", "xnet-gateway-enrol.service"},
		started: []string{"xnet-gateway-enrol.service", "xnet-gateway.service"},
	},
}
