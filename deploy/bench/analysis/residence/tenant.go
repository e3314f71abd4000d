package residence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// Serve starts the program and waits until it answers that it is ready. stop ends
// it.
func (h *House) Serve(ctx context.Context) (stop func(), err error) {
	child := &bench.Children{}
	if h.Verbose {
		child.Said = h.Said
	}
	command := exec.CommandContext(ctx, h.program, "run")
	command.Env = h.env
	if err := child.Start(command); err != nil {
		return nil, err
	}
	h.serving = command.Process.Pid
	err = bench.Within(ctx, time.Minute, func() error {
		_, err := send(ctx, http.DefaultClient, http.MethodGet, h.URL+"/readyz", nil, http.StatusOK)
		return err
	})
	if err != nil {
		child.Stop()
		return nil, fmt.Errorf("the API is not ready: %w", err)
	}
	return child.Stop, nil
}

// A Tenant is a browser with the cookie of one tenant's session.
type Tenant struct {
	url    string
	client *http.Client
}

// Tenants signs in the tenant of each dwelling. Their sessions outlive the
// program that they signed in at. All share one pool of connections.
func (h *House) Tenants(ctx context.Context) ([]Tenant, error) {
	pool := &http.Transport{MaxIdleConnsPerHost: 1000}
	var all []Tenant
	for n, code := range h.codes {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		t := Tenant{h.URL, &http.Client{Jar: jar, Transport: pool, Timeout: time.Minute}}
		typed, err := json.Marshal(map[string]string{"code": code})
		if err == nil {
			_, err = send(ctx, t.client, http.MethodPost, h.URL+"/api/v1/session", typed, http.StatusNoContent)
		}
		if err != nil {
			return nil, fmt.Errorf("sign in tenant %d: %w", n, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// Home returns the tenant's first page.
func (t Tenant) Home(ctx context.Context) (page []byte, err error) {
	page, err = send(ctx, t.client, http.MethodGet, t.url+"/", nil, http.StatusOK)
	if err == nil && !bytes.Contains(page, []byte("Bonjour")) {
		return nil, errors.New("GET / is not the first page of a tenant")
	}
	return page, err
}

func send(ctx context.Context, client *http.Client, method, url string, body []byte, want int) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("%s %s: status %d, want %d: %.300s", method, url, answer.StatusCode, want, text)
	}
	return text, nil
}
