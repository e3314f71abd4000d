package charges

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Note is what a household is told of its consumption for a month or a year: for
// heat and hot water French law asks for it each month and with the yearly
// statement (fr. code de l'énergie, R.241-14-1; loi 89-462, article 6-2). It tells
// what was used since the last note and since 1 January, beside last year as a
// graph and beside a similar user, at which price, and whom to ask.
type Note struct {
	From   civil.Date `json:"from"`
	To     civil.Date `json:"to"` // excluded
	Yearly bool       `json:"yearly"`
	Place  Place      `json:"place"`
	// Kinds are those of the home, heat and hot water first.
	Kinds []NoteKind `json:"kinds"`
}

// A Place is the dwelling of a note, as on an envelope.
type Place struct {
	Residence string `json:"residence"`
	Street    string `json:"street"`
	Postcode  string `json:"postcode"`
	Town      string `json:"town"`
	Building  string `json:"building"`
	Staircase string `json:"staircase"`
	Label     string `json:"label"`
}

// A NoteKind is what a note tells of one kind. Every figure explains itself, and
// says where it is not known.
type NoteKind struct {
	Kind   metering.Kind        `json:"kind"`
	Period metering.Explanation `json:"period"`
	// SinceJanuary is of the calendar year up to the end of the period, from the day
	// of moving in where that is later; of a yearly note it is the same.
	SinceJanuary metering.Explanation `json:"since_january"`
	// Since is the day on which SinceJanuary begins: of moving in, or from which on
	// readings are known; zero where none is.
	Since civil.Date `json:"since,omitzero"`
	// Bars are the twelve months that end with the period, each beside the one of a
	// year before.
	Bars []NoteBar `json:"bars"`
	// LastYear is of the period; see [consumption.Comparison].
	LastYear consumption.Comparison `json:"last_year"`
	// Similar is what similar homes used in the last month of the period, and Own
	// the home itself; nil where nothing may be told.
	Similar *consumption.Typical `json:"similar,omitempty"`
	Own     *metering.Amount     `json:"own,omitempty"`
	// People live in the home, as it declared; 0 where nothing is told for each.
	People int `json:"people,omitempty"`
}

// A NoteBar is a month and the same of the year before; nil where not known.
type NoteBar struct {
	Month    civil.Month      `json:"month"`
	Used     *metering.Amount `json:"used,omitempty"`
	LastYear *metering.Amount `json:"last_year,omitempty"`
}

// lawFirst are the kinds in the order of a note.
var lawFirst = []metering.Kind{metering.Heat, metering.HotWater, metering.ColdWater, metering.Electricity, metering.Gas}

// errNotOver is a note of days that are not over.
var errNotOver = &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}

// A Writer makes notes.
type Writer struct {
	Store  *Store
	Reader *consumption.Reader
	Around *consumption.Neighbourhood
}

// Monthly returns the note of a month, as known at now. It fails with the problems
// NotFound where the month is not over, or the viewer may see no home in it, and
// as [consumption.Reader.Lived] does.
func (w Writer) Monthly(ctx context.Context, v premises.Viewer, month civil.Month, now time.Time) (Note, error) {
	return w.note(ctx, v, Note{From: month.First(), To: month.Next().First()}, now)
}

// Yearly is [Writer.Monthly] of a calendar year.
func (w Writer) Yearly(ctx context.Context, v premises.Viewer, year int, now time.Time) (Note, error) {
	from, to := consumption.Year(year)
	return w.note(ctx, v, Note{From: from, To: to, Yearly: true}, now)
}

func (w Writer) note(ctx context.Context, v premises.Viewer, n Note, now time.Time) (Note, error) {
	last := n.To.AddDays(-1).MonthOf()
	since := civil.Date{Year: last.Year - 2, Month: last.Month, Day: 1} // 24 months of bars
	// Whoever did not live there in the period gets no note, whatever was before; and
	// of the homes before nothing is in it, which have other prices and another area.
	home, err := w.Reader.Lived(ctx, v, now, since, n.From, n.To)
	if err != nil {
		return Note{}, err
	}
	if home.Today.Before(n.To) {
		return Note{}, errNotOver
	}
	stay := home.Stays[len(home.Stays)-1]
	if n.Place, err = w.Store.place(ctx, stay.Dwelling); err != nil {
		return Note{}, err
	}
	priced, err := w.Store.Priced(ctx, home)
	if err != nil {
		return Note{}, err
	}
	weather, err := w.Around.Weather(ctx, stay.Dwelling.Residence, consumption.Since(n.From), n.To)
	if err != nil {
		return Note{}, err
	}
	for _, kind := range lawFirst {
		for _, s := range home.Series {
			if s.Kind != kind {
				continue
			}
			k := priced.noteOf(s, n, weather)
			if err := w.similar(ctx, &k, s, stay, last, now); err != nil {
				return Note{}, err
			}
			n.Kinds = append(n.Kinds, k)
		}
	}
	if n.Kinds == nil {
		n.Kinds = []NoteKind{}
	}
	return n, nil
}

// noteOf tells of one kind.
func (p PricedHome) noteOf(s consumption.Series, n Note, weather consumption.Weather) NoteKind {
	first, _ := consumption.Year(n.To.AddDays(-1).Year)
	if in := p.home.Stays[len(p.home.Stays)-1].MovedIn; first.Before(in) {
		first = in
	}
	k := NoteKind{Kind: s.Kind, Period: p.Cost(s, n.From, n.To), SinceJanuary: p.Cost(s, first, n.To),
		LastYear: s.Compared(consumption.LastYear, n.From, n.To, p.home.Today, weather)}
	if parts := k.SinceJanuary.Parts; len(parts) > 0 {
		k.Since, _ = spanned(parts, p.home.Zone)
	}
	month := n.To.AddDays(-1).MonthOf()
	for range monthsOfAYear {
		k.Bars = append(k.Bars, NoteBar{month, s.Whole(month), s.Whole(civil.Month{Year: month.Year - 1, Month: month.Month})})
		month = month.Prev()
	}
	for i, j := 0, len(k.Bars)-1; i < j; i, j = i+1, j-1 {
		k.Bars[i], k.Bars[j] = k.Bars[j], k.Bars[i]
	}
	return k
}

// similar sets the last month of the period beside the neighbours'.
func (w Writer) similar(ctx context.Context, k *NoteKind, s consumption.Series, stay premises.Stay, month civil.Month, now time.Time) error {
	people, err := w.Around.Occupants(ctx, stay.Household)
	if err != nil {
		return err
	}
	own, ok := s.ByMeasure(month, stay.Dwelling.AreaM2, people)
	if !ok || month.First().Before(stay.From) || stay.To.Before(month.Next().First()) {
		return nil
	}
	typical, ok, err := w.Around.Typical(ctx, stay.Dwelling.Residence, stay.Zone, s.Kind, month, people, now)
	if err == nil && ok {
		k.Similar, k.Own, k.People = &typical, &own, people
	}
	return err
}

const placeOf = `
SELECT name, street, postcode, town
  FROM residence
 WHERE id = $1`

// place returns where a dwelling is. The caller has found it among somebody's stays.
func (s *Store) place(ctx context.Context, d premises.Dwelling) (Place, error) {
	p := Place{Building: d.Building, Staircase: d.Staircase, Label: d.Label}
	err := s.db.QueryRowContext(ctx, placeOf, string(d.Residence)).Scan(&p.Residence, &p.Street, &p.Postcode, &p.Town)
	if err != nil {
		return Place{}, fmt.Errorf("place of dwelling %s: %w", d.ID, err)
	}
	return p, nil
}
