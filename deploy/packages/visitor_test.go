//go:build packages

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// A visitor is somebody who signed in.
type visitor struct {
	t      *testing.T
	client *http.Client
}

func signInCode(t *testing.T, printed string) string {
	t.Helper()
	_, code, ok := strings.Cut(strings.TrimSpace(printed), " ")
	if !ok {
		t.Fatalf("no code in %q", printed)
	}
	return code
}

func visit(t *testing.T, m *machine, code string) *visitor {
	t.Helper()
	v := &visitor{t, m.client()}
	if _, status := v.ask(http.MethodPost, "/session", map[string]string{"code": code}, "", nil); status != http.StatusNoContent {
		t.Fatalf("sign in: %d", status)
	}
	return v
}

// ask asks the API and returns the answer's version and status.
func (v *visitor) ask(method, path string, body any, version string, answer any) (etag string, status int) {
	v.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		v.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, pages+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if version != "" {
		request.Header.Set("If-Match", version)
	}
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if response.StatusCode >= 400 {
		v.t.Logf("%s %s: %s: %s", method, path, response.Status, said)
	}
	if answer != nil {
		if err := json.Unmarshal(said, answer); err != nil {
			v.t.Fatalf("%s %s: %s: %v", method, path, response.Status, err)
		}
	}
	return response.Header.Get("ETag"), response.StatusCode
}

// page returns the text of a page.
func (v *visitor) page(path string) (text string, status int, err error) {
	response, err := v.client.Get(pages + path)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return string(read), response.StatusCode, err
}

var notLetters, markup = regexp.MustCompile(`[^0-9A-Za-z]`), regexp.MustCompile(`(<[^>]*>|\s)+`)

// sees returns nil where the page of the home's meters shows so many litres.
func (v *visitor) sees(m *machine, litres uint32) error {
	page, status, err := v.page("/verifier")
	if err != nil {
		return err
	}
	if status != http.StatusOK || !strings.Contains(notLetters.ReplaceAllString(page, ""), fmt.Sprint(litres)) {
		journal, _ := m.try("journalctl", "--no-pager", "-n", "30", "-u", "xnet-gateway*", "-u", "xnet-collector")
		return fmt.Errorf("status %d: the page does not show %d: %s\n%s", status, litres, markup.ReplaceAllString(page, " "), journal)
	}
	return nil
}
