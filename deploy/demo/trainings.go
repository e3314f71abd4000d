package main

import (
	"context"
	"fmt"

	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/training"
)

// teach holds one session, at which one buyer was and another was not, and plans
// the next, in which the last buyer has a place. So one buyer is trained, one is
// late, one is on the way.
func (s shop) teach(ctx context.Context) error {
	course, err := s.lessons.CreateCourse(ctx, advisor, training.Course{Title: "Premiers pas avec mon ordinateur", Theme: training.FirstSteps,
		About: "Allumer, écrire, aller sur Internet, lire sa consommation."}, s.ago(soldFirst))
	if err != nil {
		return err
	}
	held, err := s.lessons.CreateSession(ctx, advisor, s.plan(course.ID, sessionWas), s.ago(soldSecond-1))
	if err != nil {
		return err
	}
	duties, err := s.lessons.Duties(ctx, advisor, training.Filter{Page: resource.Page{Limit: soldInDemo}}, s.now)
	if err != nil || len(duties) != soldInDemo {
		return fmt.Errorf("%d buyers owe a training, want %d: %w", len(duties), soldInDemo, err)
	}
	for _, d := range duties[:2] { // those who are due first bought first
		if err := s.lessons.Enrol(ctx, advisor, d.ID, held.ID, false, s.ago(sessionWas+10)); err != nil {
			return err
		}
	}
	_, rows, err := s.lessons.Sheet(ctx, trainer, held.ID)
	if err != nil {
		return err
	}
	var marks []training.Mark
	for i, row := range rows {
		marks = append(marks, training.Mark{Enrolment: row.ID, Present: i == 0})
	}
	if err := s.lessons.Record(ctx, trainer, held.ID, marks, s.ago(sessionWas-1)); err != nil {
		return err
	}
	next, err := s.lessons.CreateSession(ctx, advisor, s.plan(course.ID, -9), s.ago(soldThird))
	if err != nil {
		return err
	}
	return s.lessons.Enrol(ctx, advisor, duties[2].ID, next.ID, false, s.ago(soldThird-1))
}

// plan is a session so many days before the demo's start, or after it.
func (s shop) plan(course training.CourseID, ago int) training.Plan {
	return training.Plan{Course: course, Residence: s.residence, Trainer: trainer, Date: s.day(ago).String(), From: "14:00", To: "16:30",
		Place: "Salle commune, bâtiment A", Partner: "Terre des Sciences", Language: "fr", Childcare: "Les enfants peuvent venir.",
		Capacity: 8, MayWait: 3}
}
