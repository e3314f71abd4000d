package ingest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/xnetroseraie/xnet/internal/config"
)

// Broker is where the packs come from.
type Broker struct {
	URL          string `yaml:"url"` // tcp://host:1883 or ssl://host:8883
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	ClientID     string `yaml:"client_id"` // empty means a random one; two equal ones throw each other out
	// CAFile holds the certificates (PEM) that may vouch for an ssl:// broker, the
	// system's where it is empty; CertificateFile and KeyFile are the collector's
	// own, both or none.
	CAFile          string `yaml:"ca_file"`
	CertificateFile string `yaml:"certificate_file"`
	KeyFile         string `yaml:"key_file"`
}

// named is b with a random client id where it has none.
func (b Broker) named() Broker {
	if b.ClientID == "" {
		b.ClientID = "collector-" + rand.Text()[:10]
	}
	return b
}

// TLS returns how to speak TLS with the broker; see [config.TLS].
func (b Broker) TLS() (*tls.Config, error) {
	return config.TLS(b.CAFile, b.CertificateFile, b.KeyFile)
}

// A handler gets each message; gone is closed when its connection is given up.
type handler func(topic string, payload []byte, gone <-chan struct{})

// A link is one connection to the broker. Each time it is opened it is a new
// client of the library, so that nothing of an old session lives on.
type link struct {
	broker   Broker
	password string
	tls      *tls.Config // nil for the system's defaults
	log      *slog.Logger
	filters  []string // none for a link that only sends
	handle   handler

	subscribed atomic.Bool  // to all filters, since the last connect
	told       atomic.Int64 // when a failure to connect was last logged, in ms since 1970

	mu     sync.Mutex
	client paho.Client   // nil while closed
	gone   chan struct{} // of client
}

func newLink(b Broker, log *slog.Logger, h handler, filters ...string) (*link, error) {
	password, err := config.Secret(b.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("password of the broker: %w", err)
	}
	trust, err := b.TLS()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &link{broker: b, password: password, tls: trust, log: log, filters: filters, handle: h}, nil
}

// Times of the connection: the library's own would wait up to ten minutes, or
// for ever on a dead socket.
const (
	retryInterval = time.Second
	maxRetry      = 3 * time.Second
	writeTimeout  = 10 * time.Second
	lastWordsMs   = 250 // for the last answers to leave
	tellAgain     = time.Minute
)

// options guards against the library's defaults. The session is clean: gateways
// send again, and a persistent shared session would keep a dead collector's
// share from the others. Messages keep their order, which is fine for a handler
// that only queues; they are acknowledged once queued.
func (l *link) options(gone chan struct{}) *paho.ClientOptions {
	o := paho.NewClientOptions().AddBroker(l.broker.URL).SetClientID(l.broker.ClientID).
		SetUsername(l.broker.Username).SetPassword(l.password).
		SetCleanSession(true).SetStore(forgetful{}).SetOrderMatters(true).SetKeepAlive(30 * time.Second).
		SetAutoReconnect(true).SetMaxReconnectInterval(maxRetry).
		SetConnectRetry(true).SetConnectRetryInterval(retryInterval).
		SetConnectTimeout(maxRetry).SetWriteTimeout(writeTimeout).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { l.handle(m.Topic(), m.Payload(), gone) }).
		SetOnConnectHandler(l.subscribe).
		SetConnectionNotificationHandler(l.notice).
		SetConnectionLostHandler(func(_ paho.Client, err error) { l.log.Warn("broker lost, reconnecting", "error", err) })
	if l.tls != nil {
		o.SetTLSConfig(l.tls)
	}
	if buffered(l.broker.URL) {
		o.SetCustomOpenConnectionFn(dialSocket)
	}
	return o
}

// notice tells of tries to connect that fail, the first and then now and then.
func (l *link) notice(_ paho.Client, n paho.ConnectionNotification) {
	failed, ok := n.(paho.ConnectionNotificationFailed)
	if !ok {
		return
	}
	if now := time.Now().UnixMilli(); now-l.told.Load() >= tellAgain.Milliseconds() {
		l.told.Store(now)
		l.log.Warn("the broker cannot be joined, trying on", "broker", l.broker.URL, "error", config.Explained(failed.Reason, l.tls))
	}
}

// A forgetful store keeps nothing for a reconnect: what was not acknowledged comes
// again anyway, and what was not answered is asked again.
type forgetful struct{}

func (forgetful) Open()                             {}
func (forgetful) Put(string, packets.ControlPacket) {}
func (forgetful) Get(string) packets.ControlPacket  { return nil }
func (forgetful) All() []string                     { return nil }
func (forgetful) Del(string)                        {}
func (forgetful) Close()                            {}
func (forgetful) Reset()                            {}

// subscribe runs after each connect, since a clean session forgets, and until it
// succeeds. The subscriptions have no handler of their own: everything goes to
// the default one, so that no message can arrive before its route.
func (l *link) subscribe(c paho.Client) {
	l.subscribed.Store(len(l.filters) == 0)
	if len(l.filters) == 0 {
		return
	}
	for c.IsConnectionOpen() {
		err := l.trySubscribe(c)
		if err == nil {
			l.subscribed.Store(true)
			l.log.Info("receiving from the broker", "broker", l.broker.URL, "client", l.broker.ClientID)
			return
		}
		l.log.Error("subscription failed", "broker", l.broker.URL, "error", err)
		time.Sleep(retryInterval)
	}
}

// trySubscribe asks for all filters at once: a broker answers with the registries
// that it retains before it takes the next reading, which they judge.
func (l *link) trySubscribe(c paho.Client) error {
	wanted := map[string]byte{}
	for _, filter := range l.filters {
		wanted[filter] = 1
	}
	token := c.SubscribeMultiple(wanted, nil)
	if !token.WaitTimeout(writeTimeout) {
		return errors.New("no answer of the broker")
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("broker refuses: %w: allow user %q to read %v", err, l.broker.Username, l.filters)
	}
	for filter, granted := range token.(*paho.SubscribeToken).Result() {
		if granted > 2 {
			return fmt.Errorf("broker refuses %s: allow it for user %q", filter, l.broker.Username)
		}
	}
	return nil
}

// connect opens the link, unless it is open. It does not wait: the library
// tries until it succeeds.
func (l *link) connect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		return
	}
	l.gone = make(chan struct{})
	l.subscribed.Store(false)
	l.client = paho.NewClient(l.options(l.gone))
	l.client.Connect()
}

// shut stops receiving; answers can still be sent.
func (l *link) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		close(l.gone)
		l.gone = nil
	}
}

// disconnect closes the link. A handler that waits for room in the queue gives
// up first, else the library could not end.
func (l *link) disconnect() {
	l.shut()
	l.mu.Lock()
	client := l.client
	l.client = nil
	l.mu.Unlock()
	if client != nil {
		client.Disconnect(lastWordsMs)
	}
}

func (l *link) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client != nil
}

// connected reports whether all that is wanted comes in.
func (l *link) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client != nil && l.client.IsConnectionOpen() && l.subscribed.Load()
}

// publish sends an answer. It does not wait for the broker's: the library
// reports success for messages that a reconnect lost, and the gateway sends
// again what was not answered.
func (l *link) publish(topic string, payload []byte) {
	l.mu.Lock()
	client := l.client
	l.mu.Unlock()
	if client != nil && client.IsConnectionOpen() {
		client.Publish(topic, 1, false, payload)
	}
}
