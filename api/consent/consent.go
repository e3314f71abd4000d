// Package consent knows what a household agreed to, how finely each meter may
// therefore be read, and what follows when it changes its mind: erasure, export,
// retention.
//
// Nothing is agreed to by default. Each purpose is agreed to on its own, for one
// tenancy, for three years at most. What is erased is written to a ledger beside
// the database before it is done, so that a back-up which is restored does not
// bring it back.
package consent

import (
	"errors"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Purpose is what a household may agree to, each on its own.
type Purpose string

// The purposes.
const (
	DailyFollowUp  Purpose = "daily_follow_up" // fr. suivi journalier, where consent is the basis
	FineCurve      Purpose = "fine_curve"      // fr. courbe fine: every reading, and the hours
	PersonalAdvice Purpose = "personal_advice" // fr. conseils personnalisés
)

// Purposes lists every purpose in the order in which people are asked.
var Purposes = []Purpose{DailyFollowUp, FineCurve, PersonalAdvice}

// TextVersion is the version of the text that is shown for the purpose now. The
// texts stand in the language catalogue, as in "consent.fine_curve.1.text"; one
// that changes gets the next number, because consents name the text that was
// read.
func (p Purpose) TextVersion() int { return textVersions[p] }

var textVersions = map[Purpose]int{DailyFollowUp: 1, FineCurve: 1, PersonalAdvice: 1}

// A Channel is how a consent came in.
type Channel string

// The channels.
const (
	OnPage      Channel = "page"
	OnPaper     Channel = "paper" // signed, kept by the landlord
	ByTelephone Channel = "telephone"
)

// Channels lists every channel.
var Channels = []Channel{OnPage, OnPaper, ByTelephone}

// An Ending is why a consent holds no more.
type Ending string

// The endings. The zero value is none.
const (
	Withdrawn Ending = "withdrawn"
	Expired   Ending = "expired"
	Left      Ending = "left" // with the tenancy
)

// Years is how long a consent holds at most.
const Years = 3

// A Consent is what one household agreed to, and its proof.
type Consent struct {
	ID          string
	Household   premises.HouseholdID
	Tenancy     string
	Purpose     Purpose
	TextVersion int
	Language    string // of the text that was read
	Channel     Channel
	GivenBy     accounts.PersonID // empty where the landlord's file said so
	CollectedBy string            // person who wrote it down, or "file"
	From, To    time.Time         // UTC
	Ended       time.Time         // UTC; zero while it was not ended
	EndedWhy    Ending
}

// Holds reports whether the consent counts at that instant, as far as it says
// itself: the end of the tenancy ends it too.
func (c Consent) Holds(at time.Time) bool {
	return !at.Before(c.From) && at.Before(c.To) && (c.Ended.IsZero() || at.Before(c.Ended))
}

// A Ground is the legal basis of what is read without consent.
type Ground string

// The grounds.
const (
	Charges     Ground = "charges"      // the household's share of the water
	MonthlyNote Ground = "monthly_note" // the note on heat and hot water that the law asks for
	OnlyConsent Ground = "consent"      // none
)

// A Basis says how finely meters of a kind may be read in a dwelling.
type Basis struct {
	Kind      metering.Kind
	Without   metering.Resolution // any consent
	WithDaily metering.Resolution
	WithFine  metering.Resolution
	Ground    Ground
}

// Bases is the table of legal bases, by kind: article 2.3 of the design's rules
// on privacy (EED for heat and hot water, CNIL on meters for the rest). The
// schema holds the same table; a test holds them against each other.
var Bases = []Basis{
	{metering.ColdWater, metering.Day, metering.Day, metering.Fine, Charges},
	{metering.HotWater, metering.Month, metering.Day, metering.Fine, MonthlyNote},
	{metering.Electricity, metering.Off, metering.Day, metering.Fine, OnlyConsent},
	{metering.Heat, metering.Month, metering.Day, metering.Fine, MonthlyNote},
	{metering.Gas, metering.Off, metering.Day, metering.Fine, OnlyConsent},
	{metering.Temperature, metering.Off, metering.Day, metering.Fine, OnlyConsent},
}

// Allowed returns how finely a dwelling's meter of the kind may be read where
// the household has agreed to given. An unknown kind is off.
func Allowed(kind metering.Kind, given ...Purpose) metering.Resolution {
	for _, b := range Bases {
		if b.Kind != kind {
			continue
		}
		allowed := b.Without
		for _, p := range given {
			switch p {
			case DailyFollowUp:
				allowed = finer(allowed, b.WithDaily)
			case FineCurve:
				allowed = finer(allowed, b.WithFine)
			}
		}
		return allowed
	}
	return metering.Off
}

func finer(a, b metering.Resolution) metering.Resolution {
	if a.Allows(b) {
		return a
	}
	return b
}

// Reasons for which something is refused; each is what a person is told.
var (
	ErrNone      = &problem.Error{Kind: problem.NotFound, Message: "consent.none"}
	ErrOtherText = &problem.Error{Kind: problem.Conflict, Message: "consent.other_text"}
)

// errNoHome is what a person is told who may not decide for a household that
// lives somewhere today, whether there is one or not.
func errNoHome() error { return &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"} }

// ErrLedger is why nothing was erased: it could not be written down first.
var ErrLedger = errors.New("ledger of erasures cannot be written: look at its disk")
