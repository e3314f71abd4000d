-- +goose Up
-- What is left of a machine's serial or tag, folded, with one sign left out, and
-- all of it, as numbers: two ids that are one slip apart share one of these. So
-- what is typed with a slip is found by a few looks into the index.
CREATE TABLE machine_slip (
    variant    BIGINT NOT NULL,
    machine_id TEXT   NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    PRIMARY KEY (variant, machine_id)
);
CREATE INDEX machine_slip_machine ON machine_slip (machine_id);
