-- +goose Up
-- What was told of homes together: what leaks lost, what tips changed, who looked for
-- work. It never changes, and is of whole quarters, or of those quarters of a year
-- together that alone have too few homes: no two periods differ by one home. Homes 0
-- says that it is never told. Times is how many results or answers, total their sum
-- (m³, logarithms of changes, answers "yes"), squares the sum of their squares.
CREATE TABLE told_figure (
    residence_id TEXT             NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    figure       TEXT             NOT NULL CHECK (figure IN ('leaks_volume', 'tips_result', 'job_search')),
    from_date    TEXT             NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT             NOT NULL CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    homes        INTEGER          NOT NULL CHECK (homes = 0 OR homes >= 10),
    times        INTEGER          NOT NULL CHECK (times >= homes),
    total        DOUBLE PRECISION NOT NULL,
    squares      DOUBLE PRECISION NOT NULL CHECK (squares >= 0),
    told_ms      BIGINT           NOT NULL CHECK (told_ms > 0),
    PRIMARY KEY (residence_id, figure, from_date, until_date)
);
