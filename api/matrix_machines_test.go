package main

// matrixMachines are computers of both residences: one that a household uses, one
// in the workshop with evidence, one on the shelf, one whose repair is open; and a
// household that waits.
const matrixMachines = `
INSERT INTO computer_programme (residence_id, from_date, per_household, target_days, months) VALUES ('R', '2025-01-01', 1, 5, 12), ('S', '2025-01-01', 1, 5, 12);
INSERT INTO workshop_price (residence_id, what, from_date, price_cents) VALUES ('R', 'used', '2025-01-01', 6000), ('S', 'used', '2025-01-01', 6000);
INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no, received_on, state, cycle, grade_appearance, grade_function, version) VALUES
 ('M-amina', 'R', 'PC-100001', 'SERIAL1', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N1', '2025-06-01', 'in_use', 1, 'B', 'B', 1),
 ('M-bench', 'R', 'PC-100002', 'SERIAL2', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N2', '2025-06-01', 'testing', 1, '', '', 1),
 ('M-shelf', 'R', 'PC-100003', 'SERIAL3', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N3', '2025-06-01', 'ready', 1, 'B', 'B', 1),
 ('M-fix', 'R', 'PC-100004', 'SERIAL4', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N4', '2025-06-01', 'in_use', 1, 'B', 'B', 1),
 ('M-sarah', 'S', 'PC-100005', 'SERIAL5', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N1', '2025-06-01', 'in_use', 1, 'B', 'B', 1),
 ('M-bench-s', 'S', 'PC-100006', 'SERIAL6', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N2', '2025-06-01', 'testing', 1, '', '', 1),
 ('M-shelf-s', 'S', 'PC-100007', 'SERIAL7', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N3', '2025-06-01', 'ready', 1, 'B', 'B', 1),
 ('M-fix-s', 'S', 'PC-100008', 'SERIAL8', '', 'used', 'desktop', 'HP', 'Elite', '', 8192, 'Donneur', 'L1', 0, 'N4', '2025-06-01', 'in_use', 1, 'B', 'B', 1);
INSERT INTO machine_name (folded, machine_id, kind, plain) VALUES ('PC100001', 'M-amina', 'tag', 'PC100001'), ('PC100005', 'M-sarah', 'tag', 'PC100005');
INSERT INTO machine_event (machine_id, number, at_ms, on_date, by_whom, what, state, subject, note)
SELECT id, 1, 1748764800000, '2025-06-01', 'P-tec', 'taken_in', 'received', '', '' FROM machine;
INSERT INTO machine_drive (id, machine_id, serial, medium, maker, model, size_gb, destroyed) VALUES
 ('DR-bench', 'M-bench', 'DISK2', 'hdd', '', '', 500, 0), ('DR-shelf', 'M-shelf', 'DISK3', 'hdd', '', '', 500, 0),
 ('DR-bench-s', 'M-bench-s', 'DISK6', 'hdd', '', '', 500, 0), ('DR-shelf-s', 'M-shelf-s', 'DISK7', 'hdd', '', '', 500, 0);
INSERT INTO machine_wipe (id, machine_id, drive_id, cycle, level, method, tool, tool_version, result, on_date, by_whom, report, report_sha256)
SELECT 'WP' || substr(id, 3), machine_id, id, 1, 'purge', 'erase', 'tool', '', 'passed', '2025-06-02', 'P-tec', 'disk', '0000000000000000000000000000000000000000000000000000000000000000' FROM machine_drive;
INSERT INTO machine_test (id, machine_id, cycle, number, checklist, passed, results, on_date, by_whom) VALUES
 ('TE-shelf', 'M-shelf', 1, 1, 1, 1, '{}', '2025-06-03', 'P-tec'), ('TE-shelf-s', 'M-shelf-s', 1, 1, 1, 1, '{}', '2025-06-03', 'P-tec');
INSERT INTO machine_defect (id, machine_id, text, on_date) VALUES ('DF-bench', 'M-bench', 'touche', '2025-06-02'), ('DF-bench-s', 'M-bench-s', 'touche', '2025-06-02');
INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, slot, payment, receipt_no, sold_on, sold_by,
                          programme_from, programme_months, handed_on, accessories, signed_by, return_reason, refund_cents) VALUES
 ('SL-amina', 'M-amina', 'R', 'F-amina', 'P-amina', 'used', 6000, 6000, 1, 1, 'cash', '2025-0001', '2025-07-01', 'P-adv', '2025-07-01', 12, '2025-07-02', '', 'Signature', '', 0),
 ('SL-fix', 'M-fix', 'R', 'F-bruno', 'P-bruno', 'used', 6000, 6000, 1, 1, 'cash', '2026-0002', '2026-03-01', 'P-adv', '2026-03-01', 12, '2026-03-02', '', 'Signature', '', 0),
 ('SL-sarah', 'M-sarah', 'S', 'F-sarah', 'P-sarah', 'used', 6000, 6000, 1, 1, 'cash', '2025-0003', '2025-07-01', 'P-ad2', '2025-07-01', 12, '2025-07-02', '', 'Signature', '', 0),
 ('SL-fix-s', 'M-fix-s', 'S', 'F-sarah', 'P-sarah', 'used', 9000, 6000, 0, NULL, 'cash', '2025-0004', '2025-07-01', 'P-ad2', '2025-07-01', 12, '2025-07-02', '', 'Signature', '', 0);
INSERT INTO repair_ticket (id, machine_id, sale_id, state, problem, cover, target_days, opened_on, opened_by, version) VALUES
 ('TK-r', 'M-fix', 'SL-fix', 'opened', 'ne démarre plus', 'legal', 5, '2026-03-10', 'P-adv', 1), ('TK-s', 'M-fix-s', 'SL-fix-s', 'opened', 'ne démarre plus', 'legal', 5, '2026-03-10', 'P-ad2', 1);
INSERT INTO repair_step (ticket_id, number, state, at_ms, on_date, by_whom, note) VALUES ('TK-r', 1, 'opened', 1773838000000, '2026-03-10', 'P-adv', ''), ('TK-s', 1, 'opened', 1773838000000, '2026-03-10', 'P-ad2', '');
INSERT INTO machine_wait (id, residence_id, household_id, kind, asked_on) VALUES ('WT-r', 'R', 'F-dora', 'used', '2026-03-01');
INSERT INTO machine_counter (name, last_number) VALUES ('tag', 100008), ('receipt-2026', 2), ('receipt-2025', 4);
`

// arrivalOfR is a file of one computer.
const arrivalOfR = "serial;maker;model;donor\nSERIAL77;HP;Elite;Donneur\n"

// machineThings are what the placeholders of computers stand for.
func machineThings(object string) map[string]string {
	if object == "sarah" {
		return map[string]string{"machine": "M-sarah", "bench": "M-bench-s", "shelf": "M-shelf-s", "drive": "DR-bench-s", "wipe": "WP-bench-s", "defect": "DF-bench-s", "ticket": "TK-s", "wait": "nowhere"}
	}
	return map[string]string{"machine": "M-amina", "bench": "M-bench", "shelf": "M-shelf", "drive": "DR-bench", "wipe": "WP-bench", "defect": "DF-bench", "ticket": "TK-r", "wait": "WT-r"}
}
