-- +goose Up
-- A member of a household lets somebody else look (see) or also decide (act)
-- for it. Dates are civil days, from included, to excluded. A mandate shows what
-- its giver may see, never more.
CREATE TABLE mandate (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    household_id TEXT   NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    giver_id     TEXT   NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    helper_id    TEXT   NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    scope        TEXT   NOT NULL CHECK (scope IN ('see', 'act')),
    channel      TEXT   NOT NULL CHECK (channel IN ('page', 'paper', 'telephone')),
    recorded_by  TEXT   NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 64),
    from_date    TEXT   NOT NULL CHECK (from_date LIKE '____-__-__'),
    to_date      TEXT   NOT NULL CHECK (to_date LIKE '____-__-__' AND to_date > from_date),
    created_ms   BIGINT NOT NULL CHECK (created_ms > 0),
    revoked_ms   BIGINT CHECK (revoked_ms > 0),
    version      BIGINT NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK (helper_id <> giver_id)
);
CREATE INDEX mandate_helper ON mandate (helper_id);
CREATE INDEX mandate_household ON mandate (household_id);

-- Who may see which household, on which days of asking [since_date, until_date)
-- in the zone of the home, and from which day on things are shown to them. This
-- is the one place that says so. A mandate ends with itself, with its giver's
-- membership, and when the household has left its last home.
CREATE VIEW sight AS
SELECT membership.person_id AS viewer_id,
       membership.household_id AS household_id,
       membership.from_date AS shown_from,
       membership.from_date AS since_date,
       membership.to_date AS until_date,
       'own' AS scope,
       membership.person_id AS giver_id,
       '' AS mandate_id
  FROM membership
 UNION ALL
SELECT given.helper_id,
       given.household_id,
       given.member_from,
       CASE WHEN given.member_from > given.from_date THEN given.member_from
            ELSE given.from_date END,
       CASE WHEN given.left_date < given.to_date
             AND (given.member_to IS NULL OR given.left_date < given.member_to) THEN given.left_date
            WHEN given.member_to < given.to_date THEN given.member_to
            ELSE given.to_date END,
       given.scope,
       given.giver_id,
       given.id
  FROM (SELECT mandate.id, mandate.helper_id, mandate.household_id, mandate.giver_id, mandate.scope,
               mandate.from_date, mandate.to_date,
               membership.from_date AS member_from,
               membership.to_date AS member_to,
               (SELECT CASE WHEN COUNT(*) = COUNT(tenancy.moved_out) THEN MAX(tenancy.moved_out) END
                  FROM tenancy
                 WHERE tenancy.household_id = mandate.household_id) AS left_date
          FROM mandate
          JOIN membership ON membership.person_id = mandate.giver_id
                         AND membership.household_id = mandate.household_id
         WHERE mandate.revoked_ms IS NULL) AS given;

-- Each look of somebody of the staff at a household, for the household to read.
-- It outlives what it speaks of: no foreign keys.
CREATE TABLE access_log (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    at_ms        BIGINT NOT NULL CHECK (at_ms > 0),
    person_id    TEXT   NOT NULL CHECK (length(person_id) BETWEEN 1 AND 64),
    role         TEXT   NOT NULL CHECK (length(role) BETWEEN 1 AND 32),
    household_id TEXT   NOT NULL CHECK (length(household_id) BETWEEN 1 AND 64),
    what         TEXT   NOT NULL CHECK (length(what) BETWEEN 1 AND 64),
    reason       TEXT   NOT NULL CHECK (length(reason) <= 200)
);
CREATE INDEX access_log_household ON access_log (household_id, at_ms);
CREATE INDEX access_log_age ON access_log (at_ms);

-- A tenancy that ended by a move, in [from_ms, at_ms): what is fine of it is to
-- be erased. Written with the move, handled once.
CREATE TABLE move_event (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    tenancy_id   TEXT   NOT NULL CHECK (length(tenancy_id) BETWEEN 1 AND 64),
    household_id TEXT   NOT NULL CHECK (length(household_id) BETWEEN 1 AND 64),
    dwelling_id  TEXT   NOT NULL CHECK (length(dwelling_id) BETWEEN 1 AND 64),
    from_ms      BIGINT NOT NULL CHECK (from_ms >= 0),
    at_ms        BIGINT NOT NULL CHECK (at_ms > from_ms),
    handled_ms   BIGINT CHECK (handled_ms > 0)
);
CREATE INDEX move_event_open ON move_event (handled_ms, at_ms);

-- A file of dwellings on its way in. The file is dropped when it is over.
CREATE TABLE stock_import (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    person_id  TEXT    NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    state      TEXT    NOT NULL CHECK (state IN ('checking', 'faulty', 'ready', 'importing', 'done', 'failed')),
    file       BYTEA,
    line_count INTEGER NOT NULL CHECK (line_count >= 0),
    made       INTEGER NOT NULL CHECK (made >= 0),
    changed    INTEGER NOT NULL CHECK (changed >= 0),
    unchanged  INTEGER NOT NULL CHECK (unchanged >= 0),
    fault_count INTEGER NOT NULL CHECK (fault_count >= 0),
    faults     TEXT    NOT NULL,
    begun_ms   BIGINT  NOT NULL CHECK (begun_ms > 0),
    moved_ms   BIGINT  NOT NULL CHECK (moved_ms >= begun_ms)
);
CREATE INDEX stock_import_age ON stock_import (begun_ms);
