package main

// matrixTrainings are the trainings of the matrix. Zelmira and Sarah have a place
// in a session to come, Doriane and Sarah were trained a month ago, others are not
// invited, or exempted.
const matrixTrainings = `
INSERT INTO training_course (id, title, theme, about) VALUES ('TC-1', 'Premiers pas', 'first_steps', '');
INSERT INTO training_session (id, course_id, residence_id, trainer_id, starts_ms, ends_ms, place, partner, language, childcare, transport, waiting) VALUES
 ('TS-amina', 'TC-1', 'R', 'P-tra', 1774702800000, 1774710000000, 'Salle Rouge', '', 'fr', '', '', 1), ('TS-sarah', 'TC-1', 'S', NULL, 1774702800000, 1774710000000, 'Salle Safran', '', 'fr', '', '', 1),
 ('TB-amina', 'TC-1', 'R', 'P-tra', 1770037200000, 1770044400000, 'Salle Rouge', '', 'fr', '', '', 0), ('TB-sarah', 'TC-1', 'S', NULL, 1770037200000, 1770044400000, 'Salle Safran', '', 'fr', '', '', 0);
INSERT INTO training_seat (session_id, number) VALUES ('TS-amina', 1), ('TS-amina', 2), ('TS-sarah', 1), ('TS-sarah', 2), ('TB-amina', 1), ('TB-sarah', 1);
INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state, done_date, reason) VALUES
 ('TD-amina', 'TX-1', 'F-amina', 'P-amina', 'R', '2026-03-02', '2026-05-01', 'open', NULL, ''), ('TD-bruno', 'TX-2', 'F-bruno', 'P-bruno', 'R', '2026-03-02', '2026-05-01', 'open', NULL, ''),
 ('TD-dora', 'TX-3', 'F-dora', 'P-dora', 'R', '2025-12-10', '2026-02-08', 'done', '2026-02-02', ''), ('TD-exempt', 'TX-4', 'F-bruno', 'P-bruno', 'R', '2026-03-02', '2026-05-01', 'exempted', NULL, 'sait faire'),
 ('TD-sarah', 'TX-5', 'F-sarah', 'P-sarah', 'S', '2026-03-02', '2026-05-01', 'open', NULL, ''), ('TD-new-s', 'TX-6', 'F-sarah', 'P-sarah', 'S', '2026-03-02', '2026-05-01', 'open', NULL, ''),
 ('TD-done-s', 'TX-7', 'F-sarah', 'P-sarah', 'S', '2025-12-10', '2026-02-08', 'done', '2026-02-02', ''), ('TD-exempt-s', 'TX-8', 'F-sarah', 'P-sarah', 'S', '2026-03-02', '2026-05-01', 'exempted', NULL, 'sait faire');
INSERT INTO training_enrolment (id, duty_id, session_id, seat, state, created_ms, changed_ms) VALUES
 ('TW-amina', 'TD-amina', 'TS-amina', 1, 'reminded', 1773838000000, 1773838000000), ('TW-sarah', 'TD-sarah', 'TS-sarah', 1, 'reminded', 1773838000000, 1773838000000),
 ('TW-dora', 'TD-dora', 'TB-amina', 1, 'attended', 1769990400000, 1770044400000), ('TW-done-s', 'TD-done-s', 'TB-sarah', 1, 'attended', 1769990400000, 1770044400000);
INSERT INTO training_reminder (enrolment_id, days_before, channel, made_ms) VALUES ('TW-amina', 7, 'telephone', 1773838000000), ('TW-sarah', 7, 'telephone', 1773838000000);
INSERT INTO training_follow_up (enrolment_id, due_date) VALUES ('TW-dora', '2026-03-02'), ('TW-done-s', '2026-03-02');
INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms) VALUES
 ('LT-amina', 'letter', 'training_reminder', 'P-amina', 'TW-amina', '', 'waiting', 0, 1773838000000, 1773838000000), ('LT-sarah', 'letter', 'training_reminder', 'P-sarah', 'TW-sarah', '', 'waiting', 0, 1773838000000, 1773838000000);
`

// trainingThings are what the placeholders of a route stand for, by object.
func trainingThings(object string) map[string]string {
	r := map[string]string{"course": "TC-1", "lesson": "TS-amina", "past": "TB-amina", "duty": "TD-" + object, "untrained": "TD-bruno", "trained": "TD-dora",
		"exempted": "TD-exempt", "way": "TW-amina", "trainedway": "TW-dora", "trainingletter": "LT-amina"}
	if object == "sarah" {
		r["lesson"], r["past"], r["untrained"], r["trained"] = "TS-sarah", "TB-sarah", "TD-new-s", "TD-done-s"
		r["exempted"], r["way"], r["trainedway"], r["trainingletter"] = "TD-exempt-s", "TW-sarah", "TW-done-s", "LT-sarah"
	}
	if object == "none" {
		for name := range r {
			r[name] = "nowhere"
		}
	}
	return r
}
