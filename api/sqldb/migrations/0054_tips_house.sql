-- +goose Up
-- What a household said about its home in one stay, only ever added to: of each
-- question the last answer holds, and 'unknown' takes one back. By_whom is a
-- person's id. A load of a residence writes tenancies anew, so that there is no
-- foreign key to them.
CREATE TABLE house_answer (
    tenancy_id   TEXT    NOT NULL CHECK (length(tenancy_id) BETWEEN 1 AND 64),
    household_id TEXT    NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    question     TEXT    NOT NULL CHECK (question IN ('bath', 'dryer', 'second_freezer', 'internet_box',
                                                      'needs_line', 'water_heating')),
    number       INTEGER NOT NULL CHECK (number > 0),
    said         TEXT    NOT NULL,
    at_ms        BIGINT  NOT NULL CHECK (at_ms > 0),
    by_whom      TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    PRIMARY KEY (tenancy_id, question, number),
    CHECK (question = 'water_heating' AND said IN ('unknown', 'shared', 'electric', 'gas')
        OR question <> 'water_heating' AND said IN ('unknown', 'yes', 'no'))
);
CREATE INDEX house_answer_household ON house_answer (household_id);

-- Days [from_date, to_date) on which nobody is at home, as the household said; what
-- was taken back stays with its instant.
CREATE TABLE house_absence (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    tenancy_id   TEXT   NOT NULL CHECK (length(tenancy_id) BETWEEN 1 AND 64),
    household_id TEXT   NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    from_date    TEXT   NOT NULL CHECK (from_date LIKE '____-__-__'),
    to_date      TEXT   NOT NULL CHECK (to_date LIKE '____-__-__' AND to_date > from_date),
    at_ms        BIGINT NOT NULL CHECK (at_ms > 0),
    by_whom      TEXT   NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    taken_ms     BIGINT CHECK (taken_ms >= at_ms),
    taken_by     TEXT   CHECK (length(taken_by) BETWEEN 1 AND 64),
    CHECK ((taken_ms IS NULL) = (taken_by IS NULL))
);
-- The same days once, however often they are sent.
CREATE UNIQUE INDEX house_absence_once ON house_absence (tenancy_id, from_date, to_date) WHERE taken_ms IS NULL;
CREATE INDEX house_absence_household ON house_absence (household_id);

-- The morning's run goes through the dwellings of a residence in order, some at a
-- time: without it each step would read all of them.
CREATE INDEX dwelling_in_order ON dwelling (residence_id, id);
