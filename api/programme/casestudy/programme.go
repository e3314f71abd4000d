package casestudy

import (
	"context"
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// loadProgramme writes what the programme was made of besides computers and
// trainings.
func (l *load) loadProgramme(ctx context.Context) error {
	steps := []func(context.Context) error{
		l.partners, l.conventions,
		func(ctx context.Context) error { return put(ctx, l, l.campaigns()) },
		func(ctx context.Context) error { return put(ctx, l, l.surveys()) },
		func(ctx context.Context) error { return put(ctx, l, l.offers()) },
		func(ctx context.Context) error { return put(ctx, l, l.staff()) },
		func(ctx context.Context) error { return put(ctx, l, l.declared()) },
	}
	for i, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
		l.tell(Step{"records of the programme", i + 1, len(steps)})
	}
	return nil
}

// put writes the records that an earlier load did not come to: it wrote them in the
// same order.
func put[T any, P programme.Noun[T]](ctx context.Context, l *load, all []T) error {
	known, err := list[T, P](ctx, l)
	if err != nil {
		return err
	}
	for _, t := range all[min(len(known), len(all)):] {
		if _, err := programme.Create[T, P](ctx, l.programme, l.clerk, t); err != nil {
			return err
		}
	}
	return nil
}

func list[T any, P programme.Noun[T]](ctx context.Context, l *load) ([]T, error) {
	return programme.List[T, P](ctx, l.programme, l.clerk, programme.Filter{Residence: Residence, Page: resource.Page{Limit: 1000}})
}

// here is the head of a record of the case.
func here() programme.Record { return programme.Record{Residence: Residence} }

func (l *load) partners(ctx context.Context) error {
	var all []programme.Partner
	for _, p := range l.Partners {
		all = append(all, programme.Partner{Record: here(), Name: p.Name, Kind: programme.PartnerKind(p.Kind)})
	}
	return put(ctx, l, all)
}

func (l *load) conventions(ctx context.Context) error {
	partners, err := list[programme.Partner](ctx, l)
	if err != nil {
		return err
	}
	var all []programme.Convention
	for _, c := range l.Conventions {
		i := slices.IndexFunc(partners, func(p programme.Partner) bool { return p.Name == c.Partner })
		if i < 0 {
			return fmt.Errorf("convention %q: no partner %q", c.Title, c.Partner)
		}
		made := programme.Convention{Record: here(), Partner: partners[i].ID, Title: c.Title, SignedOn: mustDate(c.SignedOn), From: mustDate(c.From),
			Until: endOf(c.Until), NoticeDays: c.NoticeDays}
		for _, k := range c.Commitments {
			made.Commitments = append(made.Commitments, programme.Commitment{Side: programme.Side(k.Side), Topic: programme.Topic(k.Topic), Promise: k.Promise})
		}
		all = append(all, made)
	}
	return put(ctx, l, all)
}

func endOf(text string) *civil.Date {
	d := mustDate(text)
	return &d
}

func (l *load) campaigns() (all []programme.Campaign) {
	for _, c := range l.Campaigns {
		all = append(all, programme.Campaign{Record: here(), Title: c.Title, Goal: programme.Goal(c.Goal), Audience: c.Audience,
			Channel: programme.Channel(c.Channel), From: mustDate(c.From), Until: mustDate(c.Until), Note: c.Note})
	}
	return all
}

// surveys speak for all dwellings; how many answered the source does not tell.
func (l *load) surveys() (all []programme.Survey) {
	for _, s := range l.Surveys {
		all = append(all, programme.Survey{Record: here(), Question: programme.Question(s.Question), On: mustDate(s.On),
			Dwellings: int64(l.Buildings * l.Flats), Tenths: s.Tenths, Source: s.Source})
	}
	return all
}

func (l *load) offers() (all []programme.InternetOffer) {
	for _, o := range l.Offers {
		all = append(all, programme.InternetOffer{Record: here(), Operator: o.Operator, Title: o.Title, MonthlyCents: o.MonthlyCents,
			From: mustDate(o.From), Source: o.Source})
	}
	return all
}

func (l *load) staff() (all []programme.StaffTime) {
	for _, s := range l.Staff {
		all = append(all, programme.StaffTime{Record: here(), Role: programme.StaffRole(s.Role), From: mustDate(s.From), Until: mustDate(s.Until),
			PostThousandths: &s.PostThousandths, Label: s.Label, Source: s.Source})
	}
	return all
}

func (l *load) declared() (all []programme.Declared) {
	for _, f := range l.Declared.Figures {
		all = append(all, programme.Declared{Record: here(), Indicator: programme.Key(f.Indicator), From: mustDate(l.Declared.From),
			Until: mustDate(l.Declared.Until), Figure: programme.Figure(f.Figure * 1000), About: f.About, Source: l.Declared.Source})
	}
	return all
}
