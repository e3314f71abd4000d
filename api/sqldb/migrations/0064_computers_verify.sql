-- +goose Up
-- A wipe of which no tool wrote anything is believed only by the name of who
-- verified it; of those from before that was asked for, "-" is known. A report is
-- a text, in which the drive's serial was found, or a PDF, which is kept as it
-- came: then somebody read the serial in it and typed it.
ALTER TABLE machine_wipe ADD COLUMN report_form TEXT NOT NULL DEFAULT '' CHECK (report_form IN ('', 'text', 'pdf'));
ALTER TABLE machine_wipe ADD COLUMN verified_by TEXT NOT NULL DEFAULT '-'
    CHECK (length(verified_by) <= 200 AND (result = 'failed' OR report_sha256 <> '' OR verified_by <> ''));
UPDATE machine_wipe
   SET report_form = 'text'
 WHERE report_sha256 <> '';
