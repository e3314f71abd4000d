-- +goose Up
-- What can be learned.
CREATE TABLE training_course (
    id      TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    title   TEXT    NOT NULL UNIQUE CHECK (length(title) BETWEEN 1 AND 100),
    theme   TEXT    NOT NULL CHECK (theme IN ('first_steps', 'internet_and_mail', 'my_consumption', 'safety')),
    about   TEXT    NOT NULL CHECK (length(about) <= 500),
    version BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);

-- A course on a day, in the residence's zone. Waiting is how many may wait for a
-- place. A session that was called off stays, and nobody has a place in it.
CREATE TABLE training_session (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    course_id    TEXT    NOT NULL REFERENCES training_course (id),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    trainer_id   TEXT    REFERENCES person (id) ON DELETE SET NULL,
    starts_ms    BIGINT  NOT NULL CHECK (starts_ms > 0),
    ends_ms      BIGINT  NOT NULL CHECK (ends_ms > starts_ms),
    place        TEXT    NOT NULL CHECK (length(place) BETWEEN 1 AND 200),
    partner      TEXT    NOT NULL CHECK (length(partner) <= 200),
    language     TEXT    NOT NULL CHECK (length(language) BETWEEN 2 AND 3),
    childcare    TEXT    NOT NULL CHECK (length(childcare) <= 200),
    transport    TEXT    NOT NULL CHECK (length(transport) <= 200),
    waiting      INTEGER NOT NULL CHECK (waiting BETWEEN 0 AND 50),
    called_off_ms BIGINT CHECK (called_off_ms > 0),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);
CREATE INDEX training_session_place ON training_session (residence_id, starts_ms);
CREATE INDEX training_session_trainer ON training_session (trainer_id, starts_ms);
CREATE UNIQUE INDEX training_session_once ON training_session (course_id, residence_id, starts_ms, place) WHERE called_off_ms IS NULL;

-- The places of a session, one row each: nobody can have one that is not there.
CREATE TABLE training_seat (
    session_id TEXT    NOT NULL REFERENCES training_session (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL CHECK (number BETWEEN 1 AND 100),
    PRIMARY KEY (session_id, number)
);

-- What a buyer owes for the price: a training. Sale_id names the sale. Asked is
-- what the family wrote when it asked for another date; it is emptied when they
-- have one.
CREATE TABLE training_duty (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    sale_id      TEXT   NOT NULL UNIQUE CHECK (length(sale_id) BETWEEN 1 AND 64),
    household_id TEXT   NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    person_id    TEXT   NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    residence_id TEXT   NOT NULL REFERENCES residence (id),
    since_date   TEXT   NOT NULL CHECK (since_date LIKE '____-__-__'),
    due_date     TEXT   NOT NULL CHECK (due_date LIKE '____-__-__' AND due_date > since_date),
    state        TEXT   NOT NULL CHECK (state IN ('open', 'done', 'exempted')),
    done_date    TEXT   CHECK (done_date LIKE '____-__-__'),
    reason       TEXT   NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
    asked_ms     BIGINT CHECK (asked_ms > 0),
    asked        TEXT   NOT NULL DEFAULT '' CHECK (length(asked) <= 300),
    version      BIGINT NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((state = 'done') = (done_date IS NOT NULL)),
    CHECK ((state = 'exempted') = (reason <> ''))
);
CREATE INDEX training_duty_open ON training_duty (state, due_date, id);
CREATE INDEX training_duty_household ON training_duty (household_id);
CREATE INDEX training_duty_person ON training_duty (person_id);

-- One way to a training: invited, perhaps with a session proposed, until it ends.
-- Who is enrolled has a place; who was there, or was not, keeps it on the sheet.
CREATE TABLE training_enrolment (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    duty_id      TEXT    NOT NULL REFERENCES training_duty (id) ON DELETE CASCADE,
    session_id   TEXT    REFERENCES training_session (id),
    seat         INTEGER,
    state        TEXT    NOT NULL CHECK (state IN ('invited', 'waiting', 'enrolled', 'reminded', 'attended', 'absent', 'excused', 'withdrawn')),
    reason       TEXT    NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
    created_ms   BIGINT  NOT NULL CHECK (created_ms > 0),
    changed_ms   BIGINT  NOT NULL CHECK (changed_ms >= created_ms),
    FOREIGN KEY (session_id, seat) REFERENCES training_seat (session_id, number),
    CHECK ((state IN ('enrolled', 'reminded', 'attended', 'absent')) = (seat IS NOT NULL)),
    CHECK (seat IS NULL OR session_id IS NOT NULL),
    CHECK (state <> 'waiting' OR session_id IS NOT NULL)
);
-- A place is one person's; a buyer is on one way at a time, and trained once.
CREATE UNIQUE INDEX training_enrolment_seat ON training_enrolment (session_id, seat);
CREATE UNIQUE INDEX training_enrolment_open ON training_enrolment (duty_id) WHERE state IN ('invited', 'waiting', 'enrolled', 'reminded');
CREATE UNIQUE INDEX training_enrolment_done ON training_enrolment (duty_id) WHERE state = 'attended';
CREATE INDEX training_enrolment_duty ON training_enrolment (duty_id, created_ms);

-- What became of each enrolment, in order: it is only added to.
CREATE TABLE training_step (
    enrolment_id TEXT    NOT NULL REFERENCES training_enrolment (id) ON DELETE CASCADE,
    number       INTEGER NOT NULL CHECK (number > 0),
    state        TEXT    NOT NULL CHECK (state IN ('invited', 'waiting', 'enrolled', 'reminded', 'attended', 'absent', 'excused', 'withdrawn')),
    at_ms        BIGINT  NOT NULL CHECK (at_ms > 0),
    by_whom      TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    PRIMARY KEY (enrolment_id, number)
);

-- A reminder of a session, so many days before it: each is made once. Those by
-- telephone wait for somebody to call.
CREATE TABLE training_reminder (
    enrolment_id TEXT    NOT NULL REFERENCES training_enrolment (id) ON DELETE CASCADE,
    days_before  INTEGER NOT NULL CHECK (days_before IN (1, 7)),
    channel      TEXT    NOT NULL CHECK (channel IN ('letter', 'e-mail', 'telephone')),
    made_ms      BIGINT  NOT NULL CHECK (made_ms > 0),
    called_ms    BIGINT  CHECK (called_ms >= made_ms),
    PRIMARY KEY (enrolment_id, days_before),
    CHECK (called_ms IS NULL OR channel = 'telephone')
);

-- What is asked a month after the training.
CREATE TABLE training_follow_up (
    enrolment_id TEXT   NOT NULL PRIMARY KEY REFERENCES training_enrolment (id) ON DELETE CASCADE,
    due_date     TEXT   NOT NULL CHECK (due_date LIKE '____-__-__'),
    answered_ms  BIGINT CHECK (answered_ms > 0),
    still_used   TEXT   CHECK (still_used IN ('often', 'sometimes', 'no')),
    job_search   TEXT   CHECK (job_search IN ('yes', 'no', 'not_concerned')),
    blocked      TEXT   NOT NULL DEFAULT '' CHECK (length(blocked) <= 300),
    CHECK ((answered_ms IS NULL) = (still_used IS NULL) AND (answered_ms IS NULL) = (job_search IS NULL))
);

-- Where a buyer puts themselves on five questions, from 0 (cannot) to 3 (could
-- show others); the last answer counts.
CREATE TABLE training_position (
    duty_id   TEXT    NOT NULL PRIMARY KEY REFERENCES training_duty (id) ON DELETE CASCADE,
    at_ms     BIGINT  NOT NULL CHECK (at_ms > 0),
    computer  INTEGER NOT NULL CHECK (computer BETWEEN 0 AND 3),
    internet  INTEGER NOT NULL CHECK (internet BETWEEN 0 AND 3),
    mail      INTEGER NOT NULL CHECK (mail BETWEEN 0 AND 3),
    forms     INTEGER NOT NULL CHECK (forms BETWEEN 0 AND 3),
    safety    INTEGER NOT NULL CHECK (safety BETWEEN 0 AND 3)
);

-- Changes of trainings take their turn: whoever changes something writes this row
-- first, so that two who act at once cannot wait for one another.
CREATE TABLE training_turn (
    turn   INTEGER NOT NULL PRIMARY KEY CHECK (turn = 1),
    number BIGINT  NOT NULL
);
INSERT INTO training_turn (turn, number) VALUES (1, 0);
