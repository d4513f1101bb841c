-- The migrations that this store has had, each with the SHA-256 of the file that was applied.
CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER PRIMARY KEY,
    checksum TEXT NOT NULL
);
-- The schema version that the worker's program was built for; NULL for programs from before this column.
ALTER TABLE workers ADD COLUMN schema_version INTEGER;
