package influx

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"
)

// Config says where InfluxDB is and how long it keeps what.
type Config struct {
	// URL is where InfluxDB answers, as in http://127.0.0.1:8086.
	URL string `yaml:"url"`
	// TokenFile holds the token; for InfluxDB 1.8 "user:password". Empty means
	// that InfluxDB asks for none.
	TokenFile string `yaml:"token_file"`
	// Org is the organisation of InfluxDB 2. Empty means InfluxDB 1.8.
	Org string `yaml:"org"`
	// Prefix begins the names of the buckets: "xnet" gives xnet_readings,
	// xnet_hourly, xnet_daily and xnet_monthly.
	Prefix string    `yaml:"prefix"`
	Keep   Retention `yaml:"keep"`
	// AllowShorter lets [Client.SetUp] shorten what a bucket keeps; what is older
	// is then gone for good. It stands on a command line, not in a file: a
	// configuration that is copied must not delete.
	AllowShorter bool `yaml:"-"`
}

// Retention is how many days each bucket keeps its points; 0 means for ever.
type Retention struct {
	Readings int `yaml:"readings_days"`
	Hourly   int `yaml:"hourly_days"`
	Daily    int `yaml:"daily_days"` // and monthly
}

// DefaultConfig is an InfluxDB 1.8 on this machine that keeps readings for 13
// months, hours for 24 months, days and months for 36 months.
func DefaultConfig() Config {
	return Config{URL: "http://127.0.0.1:8086", Prefix: "xnet",
		Keep: Retention{Readings: 400, Hourly: 731, Daily: 1096}}
}

var prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Validate joins every fault, each with its remedy.
func (c Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fmt.Errorf("influx.url %q: write it as http://host:8086", c.URL))
	}
	if !prefixPattern.MatchString(c.Prefix) {
		errs = append(errs, fmt.Errorf("influx.prefix %q: use 1 to 32 lower-case letters, digits and underscores, a letter first", c.Prefix))
	}
	for _, kept := range []struct {
		key  string
		days int
	}{{"readings_days", c.Keep.Readings}, {"hourly_days", c.Keep.Hourly}, {"daily_days", c.Keep.Daily}} {
		if kept.days < 0 {
			errs = append(errs, fmt.Errorf("influx.keep.%s %d: use a number of days, or 0 for ever", kept.key, kept.days))
		}
	}
	return errors.Join(errs...)
}

const day = 24 * time.Hour

// A bucket is one kind of points with a retention of its own. On InfluxDB 1.8
// each is a database: its DELETE knows no policy.
type bucket struct {
	name   string
	key    string        // begins its key below influx.keep
	shards time.Duration // how much time one shard holds
	days   func(Retention) int
}

var (
	readingsBucket = bucket{"readings", "readings", 7 * day, func(r Retention) int { return r.Readings }}
	hourlyBucket   = bucket{"hourly", "hourly", 30 * day, func(r Retention) int { return r.Hourly }}
	dailyBucket    = bucket{"daily", "daily", 365 * day, func(r Retention) int { return r.Daily }}
	monthlyBucket  = bucket{"monthly", "daily", 365 * day, func(r Retention) int { return r.Daily }}

	buckets = []bucket{readingsBucket, hourlyBucket, dailyBucket, monthlyBucket}
)

// in returns the bucket's full name, as in xnet_readings.
func (b bucket) in(c Config) string { return c.Prefix + "_" + b.name }

// keep returns the bucket's retention, 0 for ever.
func (b bucket) keep(r Retention) time.Duration { return time.Duration(b.days(r)) * day }
