package computers

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Verdict is the answer to "is this registered?".
type Verdict string

// The verdicts.
const (
	Covered Verdict = "covered"  // registered, under guarantee
	Expired Verdict = "expired"  // registered, the guarantee is over
	NotSold Verdict = "not_sold" // registered, nobody has it; always so of meters and gateways
	Unknown Verdict = "unknown"
)

// A Thing is what a check found.
type Thing string

// The things.
const (
	ThingMachine Thing = "machine"
	ThingMeter   Thing = "meter"
	ThingGateway Thing = "gateway"
	Nothing      Thing = ""
)

// An Answer is what a registration check tells.
type Answer struct {
	Typed   string
	Verdict Verdict
	Thing   Thing
	Until   civil.Date // last day of the guarantee, for covered and expired; zero where there is none
	Machine *Sheet     // for a machine; whose it is only while a repair is open
	Device  *Device    // for a meter or a gateway
	Alike   []Likeness // others whose serial, tag, MAC or id looks the same or is a slip away
}

// A Likeness is a thing that may be meant.
type Likeness struct {
	Thing   Thing
	Machine MachineID // of a machine
	Device  string    // id of a meter or a gateway
	Tag     string
	Serial  string
	Maker   string
	Model   string
	Slip    bool // a sign differs; false where only O and 0, or 1, I and L do
}

const (
	longestTyped = 200
	mostAlike    = 10
)

const findNames = `
SELECT machine_name.plain, machine_name.folded, machine.id, machine.tag, machine.serial, machine.maker, machine.model
  FROM machine_name
  JOIN machine ON machine.id = machine_name.machine_id
 WHERE` + byReaders + `
   AND machine_name.folded IN `

type named struct {
	plain, folded string
	Likeness
}

func scanNamed(rows *sql.Rows) (n named, err error) {
	n.Thing = ThingMachine
	return n, rows.Scan(&n.plain, &n.folded, &n.Machine, &n.Tag, &n.Serial, &n.Maker, &n.Model)
}

// Check answers whether what was typed or scanned, a serial, a tag, a QR code's
// text or a MAC, is registered in a residence where the person has a workshop or
// sells, and writes the check down. It fails with a fault of "typed" where that is
// empty or too long.
func (s *Store) Check(ctx context.Context, who accounts.PersonID, typed string, now time.Time) (Answer, error) {
	typed = strings.TrimSpace(strings.Map(dropHidden, strings.ToValidUTF8(typed, "")))
	a := Answer{Typed: typed, Verdict: Unknown}
	switch {
	case Plain(typed) == "":
		return a, fault("typed", "field.missing")
	case len(typed) > longestTyped:
		return a, fault("typed", "field.too_long", longestTyped)
	}
	id, err := s.recognise(ctx, who, &a)
	if err == nil && id != "" {
		err = s.judge(ctx, who, &a, id, now)
	}
	if err == nil {
		err = s.noteCheck(ctx, who, a, id, now)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("check a registration: %w", err)
	}
	return a, nil
}

// dropHidden leaves out what a scanner may send and no label bears.
func dropHidden(r rune) rune {
	if r == '\n' || hidden(r) {
		return -1
	}
	return r
}

// recognise finds the machine, or else the device, and what looks like it.
func (s *Store) recognise(ctx context.Context, who accounts.PersonID, a *Answer) (id MachineID, err error) {
	same, err := several(ctx, s.db, scanNamed, findNames+list(2, 1), string(who), Fold(a.Typed))
	if err != nil {
		return "", err
	}
	written := Plain(a.Typed)
	for _, n := range same {
		if n.plain == written && id == "" {
			id = n.Machine
		}
	}
	for _, n := range same {
		if n.Machine != id {
			a.liken(n.Likeness)
		}
	}
	if id != "" {
		return id, nil
	}
	if err := s.device(ctx, who, a); err != nil || a.Device != nil {
		return "", err
	}
	if err := s.slips(ctx, who, a); err != nil {
		return "", err
	}
	return "", s.deviceSlips(ctx, who, a)
}

func (a *Answer) liken(l Likeness) {
	known := slices.ContainsFunc(a.Alike, func(other Likeness) bool { return other.Machine == l.Machine && other.Device == l.Device })
	if !known && len(a.Alike) < mostAlike {
		a.Alike = append(a.Alike, l)
	}
}

const findSlips = `
SELECT machine_name.plain, machine_name.folded, machine.id, machine.tag, machine.serial, machine.maker, machine.model
  FROM machine
  JOIN machine_name ON machine_name.machine_id = machine.id
 WHERE machine.id IN (SELECT machine_slip.machine_id FROM machine_slip WHERE machine_slip.variant IN `

// slips adds what differs by one slip from what was typed.
func (s *Store) slips(ctx context.Context, who accounts.PersonID, a *Answer) error {
	folded := Fold(a.Typed)
	args := []any{string(who)}
	for _, v := range Variants(folded) {
		args = append(args, v)
	}
	if len(args) == 1 {
		return nil
	}
	near, err := several(ctx, s.db, scanNamed, findSlips+list(2, len(args)-1)+`) AND`+byReaders+`ORDER BY machine.tag`, args...)
	if err != nil {
		return err
	}
	for _, n := range near {
		if isSlip(folded, n.folded) {
			n.Slip = true
			a.liken(n.Likeness)
		}
	}
	return nil
}

// judge reads the machine and says how it is covered.
func (s *Store) judge(ctx context.Context, who accounts.PersonID, a *Answer, id MachineID, now time.Time) error {
	sh, err := s.Machine(ctx, who, id, now)
	if err != nil {
		return err
	}
	a.Thing, a.Machine, a.Verdict = ThingMachine, &sh, NotSold
	if sh.Sale == nil || !sh.Sale.Ended.IsZero() {
		return nil
	}
	a.Until, a.Verdict = sh.Sale.Guarantee.Until(), Expired
	if sh.Sale.Guarantee.Covers(civil.DateIn(now, sh.Zone)) {
		a.Verdict = Covered
	}
	return nil
}

const putCheck = `
INSERT INTO registration_check (id, at_ms, person_id, typed, answer, machine_id)
VALUES ($1, $2, $3, $4, $5, $6)`

func (s *Store) noteCheck(ctx context.Context, who accounts.PersonID, a Answer, id MachineID, now time.Time) error {
	_, err := s.db.ExecContext(ctx, putCheck, newID(), sqldb.Ms(now), string(who), a.Typed, string(a.Verdict), string(id))
	return err
}

// A Checked is one registration check as it was written down.
type Checked struct {
	At      time.Time
	By      accounts.PersonID
	Typed   string
	Verdict Verdict
	Machine MachineID // empty where it was none
}

const listChecks = `
SELECT registration_check.at_ms, registration_check.person_id, registration_check.typed, registration_check.answer,
       registration_check.machine_id
  FROM registration_check
 WHERE registration_check.person_id = $1
 ORDER BY registration_check.at_ms DESC, registration_check.id DESC
 LIMIT $2`

// Checks lists the person's own checks, the last first.
func (s *Store) Checks(ctx context.Context, who accounts.PersonID, most int) ([]Checked, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (k Checked, err error) {
		var atMs int64
		err = rows.Scan(&atMs, &k.By, &k.Typed, &k.Verdict, &k.Machine)
		k.At = sqldb.Time(atMs)
		return k, err
	}, listChecks, string(who), most)
	if err != nil {
		return nil, fmt.Errorf("registration checks: %w", err)
	}
	return all, nil
}
