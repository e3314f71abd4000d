package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/programme/casestudy"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type loadCaseCommand struct {
	configured
	Show []string `help:"Who of the staff is to see it, as PERSON:ROLE; may be given several times." placeholder:"PERSON:ROLE"`
}

// Run loads the years 2006 to 2009 of the case as a residence of its own.
func (l loadCaseCommand) Run(ctx context.Context, p program) (err error) {
	c, err := l.load(p)
	if err != nil {
		return err
	}
	readers, err := readersOf(l.Show)
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	last := time.Now()
	err = casestudy.Load(ctx, db, readers, func(s casestudy.Step) {
		if s.Done == s.Made || time.Since(last) > time.Second {
			last = time.Now()
			fmt.Fprintf(p.stdout, "%s: %d of %d\n", s.What, s.Done, s.Made)
		}
	})
	if err == nil {
		fmt.Fprintf(p.stdout, "residence %s: loaded\n", casestudy.Residence)
	}
	return err
}

func readersOf(texts []string) ([]casestudy.Reader, error) {
	var all []casestudy.Reader
	for _, text := range texts {
		person, role, ok := strings.Cut(text, ":")
		known := false
		for _, r := range accounts.Roles {
			known = known || accounts.Role(role) == r
		}
		if !ok || !known || person == "" {
			return nil, fmt.Errorf("--show %q: want the id of a person, a colon and one of the roles %v", text, accounts.Roles)
		}
		all = append(all, casestudy.Reader{Person: accounts.PersonID(person), Role: accounts.Role(role)})
	}
	return all, nil
}

type exportIndicatorsCommand struct {
	configured
	Person    string `required:"" help:"Id of the manager, advisor or administrator whose residences count." placeholder:"PERSON"`
	Residence string `help:"Only this residence." placeholder:"ID"`
	From      string `help:"First day, YYYY-MM-DD; by default five years ago." placeholder:"DAY"`
	Until     string `help:"First day that does not count any more; by default tomorrow." placeholder:"DAY"`
	Format    string `enum:"csv,xlsx,pdf" default:"csv" help:"csv, xlsx or pdf."`
	Language  string `enum:"fr,en" default:"fr" help:"Language of the texts: fr or en."`
	Out       string `help:"File to write; by default standard output." type:"path" placeholder:"FILE"`
}

// Run writes the indicators as a file.
func (e exportIndicatorsCommand) Run(ctx context.Context, p program) (err error) {
	c, err := e.load(p)
	if err != nil {
		return err
	}
	period := programme.Period{Residence: metering.SiteID(e.Residence)}
	today := civil.DateIn(time.Now(), time.UTC)
	period.From, period.Until = programme.FiveYears(today)
	for name, day := range map[string]struct {
		text string
		into *civil.Date
	}{"--from": {e.From, &period.From}, "--until": {e.Until, &period.Until}} {
		if day.text == "" {
			continue
		}
		if *day.into, err = civil.ParseDate(day.text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if !period.From.Before(period.Until) {
		return fmt.Errorf("--until %s: want a day after --from %s", period.Until, period.From)
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := programme.NewStore(db)
	all, err := store.Indicators(ctx, accounts.PersonID(e.Person), period, time.Now())
	if errors.Is(err, programme.ErrNoResidence) {
		return fmt.Errorf("%s reads the programme of no such residence: name a manager, advisor or administrator of it with --person", e.Person)
	}
	if err != nil {
		return err
	}
	place, err := e.place(ctx, store)
	if err != nil {
		return err
	}
	file, err := e.file(c.printer(), place, today, all)
	if err != nil {
		return err
	}
	return write(p.stdout, e.Out, file)
}

// place is the name of the residence that was asked for; empty for all.
func (e exportIndicatorsCommand) place(ctx context.Context, store *programme.Store) (string, error) {
	all, err := store.Places(ctx, accounts.PersonID(e.Person))
	for _, p := range all {
		if string(p.ID) == e.Residence {
			return p.Name, nil
		}
	}
	return "", err
}

func (e exportIndicatorsCommand) file(paper programme.Printer, place string, today civil.Date, all []programme.Indicator) ([]byte, error) {
	switch e.Format {
	case "xlsx":
		return paper.XLSX(e.Language, all)
	case "pdf":
		return paper.PDF(e.Language, place, today, all)
	}
	return paper.CSV(e.Language, all)
}

// write writes a file, or to standard output where none is named.
func write(stdout io.Writer, path string, file []byte) error {
	if path == "" {
		_, err := stdout.Write(file)
		return err
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return fmt.Errorf("write the indicators: %w: name a file in a folder that can be written with --out", err)
	}
	return nil
}
