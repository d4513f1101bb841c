-- The SHA-256 of the file that was applied.
ALTER TABLE quarterdeck.migrations ADD COLUMN checksum text;
-- The schema version that the worker's program was built for; NULL for programs from before this column.
ALTER TABLE quarterdeck.workers ADD COLUMN schema_version bigint;
