package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// influxWait is how long a store that was just started may take to answer.
const influxWait = 2 * time.Minute

// errRefused says that InfluxDB does not let a user in. Test with errors.Is.
var errRefused = errors.New("influxdb refuses")

// An influxd is the InfluxDB 1.8 of this machine, whose users are set up.
type influxd struct {
	url string
}

// do sends one statement as a user, "name:password", or as nobody where user is
// "". It fails with errRefused where the user may not.
func (i influxd) do(ctx context.Context, user, statement string) error {
	form := url.Values{"q": {statement}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if name, password, ok := strings.Cut(user, ":"); ok {
		request.SetBasicAuth(name, password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("influxdb: %w: is xnet-influxd running? systemctl status xnet-influxd", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("influxdb: %w", err)
	}
	if response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden {
		return fmt.Errorf("%w: %s", errRefused, response.Status)
	}
	return said(response.Status, text)
}

// said returns the error that an answer bears. Statements are not repeated: they
// hold passwords.
func said(status string, text []byte) error {
	var answer struct {
		Error   string
		Results []struct{ Error string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("influxdb answers %s, which is not its JSON: is another program listening there?", status)
	}
	for _, r := range answer.Results {
		answer.Error += r.Error
	}
	if answer.Error != "" {
		return fmt.Errorf("influxdb answers %s: %s", status, answer.Error)
	}
	return nil
}

// administrator makes the first user, or sees that it is there.
func (i influxd) administrator(ctx context.Context, user string) (made bool, err error) {
	if err := i.do(ctx, user, "SHOW USERS"); !errors.Is(err, errRefused) {
		return false, err
	}
	name, password, _ := strings.Cut(user, ":")
	err = i.do(ctx, "", fmt.Sprintf(`CREATE USER %q WITH PASSWORD '%s' WITH ALL PRIVILEGES`, name, password))
	if err != nil {
		return false, fmt.Errorf("make influxdb's administrator: %w: it has one that this command did not make: write its name:password into the file of the token", err)
	}
	return true, nil
}

// user lets a user in, with all rights on the databases and on nothing else.
func (i influxd) user(ctx context.Context, admin, user string, databases []string) (made bool, err error) {
	name, password, _ := strings.Cut(user, ":")
	if err := i.do(ctx, user, "SHOW DATABASES"); errors.Is(err, errRefused) {
		made = true
		if err := i.do(ctx, admin, fmt.Sprintf(`CREATE USER %q WITH PASSWORD '%s'`, name, password)); err != nil {
			if again := i.do(ctx, admin, fmt.Sprintf(`SET PASSWORD FOR %q = '%s'`, name, password)); again != nil {
				return false, fmt.Errorf("make influxdb's user %s: %w", name, errors.Join(err, again))
			}
		}
	} else if err != nil {
		return false, err
	}
	for _, database := range databases {
		if err := i.do(ctx, admin, fmt.Sprintf(`GRANT ALL ON %q TO %q`, database, name)); err != nil {
			return false, fmt.Errorf("rights of influxdb's user %s: %w", name, err)
		}
	}
	return made, nil
}

// wait returns once InfluxDB answers.
func (i influxd) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, influxWait)
	defer cancel()
	for {
		err := i.do(ctx, "nobody:none", "SHOW DATABASES")
		if err == nil {
			return errors.New("influxdb lets everybody in: set auth-enabled = true in /etc/xnet-influxdb/influxd.conf, restart xnet-influxd, and run this again")
		}
		if errors.Is(err, errRefused) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("influxdb did not answer within %s: %w", influxWait, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// localStore makes users and databases of this machine's InfluxDB.
func (s *setup) localStore(ctx context.Context) error {
	tokens := map[string]string{}
	for _, name := range []string{"admin", "api", "collector"} {
		file := s.token(name)
		mode := readableForGroup
		if name == "admin" {
			mode = readableForOwner
		}
		if err := s.secret(file, "xnet-"+name+":", mode); err != nil {
			return err
		}
		token, err := config.Secret(file)
		if err != nil {
			return err
		}
		tokens[name] = token
	}
	s.say("waits", "influxdb", "until it answers at "+s.InfluxAddress)
	server := influxd{s.InfluxAddress}
	if err := server.wait(ctx); err != nil {
		return err
	}
	made, err := server.administrator(ctx, tokens["admin"])
	if err != nil {
		return err
	}
	s.sayIf(made, "influxdb", "its administrator, "+s.token("admin"))
	if err := buckets(ctx, influx.Config{URL: s.InfluxAddress, TokenFile: s.token("admin")}); err != nil {
		return err
	}
	for _, name := range []string{"api", "collector"} {
		made, err := server.user(ctx, tokens["admin"], tokens[name], databases)
		if err != nil {
			return err
		}
		s.sayIf(made, "influxdb", "user xnet-"+name)
	}
	return nil
}

// databases are those that package influx makes for its default prefix.
var databases = []string{"xnet_readings", "xnet_hourly", "xnet_daily", "xnet_monthly"}

// buckets makes what lacks of the buckets. Retention of those that are there stays.
func buckets(ctx context.Context, c influx.Config) error {
	usual := influx.DefaultConfig()
	c.Prefix, c.Keep = usual.Prefix, usual.Keep
	client, err := influx.Open(c)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.SetUp(ctx); err != nil && !errors.Is(err, influx.ErrShortens) {
		return err
	}
	return nil
}
