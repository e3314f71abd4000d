package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/paced"
)

// Bounds of the check of a registration among so many computers.
const (
	registeredMachines = 100_000
	checkMostMs        = 20 // 99 of 100, look-alikes included
	checkRate          = 50 // far more than a workshop's scanners
)

// registrationCheck measures POST /api/v1/registration-checks: one in three asks for
// a serial, one for a serial in which a sign is wrong, one for a serial with O for
// 0, so that look-alikes are looked for.
func (c *commands) registrationCheck(ctx context.Context) ([]bench.Row, error) {
	l, err := c.newLandlord(ctx, perResidence)
	if err != nil {
		return nil, err
	}
	defer l.end()
	if err := l.with(ctx, func(db *sql.DB) error { return registerMachines(ctx, db) }); err != nil {
		return nil, err
	}
	c.say("  %d computers are registered, one in two is sold", registeredMachines)
	b, stop, err := l.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	asked := drawnSerials(int(max(c.Span, warmUp).Seconds()*checkRate) + 1)
	ask := func(n int) error { return b.checkRegistration(ctx, asked[n%len(asked)]) }
	paced.Run(ctx, checkRate, warmUp, ask)
	t := paced.Run(ctx, checkRate, c.Span, ask)
	c.say("  %d checks, half within %.2f ms, 90 of 100 %.2f, 99 of 100 %.2f, longest %.2f, %d errors", len(t.Times),
		t.Quantile(0.5), t.Quantile(0.9), t.Quantile(0.99), t.Quantile(1), t.Errors)
	if t.First != nil {
		c.say("  the first of the errors: %v", t.First)
	}
	row := bench.Row{Bench: "registration-check", Ours: t.Quantile(0.99), Unit: "ms",
		Note: fmt.Sprintf("99 of 100 among %d computers; half within %.2f ms, longest %.1f ms, %d errors of %d; two of three look for look-alikes",
			registeredMachines, t.Quantile(0.5), t.Quantile(1), t.Errors, len(t.Times))}
	goal := bench.All(fmt.Sprintf("at most %d ms, no error", checkMostMs),
		func(r bench.Row) bool { return r.Ours <= checkMostMs }, func(bench.Row) bool { return t.Errors == 0 && len(t.Times) > 0 })
	return []bench.Row{bench.New(row, goal)}, ctx.Err()
}

// A typed is what a check asks for: a serial, the computer that is meant, and
// whether it is written as it is.
type typed struct {
	text, tag string
	exact     bool
}

func machineSerial(n int) string { return fmt.Sprintf("5CG%07dX0", n*97%10_000_000) }

func machineTag(n int) string { return fmt.Sprintf("PC-%06d", n) }

// drawnSerials draws computers at random and writes a third of their serials right,
// a third with a slip and a third with O for 0.
func drawnSerials(count int) []typed {
	chance := rand.New(rand.NewPCG(draw, draw))
	all := make([]typed, count)
	for i := range all {
		n := 1 + chance.IntN(registeredMachines)
		serial := []byte(machineSerial(n))
		switch i % 3 {
		case 1:
			serial[3+chance.IntN(7)] = 'Z'
		case 2:
			serial[len(serial)-1] = 'O'
		}
		all[i] = typed{string(serial), machineTag(n), i%3 == 0}
	}
	return all
}

// checkRegistration asks and holds that the right computer is named: as the answer
// or among the look-alikes.
func (b *browser) checkRegistration(ctx context.Context, asked typed) error {
	body, err := json.Marshal(map[string]string{"typed": asked.text})
	if err != nil {
		return err
	}
	answer, err := b.send(ctx, http.MethodPost, "/api/v1/registration-checks", "application/json", body, http.StatusOK)
	if err != nil {
		return err
	}
	unknown := bytes.HasPrefix(answer, []byte(`{"answer":"unknown"`))
	if unknown == asked.exact || !bytes.Contains(answer, []byte(`"tag":"`+asked.tag+`"`)) {
		return fmt.Errorf("check of %s, meant is %s: %.300s", asked.text, asked.tag, answer)
	}
	return nil
}

// Statements that make a computer: $1 is its number in its id, $2 its serial, $3
// its tag; folded is what it is found by.
const (
	putRegistered = `
INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no,
                     received_on, state, cycle, grade_appearance, grade_function, version)
VALUES ('M-' || $1, $4, $3, $2, '', 'used', 'desktop', 'HP', 'EliteDesk', '', 8192, 'Donor', 'L1', 0, $1, '2025-01-01',
        CASE WHEN $5 = 1 THEN 'in_use' ELSE 'ready' END, 1, 'B', 'B', 1)`
	putRegisteredName = `
INSERT INTO machine_name (folded, machine_id, kind, plain)
VALUES ($2, 'M-' || $1, $4, $3)`
	putRegisteredSale = `
INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, payment, receipt_no,
                          sold_on, sold_by, programme_from, programme_months, handed_on, accessories, signed_by, return_reason, refund_cents)
VALUES ('S-' || $1, 'M-' || $1, $2, 'F-' || $1, 'P-' || $1, 'used', 6000, 6000, 0, 'cash', $1, '2025-02-01', 'P-x', '2025-02-01', 12,
        '2025-02-01', '', 'Tenant', '', 0)`
	putTechnician = `
INSERT INTO staff_role (person_id, role, residence_id)
VALUES ($1, 'technician', NULL)`
)

// registerMachines writes the computers at once; the manager is their technician.
func registerMachines(ctx context.Context, db *sql.DB) error {
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, putTechnician, manager); err != nil {
			return err
		}
		for n := 1; n <= registeredMachines; n++ {
			if err := registerMachine(ctx, tx, n); err != nil {
				return fmt.Errorf("computer %d: %w", n, err)
			}
		}
		return nil
	})
}

func registerMachine(ctx context.Context, tx *sql.Tx, n int) error {
	id, serial, tag, sold := fmt.Sprintf("%06d", n), machineSerial(n), machineTag(n), n%2
	if _, err := tx.ExecContext(ctx, putRegistered, id, serial, tag, residenceID(0), sold); err != nil {
		return err
	}
	for kind, name := range map[string]string{"serial": serial, "tag": tag} {
		if _, err := tx.ExecContext(ctx, putRegisteredName, id, computers.Fold(name), computers.Plain(name), kind); err != nil {
			return err
		}
		if err := putVariants(ctx, tx, id, computers.Variants(computers.Fold(name))); err != nil {
			return err
		}
	}
	if sold == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, putRegisteredSale, id, residenceID(0))
	return err
}

// putVariants writes what a name with a slip is found by.
func putVariants(ctx context.Context, tx *sql.Tx, id string, variants []int64) error {
	rows, args := make([]string, len(variants)), []any{"M-" + id}
	for i, v := range variants {
		rows[i] = fmt.Sprintf("($%d, $1)", i+2)
		args = append(args, v)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO machine_slip (variant, machine_id) VALUES "+strings.Join(rows, ", ")+" ON CONFLICT DO NOTHING", args...)
	return err
}
