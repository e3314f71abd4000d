// Package meterstest furnishes databases of tests with two residences, their
// gateways, points and meters, and staff with and without a role there.
package meterstest

import (
	"database/sql"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// Now is the instant at which tests look: Wednesday 18 March 2026, 15:00 in
// Paris.
var Now = time.Date(2026, 3, 18, 14, 0, 0, 0, time.UTC)

// Ago is an instant before Now.
func Ago(d time.Duration) time.Time { return Now.Add(-d) }

// Day is a day of 24 hours.
const Day = 24 * time.Hour

// Persons with roles: of every residence, of residence R only, and none.
const (
	Installer  = "P-installer"  // in R
	Elsewhere  = "P-elsewhere"  // installer in S
	Manager    = "P-manager"    // in R
	Admin      = "P-admin"      // everywhere
	Technician = "P-technician" // everywhere, of the workshop
	Tenant     = "P-tenant"     // lives in R-1, no role
)

const furniture = `
INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'Résidence R', 'Europe/Paris', 0), ('S', 'Résidence S', 'Europe/Paris', 0);
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES
 ('R-1', 'R', 'A', '1', '1', 0, 3, 60), ('R-2', 'R', 'A', '1', '2', 0, 3, 60), ('S-1', 'S', 'A', '1', '1', 0, 3, 60);
INSERT INTO household (id, occupants, language) VALUES ('F-1', 2, 'fr');
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-1', 'F-1', 'R-1', '2025-01-15');
INSERT INTO person (id, name, language) VALUES ('P-installer', 'Ines Talleur', 'fr'), ('P-elsewhere', 'Else Where', 'fr'), ('P-manager', 'Marc Manager', 'fr'),
 ('P-admin', 'Ada Admin', 'fr'), ('P-technician', 'Theo Technicien', 'fr'), ('P-tenant', 'Tara Tenant', 'fr');
INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-installer', 'installer', 'R'), ('P-elsewhere', 'installer', 'S'), ('P-manager', 'manager', 'R'),
 ('P-admin', 'administrator', NULL), ('P-technician', 'technician', NULL);
INSERT INTO gateway (id, residence_id, name, place) VALUES ('gw-r', 'R', 'Cave A', 'sous-sol'), ('gw-r2', 'R', '', ''), ('gw-s', 'S', '', '');
INSERT INTO bus (gateway_id, name, url, baud, parity, stop_bits, timeout_ms, interval_s, rs485, rts_on_send, delay_before_ms, delay_after_ms) VALUES
 ('gw-r', 'cave', 'rtu:///dev/ttyUSB0', 19200, 'even', 1, 500, 600, 0, 0, 0, 0);
INSERT INTO point (id, dwelling_id, kind) VALUES ('R-1-cw', 'R-1', 'cold_water'), ('R-1-el', 'R-1', 'electricity'), ('R-2-cw', 'R-2', 'cold_water'), ('S-1-cw', 'S-1', 'cold_water');
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial, profile, bus, slave, channel, pulse, start_index) VALUES
 ('cw-1', 'gw-r', 'cold_water', 100000000000, 3000000, 600, 'fine', '30110001', 'pulse-counter-4', 'cave', 7, 1, 1000, 5000000),
 ('cw-2', 'gw-r', 'cold_water', 100000000000, 3000000, 600, 'fine', '30110002', 'pulse-counter-4', 'cave', 7, 2, 1000, 0),
 ('el-1', 'gw-r', 'electricity', 0, 0, 600, 'day', '', 'iem3155', 'cave', 101, 0, 0, 0),
 ('cw-spare', 'gw-r', 'cold_water', 0, 0, 600, 'day', '30110009', '', '', 0, 0, 0, 0),
 ('cw-s', 'gw-s', 'cold_water', 0, 0, 600, 'day', '30119999', '', '', 0, 0, 0, 0);
INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('cw-1', 'R-1-cw', 1735689600000), ('cw-2', 'R-2-cw', 1735689600000), ('el-1', 'R-1-el', 1735689600000), ('cw-s', 'S-1-cw', 1735689600000);
`

// Furnish fills a migrated database.
func Furnish(t testing.TB, db *sql.DB) {
	t.Helper()
	sqldbtest.Exec(t, db, furniture)
}
