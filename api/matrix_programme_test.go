package main

// matrixProgramme is a record of each kind in both residences, and a note about a
// household of each.
const matrixProgramme = `
INSERT INTO partner (id, residence_id, name, kind, registration, contact, telephone, email, address) VALUES
 ('GP-amina', 'R', 'Atelier', 'workshop', '', '', '', '', ''), ('GP-sarah', 'S', 'Atelier', 'workshop', '', '', '', '', ''),
 ('GF-amina', 'R', 'Formateur', 'training', '', '', '', '', ''), ('GF-sarah', 'S', 'Formateur', 'training', '', '', '', '', '');
INSERT INTO partner_person (partner_id, person_id) VALUES ('GP-amina', 'P-tec');
INSERT INTO convention (id, residence_id, partner_id, title, signed_on, from_date, notice_days, return_days) VALUES
 ('GC-amina', 'R', 'GP-amina', 'Remise en état', '2025-01-01', '2025-01-01', 0, 10), ('GC-sarah', 'S', 'GP-sarah', 'Remise en état', '2025-01-01', '2025-01-01', 0, 10);
INSERT INTO campaign (id, residence_id, title, goal, audience, channel, from_date, until_date, note) VALUES
 ('GA-amina', 'R', 'Affiches', 'computers', 'tous', 'poster', '2026-01-05', '2026-02-01', ''), ('GA-sarah', 'S', 'Affiches', 'computers', 'tous', 'poster', '2026-01-05', '2026-02-01', '');
INSERT INTO survey (id, residence_id, question, on_date, dwellings, tenths, source) VALUES
 ('GS-amina', 'R', 'computer', '2026-01-05', 4, 600, 'Enquête'), ('GS-sarah', 'S', 'computer', '2026-01-05', 2, 600, 'Enquête');
INSERT INTO internet_offer (id, residence_id, operator, title, monthly_cents, from_date, source) VALUES
 ('GO-amina', 'R', 'Fibre', 'Social', 200, '2025-01-01', ''), ('GO-sarah', 'S', 'Fibre', 'Social', 200, '2025-01-01', '');
INSERT INTO ledger_entry (id, residence_id, on_date, side, category, cents, label, source) VALUES
 ('GE-amina', 'R', '2026-01-05', 'cost', 'communication', 1000, 'Affiches', 'Facture'), ('GE-sarah', 'S', '2026-01-05', 'cost', 'communication', 1000, 'Affiches', 'Facture');
INSERT INTO declared_figure (id, residence_id, indicator, from_date, until_date, thousandths, about, source, note) VALUES
 ('GD-amina', 'R', 'revenue', '2025-01-01', '2026-01-01', 4800000, 0, 'Bilan', ''), ('GD-sarah', 'S', 'revenue', '2025-01-01', '2026-01-01', 4800000, 0, 'Bilan', '');
INSERT INTO staff_time (id, residence_id, role, from_date, until_date, hour_tenths, label, source) VALUES
 ('GT-amina', 'R', 'advisor', '2026-01-01', '2026-02-01', 180, '', 'Feuille'), ('GT-sarah', 'S', 'advisor', '2026-01-01', '2026-02-01', 180, '', 'Feuille');
INSERT INTO insertion_hours (id, residence_id, partner_id, from_date, until_date, hour_tenths, source) VALUES
 ('GH-amina', 'R', 'GP-amina', '2026-01-01', '2026-02-01', 300, 'Facture'), ('GH-sarah', 'S', 'GP-sarah', '2026-01-01', '2026-02-01', 300, 'Facture');
INSERT INTO household_note (id, household_id, author_id, on_date, written_ms, words, due_date) VALUES
 ('GN-amina', 'F-amina', 'P-adv', '2026-03-10', 1773140000000, 'Zelmira veut un rendez-vous.', '2026-04-10'), ('GN-sarah', 'F-sarah', 'P-ad2', '2026-03-10', 1773140000000, 'Sablonnier veut un rendez-vous.', '2026-04-10');
`

// programmeTables are those of the programme in an order that references allow.
var programmeTables = []string{"told_figure", "queue_closing", "active_month", "household_note", "household_internet", "insertion_hours", "staff_time", "declared_figure", "ledger_entry",
	"internet_offer", "survey", "campaign", "convention_price", "convention_commitment", "convention", "partner_person", "partner"}

// programmeThings are what the placeholders of the programme stand for.
func programmeThings(object string) map[string]string {
	r := map[string]string{"partner": "GP-", "sole": "GF-", "convention": "GC-", "campaign": "GA-", "survey": "GS-", "offer": "GO-", "entry": "GE-", "declared": "GD-",
		"stafftime": "GT-", "hours": "GH-", "note": "GN-", "line": "leak.AC-"}
	for name, prefix := range r {
		switch object {
		case "amina", "sarah":
			r[name] = prefix + object
		default:
			r[name] = "nowhere"
		}
	}
	return r
}
