-- +goose Up
-- A tip as it stands with a household in one stay. Finding, saving and observed
-- are JSON; place is the one among those of its role that the last run chose, 0
-- for none. First_date and last_date are the civil days that the finding tells of:
-- it is shown only to who may see them all. A load of a residence writes tenancies
-- anew, so that there is no foreign key to them.
CREATE TABLE tip_instance (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    household_id   TEXT    NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    tenancy_id     TEXT    NOT NULL CHECK (length(tenancy_id) BETWEEN 1 AND 64),
    tip            TEXT    NOT NULL CHECK (length(tip) BETWEEN 1 AND 64),
    state          TEXT    NOT NULL CHECK (state IN ('proposed', 'seen', 'committed', 'done_already', 'not_for_me', 'observing',
                                                     'visible', 'not_visible', 'too_early', 'archived')),
    since_date     TEXT    NOT NULL CHECK (since_date LIKE '____-__-__'),
    committed_date TEXT    CHECK (committed_date LIKE '____-__-__'),
    proposed_date  TEXT    NOT NULL CHECK (proposed_date LIKE '____-__-__'),
    chosen_date    TEXT    NOT NULL CHECK (chosen_date LIKE '____-__-__' AND chosen_date >= proposed_date),
    place          INTEGER NOT NULL CHECK (place >= 0),
    score          DOUBLE PRECISION NOT NULL,
    finding        TEXT    NOT NULL,
    saving         TEXT,
    observed       TEXT,
    first_date     TEXT    NOT NULL CHECK (first_date LIKE '____-__-__'),
    last_date      TEXT    NOT NULL CHECK (last_date LIKE '____-__-__' AND last_date >= first_date),
    version        BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);
-- One that stands at a time; what was refused or is over may stand beside it.
CREATE UNIQUE INDEX tip_instance_open ON tip_instance (tenancy_id, tip) WHERE state NOT IN ('archived', 'not_for_me');
CREATE INDEX tip_instance_tenancy ON tip_instance (tenancy_id, tip);
CREATE INDEX tip_instance_household ON tip_instance (household_id);

-- What the household must have agreed to for the tip to be shown.
CREATE TABLE tip_need (
    instance_id TEXT NOT NULL REFERENCES tip_instance (id) ON DELETE CASCADE,
    purpose     TEXT NOT NULL CHECK (purpose IN ('daily_follow_up', 'fine_curve', 'personal_advice')),
    PRIMARY KEY (instance_id, purpose)
);

-- What became of it, in order of number; only ever added to. By_whom is a person's
-- id, or what else made the step.
CREATE TABLE tip_step (
    instance_id TEXT    NOT NULL REFERENCES tip_instance (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number > 0),
    state       TEXT    NOT NULL CHECK (state IN ('proposed', 'seen', 'committed', 'done_already', 'not_for_me', 'observing',
                                                  'visible', 'not_visible', 'too_early', 'archived')),
    at_ms       BIGINT  NOT NULL CHECK (at_ms > 0),
    on_date     TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    by_whom     TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    PRIMARY KEY (instance_id, number)
);
