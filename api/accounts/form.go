package accounts

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// proofKey is where a request keeps the session's form token as it is stored.
const proofKey = "xnet.proof"

// admit lets the request be the session's. From here on the session bears its form
// token masked anew: pages travel compressed, and whoever could read the length of
// many of them would else guess a token that never changes, letter by letter
// (BREACH, Gluck, Harris and Prado, 2013).
func admit(c echo.Context, session Session) {
	c.Set(proofKey, session.FormToken)
	session.FormToken = mask(session.FormToken)
	c.Set(sessionKey, session)
}

// CheckForm fails with the problem "form.stale" unless the form bears the
// session's form token, masked or as it is stored.
func CheckForm(c echo.Context) error {
	want, _ := c.Get(proofKey).(string)
	sent := unmask(c.FormValue(FormField))
	if want == "" || subtle.ConstantTimeCompare([]byte(sent), []byte(want)) != 1 {
		return &problem.Error{Kind: problem.Forbidden, Message: "form.stale"}
	}
	return nil
}

// mask writes a token as random bytes and the token under them; empty stays empty.
func mask(token string) string {
	if token == "" {
		return ""
	}
	masked := make([]byte, 2*len(token))
	pad, under := masked[:len(token)], masked[len(token):]
	_, _ = rand.Read(pad) // never fails (crypto/rand)
	subtle.XORBytes(under, pad, []byte(token))
	return base64.RawURLEncoding.EncodeToString(masked)
}

// unmask returns the token that [mask] wrote, and what is no mask as it is.
func unmask(sent string) string {
	masked, err := base64.RawURLEncoding.DecodeString(sent)
	half := len(masked) / 2
	if err != nil || len(masked) != 2*formTokenLength {
		return sent
	}
	token := make([]byte, half)
	subtle.XORBytes(token, masked[:half], masked[half:])
	return string(token)
}

// formTokenLength is how long one is as it is stored.
const formTokenLength = 43
