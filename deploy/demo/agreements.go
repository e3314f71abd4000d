package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// agree writes down what the landlord agreed with partners, asked households and
// declared, once.
func (d *demo) agree(ctx context.Context) (err error) {
	db, err := sqldb.Open(ctx, d.path("api.sqlite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a := agreements{programme.NewStore(db), programme.Record{Residence: d.residence.SiteID}, d.today()}
	there, err := programme.List[programme.Partner](ctx, a.store, administrator, programme.Filter{Residence: d.residence.SiteID, Page: resource.Page{Limit: 1}})
	if err != nil || len(there) > 0 {
		return err
	}
	for _, write := range []func(context.Context) error{a.workshop, a.internet, a.surveys, a.declared} {
		if err := write(ctx); err != nil {
			return fmt.Errorf("programme of the demo: %w", err)
		}
	}
	return nil
}

// agreements are the programme of the demo's residence before anybody looks.
type agreements struct {
	store *programme.Store
	in    programme.Record
	today civil.Date
}

func (a agreements) workshop(ctx context.Context) error {
	partner, err := programme.Create(ctx, a.store, administrator, programme.Partner{Record: a.in, Name: "Atelier du Rempart", Kind: programme.WorkshopPartner,
		Contact: "Yves Aubier", Telephone: "02 41 00 00 20"})
	if err != nil {
		return err
	}
	until := a.today.AddDays(45)
	_, err = programme.Create(ctx, a.store, administrator, programme.Convention{Record: a.in, Partner: partner.ID, Title: "Remise en état et réparation", SignedOn: a.today.AddDays(-340),
		From: a.today.AddDays(-320), Until: &until, NoticeDays: 60, ReturnDays: 14,
		Commitments: []programme.Commitment{
			{Side: programme.Landlord, Topic: "stock", Promise: "Cinquante ordinateurs donnés par an."},
			{Side: programme.Other, Topic: "quality", Promise: "Chaque ordinateur est effacé, essayé et noté."},
			{Side: programme.Other, Topic: "turnaround", Promise: "Une réparation est rendue en quatorze jours."},
		},
		Prices: []programme.ServicePrice{{Service: "refurbish", PriceCents: 5500}, {Service: "repair", PriceCents: 3000}}})
	return err
}

func (a agreements) internet(ctx context.Context) error {
	_, err := programme.Create(ctx, a.store, administrator, programme.InternetOffer{Record: a.in, Operator: "Opérateur local", Title: "Accès social", MonthlyCents: 200,
		From: a.today.AddDays(-300), Source: "Accord du bailleur"})
	return err
}

func (a agreements) surveys(ctx context.Context) error {
	for _, s := range []struct {
		question programme.Question
		ago      int
		yes      int64
	}{{programme.HasComputer, 300, 24}, {programme.HasComputer, 30, 31}, {programme.HasInternet, 30, 29}} {
		answered := int64(40)
		_, err := programme.Create(ctx, a.store, administrator, programme.Survey{Record: a.in, Question: s.question, On: a.today.AddDays(-s.ago), Dwellings: 48,
			Answered: &answered, Yes: &s.yes, Source: "Porte-à-porte"})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a agreements) declared(ctx context.Context) error {
	on := a.today.AddDays(-10)
	for key, figure := range map[programme.Key]programme.Figure{"sold_used": 4_000, "revenue": 240_000} {
		_, err := programme.Create(ctx, a.store, administrator, programme.Declared{Record: a.in, Indicator: key, From: a.today.AddDays(-365), Until: a.today, Figure: figure,
			About: true, Source: "Bilan au comité", SourceDate: &on})
		if err != nil {
			return err
		}
	}
	return nil
}
