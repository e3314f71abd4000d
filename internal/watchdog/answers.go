package watchdog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// answerWithin is how long a program may take to answer itself.
const answerWithin = 10 * time.Second

// Answers returns a check for [Dog.Run] that asks the program's own /healthz at an
// address it listens on, host:port; a host that stands for all is asked on
// loopback. The check fails where no answer comes within ten seconds.
func Answers(listen string) func(context.Context) error {
	client := &http.Client{Timeout: answerWithin, Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context) error {
		host, port, err := net.SplitHostPort(listen)
		if err != nil {
			return fmt.Errorf("own address: %w", err)
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
		if err != nil {
			return fmt.Errorf("own address: %w", err)
		}
		answer, err := client.Do(request)
		if err != nil {
			return fmt.Errorf("the program does not answer itself: %w", err)
		}
		if err := errors.Join(answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the program answers itself with %s: %w", answer.Status, errors.Join(err, errUnwell))
		}
		return nil
	}
}

var errUnwell = errors.New("want 200")
