package main

import (
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A desk is what lets persons in: their store, the door, the clerk who invites
// them, and the outbox of what they are sent.
type desk struct {
	persons *accounts.Store
	door    *accounts.Door
	clerk   *accounts.Clerk
	outbox  *notify.Outbox
	told    *alerts.Writer // of alerts
}

func newDesk(c Config, db *sql.DB, log *slog.Logger, now func() time.Time) (*desk, error) {
	persons, err := accounts.NewStore(db, accounts.DefaultCost())
	if err != nil {
		return nil, err
	}
	sender, err := notify.NewSender(c.Mail)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	clerk := &accounts.Clerk{Store: persons, Site: c.siteAddress(), Sender: c.Letter.Sender,
		Advisor: c.Advisor.Name, Dial: c.Advisor.Telephone, Code: c.SignIn.Code, Now: now, Say: say, Date: writeDate}
	told := &alerts.Writer{Store: alerts.NewStore(db), Site: c.siteAddress(), Sender: c.Letter.Sender, Advisor: c.Advisor.Name,
		Telephone: c.Advisor.Telephone, Now: now, Say: say, Date: writeDate}
	composers := clerk.Composers()
	maps.Copy(composers, told.Composers())
	maps.Copy(composers, c.trainingClerk(db, now).Composers())
	outbox := notify.NewOutbox(db, sender, composers, now, log)
	clerk.Outbox = outbox
	door := &accounts.Door{Store: persons, Throttle: accounts.NewThrottle(), Asks: accounts.NewAskThrottle(), Outbox: outbox,
		Log: log, Now: now, Terms: c.SignIn.terms(), Secure: c.SignIn.Secure}
	return &desk{persons, door, clerk, outbox, told}, nil
}

// say is a text of the catalogue in a person's language, French where the
// catalogue does not speak it.
func say(language, key string, args ...any) string { return speak(language).T(key, args...) }

// writeDate is a day with its year.
func writeDate(language string, d civil.Date) string { return speak(language).Date(d, civil.Date{}) }

func speak(language string) web.Language {
	if l, ok := web.ParseLanguage(language); ok {
		return l
	}
	return web.French()
}
