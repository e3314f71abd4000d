package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

type loadCommand struct {
	configured
	File string `arg:"" help:"The residence's file (YAML)." type:"path" name:"RESIDENCE.yaml"`
}

// Run stores a residence's file. While the API runs, it publishes what changed
// within seconds.
func (l loadCommand) Run(ctx context.Context, p program) (err error) {
	c, err := l.load(p)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(l.File)
	if err != nil {
		return fmt.Errorf("residence's file: %w", err)
	}
	r, err := roster.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: nothing was stored:\n%w", l.File, err)
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := roster.Store(ctx, db, r); err != nil {
		return fmt.Errorf("%s: nothing was stored: %w", l.File, err)
	}
	fmt.Fprintf(p.stdout, "residence %s: %d dwellings, %d households, %d persons, %d meters\n", r.Premises.Residence.ID,
		len(r.Premises.Dwellings), len(r.Premises.Households), len(r.Persons), len(r.Meters.Meters))
	return nil
}

type inviteCommand struct {
	configured
	JSON    bool     `name:"json" help:"Print a JSON list of person, code and expires instead of lines \"person code\"."`
	Persons []string `arg:"" help:"Ids of persons, as in the residence's file." name:"PERSON"`
}

type invitation struct {
	Person  string `json:"person"`
	Code    string `json:"code"`
	Expires string `json:"expires"`
}

// Run prints a new code for each person. Codes of persons before one that fails
// are printed all the same, because they replaced the old ones.
func (i inviteCommand) Run(ctx context.Context, p program) (err error) {
	c, store, end, err := i.accounts(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	expires := time.Now().Add(c.SignIn.Code)
	invited, failed := invite(ctx, store, i.Persons, expires)
	return errors.Join(failed, i.print(p, invited))
}

type adminCommand struct {
	configured
	JSON     bool   `name:"json" help:"Print a JSON list of person, code and expires instead of a line \"person code\"."`
	IfNone   bool   `help:"Where there is an administrator already, do nothing, and succeed."`
	Name     string `required:"" help:"First and last name, as on a letter."`
	Language string `default:"fr" enum:"fr,en" help:"Language of the pages: fr or en."`
}

// Run makes the first administrator, who gives all other roles on the page
// /reglages, and prints the code to sign in with.
func (a adminCommand) Run(ctx context.Context, p program) (err error) {
	c, store, end, err := a.accounts(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	expires := time.Now().Add(c.SignIn.Code)
	person, code, err := store.FirstAdministrator(ctx, a.Name, a.Language, expires)
	if errors.Is(err, accounts.ErrAdministrated) && a.IfNone {
		return nil
	}
	if errors.Is(err, accounts.ErrAdministrated) {
		return fmt.Errorf("%w: let them give the role on the page /reglages, or give them a new code with: api invite PERSON", err)
	}
	if err != nil {
		return err
	}
	return inviteCommand{JSON: a.JSON}.print(p, []invitation{{string(person.ID), code.String(), expires.UTC().Format(time.RFC3339)}})
}

// accounts opens the accounts of the configured database; end closes it.
func (c configured) accounts(ctx context.Context, p program) (config Config, store *accounts.Store, end func() error, err error) {
	if config, err = c.load(p); err != nil {
		return config, nil, nil, err
	}
	db, err := sqldb.Open(ctx, config.Database.DSN)
	if err != nil {
		return config, nil, nil, err
	}
	if store, err = accounts.NewStore(db, accounts.DefaultCost()); err != nil {
		return config, nil, nil, errors.Join(err, db.Close())
	}
	return config, store, db.Close, nil
}

func invite(ctx context.Context, store *accounts.Store, persons []string, expires time.Time) ([]invitation, error) {
	invited := []invitation{}
	for _, person := range persons {
		code, err := store.Invite(ctx, accounts.PersonID(person), expires)
		if errors.Is(err, accounts.ErrNoPerson) {
			return invited, fmt.Errorf("person %q is not known: load the residence's file that names them first", person)
		}
		if err != nil {
			return invited, err
		}
		invited = append(invited, invitation{person, code.String(), expires.UTC().Format(time.RFC3339)})
	}
	return invited, nil
}

func (i inviteCommand) print(p program, invited []invitation) error {
	if i.JSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(invited)
	}
	for _, v := range invited {
		fmt.Fprintln(p.stdout, v.Person, v.Code)
	}
	return nil
}
