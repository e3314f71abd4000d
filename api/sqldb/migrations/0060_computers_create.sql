-- +goose Up
-- A residence whose households may have a computer of the programme, on the days
-- [from_date, until_date). Of the subsidised ones a household has at most so many
-- at once. Target_days are the working days in which the convention wants a
-- repair done; months those of the programme's guarantee.
CREATE TABLE computer_programme (
    residence_id TEXT    NOT NULL PRIMARY KEY REFERENCES residence (id),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT    CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    per_household INTEGER NOT NULL CHECK (per_household BETWEEN 1 AND 10),
    target_days  INTEGER NOT NULL CHECK (target_days BETWEEN 1 AND 30),
    months       INTEGER NOT NULL CHECK (months BETWEEN 0 AND 60),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);

-- What a thing costs from a day on: computers for households, and the workshop's
-- services for the landlord.
CREATE TABLE workshop_price (
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    what         TEXT    NOT NULL CHECK (what IN ('used', 'new', 'refurbish', 'repair', 'recycle')),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    price_cents  INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000),
    PRIMARY KEY (residence_id, what, from_date)
);

-- The last number given out, by name: tags, and receipts of a year.
CREATE TABLE machine_counter (
    name        TEXT   NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 40),
    last_number BIGINT NOT NULL CHECK (last_number > 0)
);

-- A computer. State, cycle and what else may change are what its events make of
-- it, kept for searching; version is the number of its last event. A cycle begins
-- when it is taken in, and with each return: what was wiped and tested before
-- does not count after.
CREATE TABLE machine (
    id               TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id     TEXT    NOT NULL REFERENCES residence (id),
    tag              TEXT    NOT NULL UNIQUE CHECK (length(tag) BETWEEN 4 AND 20),
    serial           TEXT    NOT NULL UNIQUE CHECK (length(serial) BETWEEN 1 AND 64),
    mac              TEXT    NOT NULL CHECK (length(mac) <= 17),
    kind             TEXT    NOT NULL CHECK (kind IN ('used', 'new')),
    form             TEXT    NOT NULL CHECK (form IN ('desktop', 'laptop')),
    maker            TEXT    NOT NULL CHECK (length(maker) BETWEEN 1 AND 100),
    model            TEXT    NOT NULL CHECK (length(model) BETWEEN 1 AND 100),
    processor        TEXT    NOT NULL CHECK (length(processor) <= 100),
    memory_mb        INTEGER NOT NULL CHECK (memory_mb BETWEEN 0 AND 4194304),
    donor            TEXT    NOT NULL CHECK (length(donor) BETWEEN 1 AND 200),
    lot              TEXT    NOT NULL CHECK (length(lot) <= 100),
    cost_cents       INTEGER NOT NULL CHECK (cost_cents BETWEEN 0 AND 10000000),
    register_no      TEXT    NOT NULL CHECK (length(register_no) BETWEEN 1 AND 64),
    received_on      TEXT    NOT NULL CHECK (received_on LIKE '____-__-__'),
    state            TEXT    NOT NULL CHECK (state IN ('received', 'wiping', 'testing', 'to_repair', 'ready', 'reserved',
                                                       'sold', 'in_use', 'in_repair', 'returned', 'spare_parts', 'recycled')),
    cycle            INTEGER NOT NULL CHECK (cycle > 0),
    grade_appearance TEXT    NOT NULL CHECK (grade_appearance IN ('', 'A', 'B', 'C', 'D')),
    grade_function   TEXT    NOT NULL CHECK (grade_function IN ('', 'A', 'B', 'C', 'D')),
    reserved_for     TEXT    REFERENCES household (id) ON DELETE SET NULL,
    reserved_until   TEXT    CHECK (reserved_until LIKE '____-__-__'),
    version          BIGINT  NOT NULL CHECK (version > 0),
    UNIQUE (residence_id, register_no),
    CHECK ((state = 'reserved') = (reserved_until IS NOT NULL))
);
CREATE INDEX machine_state ON machine (residence_id, state, kind);
CREATE INDEX machine_reserved ON machine (reserved_until) WHERE reserved_until IS NOT NULL;
CREATE INDEX machine_reserved_for ON machine (reserved_for);

-- What a machine may be asked for by, folded: O is 0, I and L are 1, signs and
-- spaces are nothing.
CREATE TABLE machine_name (
    folded     TEXT NOT NULL CHECK (length(folded) BETWEEN 1 AND 64),
    machine_id TEXT NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('serial', 'tag', 'mac')),
    plain      TEXT NOT NULL CHECK (length(plain) BETWEEN 1 AND 64),
    PRIMARY KEY (folded, machine_id, kind)
);
CREATE INDEX machine_name_machine ON machine_name (machine_id);

-- What became of a machine, by number. It is only ever added to.
CREATE TABLE machine_event (
    machine_id TEXT   NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL CHECK (number > 0),
    at_ms      BIGINT NOT NULL CHECK (at_ms > 0),
    on_date    TEXT   NOT NULL CHECK (on_date LIKE '____-__-__'),
    by_whom    TEXT   NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    what       TEXT   NOT NULL CHECK (length(what) BETWEEN 1 AND 32),
    state      TEXT   NOT NULL CHECK (length(state) BETWEEN 1 AND 32),
    subject    TEXT   NOT NULL CHECK (length(subject) <= 64),
    note       TEXT   NOT NULL CHECK (length(note) <= 1000),
    PRIMARY KEY (machine_id, number)
);
CREATE INDEX machine_event_date ON machine_event (on_date, what);

CREATE TABLE machine_drive (
    id         TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    machine_id TEXT   NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    serial     TEXT   NOT NULL UNIQUE CHECK (length(serial) BETWEEN 1 AND 64),
    medium     TEXT   NOT NULL CHECK (medium IN ('hdd', 'ssd', 'nvme', 'emmc', 'other')),
    maker      TEXT   NOT NULL CHECK (length(maker) <= 100),
    model      TEXT   NOT NULL CHECK (length(model) <= 100),
    size_gb    INTEGER NOT NULL CHECK (size_gb BETWEEN 0 AND 1000000),
    destroyed  INTEGER NOT NULL CHECK (destroyed IN (0, 1))
);
CREATE INDEX machine_drive_machine ON machine_drive (machine_id);

-- Evidence that a drive was wiped, in the cycle of its machine.
CREATE TABLE machine_wipe (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    machine_id  TEXT    NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    drive_id    TEXT    NOT NULL REFERENCES machine_drive (id) ON DELETE CASCADE,
    cycle       INTEGER NOT NULL CHECK (cycle > 0),
    level       TEXT    NOT NULL CHECK (level IN ('clear', 'purge', 'destroy')),
    method      TEXT    NOT NULL CHECK (length(method) BETWEEN 1 AND 100),
    tool        TEXT    NOT NULL CHECK (length(tool) BETWEEN 1 AND 100),
    tool_version TEXT   NOT NULL CHECK (length(tool_version) <= 60),
    result      TEXT    NOT NULL CHECK (result IN ('passed', 'failed')),
    on_date     TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    by_whom     TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    report      BYTEA,
    report_sha256 TEXT  NOT NULL CHECK (length(report_sha256) IN (0, 64)),
    CHECK ((report IS NULL) = (report_sha256 = ''))
);
CREATE INDEX machine_wipe_machine ON machine_wipe (machine_id, cycle);
CREATE INDEX machine_wipe_drive ON machine_wipe (drive_id);

CREATE TABLE machine_test (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    machine_id TEXT    NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    cycle      INTEGER NOT NULL CHECK (cycle > 0),
    number     BIGINT  NOT NULL CHECK (number > 0),
    checklist  INTEGER NOT NULL CHECK (checklist > 0),
    passed     INTEGER NOT NULL CHECK (passed IN (0, 1)),
    results    TEXT    NOT NULL CHECK (length(results) <= 4000),
    on_date    TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    by_whom    TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64)
);
CREATE INDEX machine_test_machine ON machine_test (machine_id, cycle, number);

CREATE TABLE machine_defect (
    id         TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    machine_id TEXT   NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    text       TEXT   NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    on_date    TEXT   NOT NULL CHECK (on_date LIKE '____-__-__'),
    mended_on  TEXT   CHECK (mended_on LIKE '____-__-__' AND mended_on >= on_date)
);
CREATE INDEX machine_defect_machine ON machine_defect (machine_id);
