package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// A browser sends requests with the cookie of its session.
type browser struct {
	url    string
	client *http.Client
}

// newBrowser returns one that opens as many connections as it has requests at
// once, and keeps them.
func newBrowser(url string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{url, &http.Client{Jar: jar, Timeout: time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}, err
}

// signIn waits until the program answers, and signs in.
func (b *browser) signIn(ctx context.Context, code string) error {
	err := bench.Within(ctx, time.Minute, func() error {
		_, err := b.send(ctx, http.MethodGet, "/healthz", "", nil, http.StatusOK)
		return err
	})
	if err != nil {
		return err
	}
	typed, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		return err
	}
	_, err = b.send(ctx, http.MethodPost, "/api/v1/session", "application/json", typed, http.StatusNoContent)
	return err
}

// send returns the body of an answer of the status wanted.
func (b *browser) send(ctx context.Context, method, path, mediaType string, body []byte, want int) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("%s %s: status %d, want %d: %.300s", method, path, answer.StatusCode, want, text)
	}
	return text, nil
}

// dwelling reads one dwelling's registry data.
func (b *browser) dwelling(ctx context.Context, id string) error {
	text, err := b.send(ctx, http.MethodGet, "/api/v1/dwellings/"+id, "", nil, http.StatusOK)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(`"id":"`+id+`"`)) {
		return fmt.Errorf("dwelling %s: the answer is another's: %.300s", id, text)
	}
	return nil
}

// An imported is what the program says of an import.
type imported struct {
	ID    string
	State string
	Made  int
}

// importStock sends a file and waits until all of it is written.
func (b *browser) importStock(ctx context.Context, f format, file []byte, dwellings int) error {
	text, err := b.send(ctx, http.MethodPost, "/api/v1/stock-imports?dry_run=false", f.mediaType, file, http.StatusAccepted)
	if err != nil {
		return err
	}
	var begun, now imported
	if err := json.Unmarshal(text, &begun); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	err = bench.Within(ctx, 5*time.Minute, func() error {
		text, err := b.send(ctx, http.MethodGet, "/api/v1/stock-imports/"+begun.ID, "", nil, http.StatusOK)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &now); err != nil {
			return err
		}
		if now.State == "checking" || now.State == "importing" {
			return fmt.Errorf("import %s is %s", begun.ID, now.State)
		}
		return nil
	})
	if err == nil && (now.State != "done" || now.Made != dwellings) {
		err = fmt.Errorf("import %s is %s with %d of %d dwellings", begun.ID, now.State, now.Made, dwellings)
	}
	return err
}
