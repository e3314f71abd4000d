package computers

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Device is a meter or a gateway: whether it works and since when, and nothing
// of what it reads or whose it is.
type Device struct {
	ID     string
	Serial string
	Since  time.Time // a meter hangs since then; zero where it hangs nowhere, and for gateways
}

// Devices are read as the installer registered them, for who has a role of ours in
// their residence.
const findDevice = `
SELECT 'meter', meter.id, meter.serial, COALESCE(binding.from_ms, 0)
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  JOIN residence ON residence.id = gateway.residence_id
  LEFT JOIN binding ON binding.meter_id = meter.id AND binding.to_ms IS NULL
 WHERE meter.id IN (SELECT id FROM meter WHERE id = $2
                     UNION
                    SELECT id FROM meter WHERE serial = $2 AND serial <> '')
   AND` + clipHead + readerRoles + clipResidence + `
 UNION ALL
SELECT 'gateway', gateway.id, '', 0
  FROM gateway
  JOIN residence ON residence.id = gateway.residence_id
 WHERE gateway.id = $2
   AND` + clipHead + readerRoles + clipResidence + `
 ORDER BY 1 DESC, 2
 LIMIT 1`

func (s *Store) device(ctx context.Context, who accounts.PersonID, a *Answer) error {
	d, err := one(ctx, s.db, func(rows *sql.Rows) (d Device, err error) {
		var sinceMs int64
		err = rows.Scan(&a.Thing, &d.ID, &d.Serial, &sinceMs)
		if sinceMs > 0 {
			d.Since = sqldb.Time(sinceMs)
		}
		return d, err
	}, findDevice, string(who), a.Typed)
	if errors.Is(err, ErrNone) {
		return nil
	}
	a.Device, a.Verdict = &d, NotSold
	return err
}

// Devices that are written in one of some ways, of the residences of who asks.
func likeDevices(ways string) string {
	return `
SELECT 'meter', meter.id, meter.serial
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  JOIN residence ON residence.id = gateway.residence_id
 WHERE meter.id IN (SELECT id FROM meter WHERE id IN ` + ways + `
                     UNION
                    SELECT id FROM meter WHERE serial <> '' AND serial IN ` + ways + `)
   AND` + clipHead + readerRoles + clipResidence + `
 UNION ALL
SELECT 'gateway', gateway.id, ''
  FROM gateway
  JOIN residence ON residence.id = gateway.residence_id
 WHERE gateway.id IN ` + ways + `
   AND` + clipHead + readerRoles + clipResidence + `
 ORDER BY 1 DESC, 2`
}

// deviceSlips adds meters and gateways that are a slip away from what was typed.
func (s *Store) deviceSlips(ctx context.Context, who accounts.PersonID, a *Answer) error {
	ways := slipsOf(a.Typed)
	if len(ways) == 0 {
		return nil
	}
	args := []any{string(who)}
	for i := range waysAtOnce(len(ways)) {
		args = append(args, ways[min(i, len(ways)-1)])
	}
	near, err := several(ctx, s.db, func(rows *sql.Rows) (l Likeness, err error) {
		return l, rows.Scan(&l.Thing, &l.Device, &l.Serial)
	}, likeDevices(list(2, len(args)-1)), args...)
	for _, l := range near {
		l.Slip = Fold(l.Device) != Fold(a.Typed) && Fold(l.Serial) != Fold(a.Typed)
		a.liken(l)
	}
	return err
}

// waysAtOnce rounds up, so that few texts of the query are kept prepared.
func waysAtOnce(n int) int { return (n + 63) / 64 * 64 }

// longestSlip bounds the ids of devices whose slips are looked for: so many are
// tried that longer ones would take too long.
const longestSlip = 24

// slipsOf are the ways in which what was typed may have been meant: in capitals or
// small letters, with another digit in the place of one, O for 0 and 1, I and L
// for each other, and with two neighbours swapped. Ids of devices are stored as
// they were given, so that each way is looked for as it is.
func slipsOf(typed string) []string {
	if len(typed) < shortestAlike || len(typed) > longestSlip {
		return nil
	}
	var ways []string
	for _, base := range []string{typed, strings.ToUpper(typed), strings.ToLower(typed)} {
		ways = append(ways, base)
		for i := range len(base) {
			for _, sign := range mistaken(base[i]) {
				ways = append(ways, base[:i]+string(sign)+base[i+1:])
			}
			if i > 0 && base[i] != base[i-1] {
				ways = append(ways, base[:i-1]+string(base[i])+string(base[i-1])+base[i+1:])
			}
		}
	}
	slices.Sort(ways)
	return slices.Compact(ways)
}

// mistaken are the signs for which one is mistaken.
func mistaken(sign byte) string {
	switch sign {
	case 'O', 'o':
		return "0"
	case 'I', 'i', 'L', 'l':
		return "1"
	case '0':
		return "123456789Oo"
	case '1':
		return "023456789ILil"
	}
	if sign >= '2' && sign <= '9' {
		return strings.ReplaceAll("0123456789", string(sign), "")
	}
	return ""
}
