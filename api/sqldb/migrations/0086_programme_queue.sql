-- +goose Up
-- What the advisor did about a line of her queue. Rows of one line have one
-- action_id. The matter comes back on again_date where its cause still stands,
-- never where that is null.
CREATE TABLE queue_closing (
    action_id    TEXT   NOT NULL CHECK (length(action_id) BETWEEN 1 AND 64),
    residence_id TEXT   NOT NULL REFERENCES residence (id),
    matter       TEXT   NOT NULL CHECK (matter IN ('leak', 'cold', 'repair', 'training', 'arrival', 'consent', 'dial',
                                                   'follow_up', 'note', 'convention')),
    subject_id   TEXT   NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 200),
    household_id TEXT   REFERENCES household (id) ON DELETE CASCADE,
    outcome      TEXT   NOT NULL CHECK (outcome IN ('called', 'visited', 'written', 'settled', 'not_reached', 'not_needed')),
    closed_ms    BIGINT NOT NULL CHECK (closed_ms > 0),
    closed_on    TEXT   NOT NULL CHECK (closed_on LIKE '____-__-__'),
    closed_by    TEXT   NOT NULL CHECK (length(closed_by) BETWEEN 1 AND 64),
    again_date   TEXT   CHECK (again_date LIKE '____-__-__' AND again_date > closed_on),
    PRIMARY KEY (action_id, matter, subject_id)
);
CREATE INDEX queue_closing_subject ON queue_closing (residence_id, matter, subject_id, closed_ms);
CREATE INDEX queue_closing_date ON queue_closing (residence_id, closed_on);
CREATE INDEX queue_closing_household ON queue_closing (household_id);

-- Which households opened their pages in a month: that they did, nothing else.
CREATE TABLE active_month (
    month        TEXT NOT NULL CHECK (month LIKE '____-__'),
    residence_id TEXT NOT NULL REFERENCES residence (id),
    household_id TEXT NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    PRIMARY KEY (month, residence_id, household_id)
);
CREATE INDEX active_month_residence ON active_month (residence_id, month);
CREATE INDEX active_month_household ON active_month (household_id);
