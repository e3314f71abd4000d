package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/xnetroseraie/xnet/internal/config"
)

// A Config names the mail server that takes our e-mails. An empty host means
// that none are sent.
type Config struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`
	TLS          string `yaml:"tls"` // starttls, tls, or none for a server on this machine
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	CAFile       string `yaml:"ca_file"` // certificates to trust besides the system's, PEM
	From         string `yaml:"from"`    // as in "La Roseraie <contact@bailleur.example>"
}

// DefaultConfig sends nothing, and would speak STARTTLS on the port for
// submission (RFC 6409).
func DefaultConfig() Config { return Config{Port: 587, TLS: "starttls"} }

// Validate joins every fault, each with its remedy.
func (c Config) Validate() error {
	if c.Host == "" {
		return nil
	}
	var faults []error
	if c.Port < 1 || c.Port > 65535 {
		faults = append(faults, fmt.Errorf("mail.port %d: want 1 to 65535, as a rule 587 for starttls and 465 for tls", c.Port))
	}
	switch c.TLS {
	case "starttls", "tls":
	case "none":
		if ip := net.ParseIP(c.Host); c.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			faults = append(faults, fmt.Errorf("mail.tls none: codes would travel in clear to %s: want starttls or tls", c.Host))
		}
	default:
		faults = append(faults, fmt.Errorf("mail.tls %q: want starttls, tls, or none for a server on this machine", c.TLS))
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		faults = append(faults, fmt.Errorf("mail.from %q: want an address such as contact@bailleur.example", c.From))
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		faults = append(faults, errors.New("mail.username and mail.password_file: want both or neither"))
	}
	return errors.Join(faults...)
}

// sendWait bounds one conversation with the mail server.
const sendWait = 30 * time.Second

// A Sender hands e-mails to the mail server. It may be used from several
// goroutines.
type Sender struct {
	config  Config
	options []gomail.Option
}

// NewSender returns a sender, or nil where the configuration names no host. It
// reads the files that the configuration names; it does not connect.
func NewSender(c Config) (*Sender, error) {
	if c.Host == "" {
		return nil, nil //nolint:nilnil // no sender means that nothing is sent
	}
	password, err := config.Secret(c.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("mail.password_file: %w", err)
	}
	trust, err := trusted(c)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(c.Port), gomail.WithTimeout(sendWait), gomail.WithoutNoop(),
		gomail.WithTLSConfig(trust), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	switch c.TLS {
	case "tls":
		options = append(options, gomail.WithSSL())
	case "none":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if c.Username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(c.Username), gomail.WithPassword(password))
	}
	return &Sender{config: c, options: options}, nil
}

// trusted is whom the sender believes to be the mail server.
func trusted(c Config) (*tls.Config, error) {
	trust := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return trust, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("mail.ca_file: %w", err)
	}
	if trust.RootCAs, err = x509.SystemCertPool(); err != nil {
		trust.RootCAs = x509.NewCertPool()
	}
	if !trust.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mail.ca_file: %s holds no certificate: want PEM", c.CAFile)
	}
	return trust, nil
}

// A Refusal is why a message did not leave. It shows no address: what mail
// servers say often bears one.
type Refusal struct {
	Code  int  // of the server's answer; 0 where there was none
	Again bool // another try makes sense
	Doubt bool // the server may have taken it all the same
}

// Error says it without the server's words.
func (r *Refusal) Error() string {
	switch {
	case r.Doubt:
		return "the line broke when the mail server was to say yes"
	case r.Code == 0:
		return "the mail server does not answer as it should: look at mail.host, mail.port, mail.tls and the password"
	default:
		return fmt.Sprintf("the mail server refuses with code %d", r.Code)
	}
}

// send hands one e-mail over. Its error is a [*Refusal].
func (s *Sender) send(ctx context.Context, id, recipient string, m Mail) error {
	message := gomail.NewMsg()
	if err := errors.Join(message.From(s.config.From), message.To(recipient)); err != nil {
		return &Refusal{Code: 553}
	}
	message.Subject(m.Subject)
	message.SetDate()
	message.SetMessageIDWithValue(id + "@" + s.config.Host)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: holiday notices stay away
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	client, err := gomail.NewClient(s.config.Host, s.options...)
	if err != nil {
		return &Refusal{}
	}
	ctx, cancel := context.WithTimeout(ctx, sendWait)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, message)
	if err == nil || message.IsDelivered() {
		return nil // what follows the server's yes, as a QUIT does, changes nothing
	}
	return refusal(err)
}

// refusal tells what another try can mend from what it cannot.
func refusal(err error) *Refusal {
	said, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return &Refusal{Again: true} // no conversation came about
	}
	r := &Refusal{Code: said.ErrorCode()}
	r.Doubt = said.Reason == gomail.ErrSMTPDataClose && r.Code == 0
	r.Again = !r.Doubt && (r.Code == 0 || said.IsTemp())
	return r
}
