-- +goose Up
-- A case of water that nobody uses, of a cold flat, or of a meter or a gateway
-- that is silent. Finding is the latest, as JSON. It belongs to the household in
-- whose stay it was found, to none where nobody lived there. The dates are civil
-- days in the zone of the residence, first_date the first and last_date the last
-- of all of its findings: it is shown only where they lie in the household's stay.
CREATE TABLE alert_case (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    subject      TEXT    NOT NULL CHECK (subject IN ('water', 'cold', 'silence')),
    point_id     TEXT    REFERENCES point (id) ON DELETE CASCADE,
    gateway_id   TEXT    REFERENCES gateway (id) ON DELETE CASCADE,
    household_id TEXT    REFERENCES household (id) ON DELETE CASCADE,
    state        TEXT    NOT NULL CHECK (state IN ('opened', 'told', 'confirmed', 'repaired',
                                                   'verified', 'stopped', 'dismissed', 'left')),
    finding      TEXT    NOT NULL,
    quiet_nights INTEGER NOT NULL CHECK (quiet_nights >= 0),
    judged_ms    BIGINT  CHECK (judged_ms > 0),
    told_ms      BIGINT  CHECK (told_ms > 0),
    opened_ms    BIGINT  NOT NULL CHECK (opened_ms > 0),
    first_date   TEXT    NOT NULL CHECK (first_date LIKE '____-__-__'),
    last_date    TEXT    NOT NULL CHECK (last_date LIKE '____-__-__' AND last_date >= first_date),
    ended_ms     BIGINT  CHECK (ended_ms >= opened_ms),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((point_id IS NULL) <> (gateway_id IS NULL)),
    CHECK (gateway_id IS NULL OR subject = 'silence'),
    CHECK (gateway_id IS NULL OR household_id IS NULL),
    CHECK ((ended_ms IS NULL) = (state IN ('opened', 'told', 'confirmed', 'repaired')))
);
-- One open case a cause.
CREATE UNIQUE INDEX alert_case_of_point ON alert_case (subject, point_id) WHERE ended_ms IS NULL;
CREATE UNIQUE INDEX alert_case_of_gateway ON alert_case (subject, gateway_id) WHERE ended_ms IS NULL;
CREATE INDEX alert_case_point ON alert_case (point_id, last_date);
CREATE INDEX alert_case_household ON alert_case (household_id);

-- What became of it, in order of number. By_whom is a person's id, or what else
-- made the step.
CREATE TABLE alert_step (
    case_id TEXT    NOT NULL REFERENCES alert_case (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL CHECK (number > 0),
    state   TEXT    NOT NULL CHECK (state IN ('opened', 'told', 'confirmed', 'repaired',
                                              'verified', 'stopped', 'dismissed', 'left')),
    at_ms   BIGINT  NOT NULL CHECK (at_ms > 0),
    on_date TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    by_whom TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    PRIMARY KEY (case_id, number)
);
