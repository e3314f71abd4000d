package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An enrolCommand fetches the gateway's access with a code that works once.
type enrolCommand struct {
	API      string `help:"Address of the API, as in https://roseraie.example."`
	Code     string `help:"Code that the page of the gateway shows."`
	From     string `help:"File (YAML) with api and code, for a board without a keyboard. It is removed once it was used; where it is not there, nothing is done." type:"path"`
	CA       string `name:"ca" help:"Certificates (PEM) that vouch for the API; without it the system's." type:"path"`
	SpoolDir string `help:"Folder that the spool is to have." default:"/var/lib/xnet/spool" type:"path"`
	Replace  bool   `help:"Write over the configuration of a gateway that was enrolled before."`
}

// Run writes the configuration beside --config, with password and certificates.
func (r *enrolCommand) Run(e *environment) error {
	if r.From != "" {
		return r.fromFile(e)
	}
	return r.enrol(e)
}

// A slip is what an installer leaves on the boot partition.
type slip struct {
	API  string `yaml:"api"`
	Code string `yaml:"code"`
}

// Validate implements config.Validator.
func (s *slip) Validate() error {
	if s.API == "" || s.Code == "" {
		return errors.New("name api and code")
	}
	return nil
}

// fromFile enrols by a slip. A new slip means that somebody wants a new access.
func (r *enrolCommand) fromFile(e *environment) error {
	if _, err := os.Stat(r.From); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var s slip
	if err := config.Load(&s, r.From, "XNET_ENROL", e.getenv); err != nil {
		return err
	}
	r.API, r.Code, r.Replace = s.API, s.Code, true
	if err := r.enrol(e); err != nil {
		return err
	}
	if err := os.Remove(r.From); err != nil {
		return fmt.Errorf("enrolled, but %w: remove the file, its code works no more", err)
	}
	return nil
}

func (r *enrolCommand) enrol(e *environment) error {
	if r.API == "" || r.Code == "" {
		return errors.New("enrol: give --api and --code, as the page of the gateway shows them, or --from")
	}
	if _, err := os.Stat(e.config); err == nil && !r.Replace {
		return fmt.Errorf("enrol: %s is there already: give --replace if this gateway is to have a new access", e.config)
	}
	got, err := r.redeem(e.ctx)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	if err := r.write(e.config, got); err != nil {
		return fmt.Errorf("enrol: %w: the code was used, so ask for another one once this is mended", err)
	}
	fmt.Fprintf(e.stdout, "this is gateway %s of site %s, configured in %s\n", got.Gateway, got.Site, e.config)
	return nil
}

// An access is the API's answer.
type access struct {
	Site      metering.SiteID    `json:"site"`
	Gateway   metering.GatewayID `json:"gateway"`
	Zone      string             `json:"zone"`
	ConfigKey string             `json:"config_key"`
	Broker    struct {
		URL       string `json:"url"`
		Username  string `json:"username"`
		Password  string `json:"password"`
		Authority string `json:"authority"`
	} `json:"broker"`
}

// longestAnswer bounds what is read of an answer: certificates take most of it.
const longestAnswer = 256 << 10

func (r *enrolCommand) redeem(ctx context.Context) (a access, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]string{"code": r.Code})
	if err != nil {
		return a, err
	}
	url := strings.TrimRight(r.API, "/") + "/api/v1/gateway-enrolments"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return a, fmt.Errorf("%w: --api wants an address such as https://roseraie.example", err)
	}
	request.Header.Set("Content-Type", "application/json")
	client, err := r.client()
	if err != nil {
		return a, err
	}
	response, err := client.Do(request)
	if err != nil {
		return a, fmt.Errorf("%w: is the address right, and does this board reach it and know the time?", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return a, err
	}
	if response.StatusCode != http.StatusOK {
		return a, refusal(response.Status, text)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("answer of %s: %w: is this the API?", url, err)
	}
	return a, nil
}

// client speaks HTTPS by the certificates that were named.
func (r *enrolCommand) client() (*http.Client, error) {
	trust, err := config.TLS(r.CA, "", "")
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trust, Proxy: http.ProxyFromEnvironment}}, nil
}

// refusal says why the API did not answer with an access (RFC 9457).
func refusal(status string, text []byte) error {
	var p struct {
		Detail string `json:"detail"`
		Errors []struct {
			Detail string `json:"detail"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(text, &p); err != nil || p.Detail == "" && len(p.Errors) == 0 {
		return fmt.Errorf("the API answers %s: is the address that of the pages?", status)
	}
	if len(p.Errors) > 0 {
		return fmt.Errorf("the API answers %s: %s", status, p.Errors[0].Detail)
	}
	return fmt.Errorf("the API answers %s: %s", status, p.Detail)
}

// write leaves the board with all of it or, where a file cannot be written, with
// the configuration that it had: that is written last.
func (r *enrolCommand) write(path string, a access) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	c := firmwareconfig.DefaultGateway()
	c.Site, c.Gateway, c.Zone, c.Spool.Dir = a.Site, a.Gateway, a.Zone, r.SpoolDir
	c.Broker.URL, c.Broker.Username = a.Broker.URL, a.Broker.Username
	for _, f := range []struct {
		name, text string
		setting    *string
	}{
		{"broker.password", a.Broker.Password, &c.Broker.PasswordFile},
		{"broker-ca.pem", a.Broker.Authority, &c.Broker.CAFile},
		{"config.pub", a.ConfigKey, &c.ConfigKeyFile},
	} {
		if f.text == "" {
			continue
		}
		*f.setting = filepath.Join(dir, f.name)
		if err := durable.Write(*f.setting, []byte(strings.TrimRight(f.text, "\n")+"\n")); err != nil {
			return err
		}
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("what the API gave cannot be run: %w", err)
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return durable.Write(path, text)
}
