package accounts_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
)

// TestFormTokensNeverRepeat: two answers to one session bear different tokens,
// both are good, and neither holds the one that is stored.
func TestFormTokensNeverRepeat(t *testing.T) {
	const stored = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
	ask := func(sent string) (shown string, err error) {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(url.Values{accounts.FormField: {sent}}.Encode()))
		request.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
		c := echo.New().NewContext(request, httptest.NewRecorder())
		accounts.Admit(c, accounts.Session{FormToken: stored, Expires: time.Now()})
		session, _ := accounts.Who(c)
		return session.FormToken, accounts.CheckForm(c)
	}
	first, err := ask("")
	if err == nil {
		t.Error("a form without a token passes")
	}
	second, err := ask(first)
	if err != nil {
		t.Errorf("the token of a page shown before: %v", err)
	}
	if first == second || strings.Contains(first+second, stored) {
		t.Errorf("tokens %s and %s", first, second)
	}
	if _, err := ask(stored); err != nil {
		t.Errorf("the token as it is stored: %v", err)
	}
	for _, wrong := range []string{first[1:], strings.Repeat("A", len(first)), stored[1:] + "Z", "é"} {
		if _, err := ask(wrong); err == nil {
			t.Errorf("%q passes", wrong)
		}
	}
}
