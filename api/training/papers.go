package training

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// spareLines are left free on an attendance sheet for who comes without a place.
const spareLines = 3

// SheetPDF returns the attendance sheet of a session to be signed, for who may
// see its names. It fails with [ErrNoSession].
func (k *Clerk) SheetPDF(ctx context.Context, staff accounts.PersonID, id SessionID, language string) ([]byte, error) {
	session, rows, err := k.Store.Sheet(ctx, staff, id)
	if err != nil {
		return nil, err
	}
	say := func(key string, args ...any) string { return k.Say(language, key, args...) }
	sheet := document.AttendanceSheet{
		Head: document.Head{Language: language, Sender: k.Sender, Title: say("training.sheet_title"),
			Date: say("letter.date", k.Date(language, civil.DateIn(k.Now(), session.Zone)))},
		Session:    k.facts(language, session),
		NameColumn: say("training.sheet_name"),
		SignColumn: say("training.sheet_sign"),
		NoteColumn: say("training.sheet_note"),
		Spare:      spareLines,
		Notes:      []string{say("training.sheet_more")},
		Signatures: []string{say("training.sheet_trainer"), say("training.sheet_partner")},
	}
	for _, r := range rows {
		sheet.Names = append(sheet.Names, r.Name)
	}
	return document.AttendancePages(sheet)
}

// CertificatePDF returns the certificate of a training that was followed. Its
// duty must have been found for who asks. It fails with [ErrNotTrained].
func (k *Clerk) CertificatePDF(ctx context.Context, d Duty) ([]byte, error) {
	story, err := k.Store.Story(ctx, d)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(story.Ways, func(t Told) bool { return t.State == Attended })
	if at < 0 {
		return nil, ErrNotTrained
	}
	session, _, err := k.Store.SessionOf(ctx, story.Ways[at].Way)
	if err != nil {
		return nil, err
	}
	say := func(key string, args ...any) string { return k.Say(d.Language, key, args...) }
	c := document.Certificate{
		Head: document.Head{Language: d.Language, Sender: k.Sender, Title: say("training.certificate"),
			Date: say("letter.date", k.Date(d.Language, civil.DateIn(k.Now(), session.Zone)))},
		Opening:    say("training.certificate_opening"),
		Name:       d.Name,
		Sentence:   say("training.certificate_sentence"),
		ThemesHead: say("training.certificate_themes"),
		Themes:     []string{say(ThemeKey(session.Course.Theme))},
		Facts: []document.Fact{{Name: say("training.fact_course"), Text: session.Course.Title},
			{Name: say("training.fact_date"), Text: k.Date(d.Language, session.Day())},
			{Name: say("training.fact_length"), Text: k.length(d.Language, session.Ends.Sub(session.Starts))},
			{Name: say("training.fact_place"), Text: session.Place}},
		Signatures: []string{say("training.certificate_landlord"), say("training.sheet_trainer")},
	}
	if session.Partner != "" {
		c.Facts = append(c.Facts, document.Fact{Name: say("training.fact_partner"), Text: session.Partner})
	}
	return document.CertificatePage(c)
}

// length writes how long a session lasts, in hours and minutes.
func (k *Clerk) length(language string, d time.Duration) string {
	return k.Say(language, "training.length", int(d.Hours()), int(d.Minutes())%60)
}

// ThemeKey is the key of what a theme is called.
func ThemeKey(t Theme) string {
	switch t {
	case InternetAndMail:
		return "training.theme_internet"
	case MyConsumption:
		return "training.theme_consumption"
	case Safety:
		return "training.theme_safety"
	default:
		return "training.theme_first"
	}
}
