-- +goose Up
-- Where a day's outdoor temperatures come from. A file that somebody sent stays;
-- a source on the network stands above a sensor on the wall.
ALTER TABLE outdoor_day ADD COLUMN source TEXT NOT NULL DEFAULT 'file' CHECK (source IN ('file', 'network', 'sensor'));

-- When a residence's outdoors were last asked for, and what was wrong then; empty
-- where nothing was.
CREATE TABLE outdoor_look (
    residence_id TEXT   NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    source       TEXT   NOT NULL CHECK (source IN ('network', 'sensor')),
    asked_ms     BIGINT NOT NULL CHECK (asked_ms > 0),
    fault        TEXT   NOT NULL CHECK (length(fault) <= 500),
    PRIMARY KEY (residence_id, source)
);
