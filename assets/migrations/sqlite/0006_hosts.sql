-- What is known of a host beyond its documents: until when it is left alone, and why.
CREATE TABLE IF NOT EXISTS hosts_sched (
    host TEXT PRIMARY KEY,
    -- Nothing of this host is claimed before.
    held_until INTEGER,
    -- In plain language, for people.
    held_because TEXT,
    -- When the last request to it began, for spacing.
    asked_at INTEGER
) WITHOUT ROWID;
-- When the page was last fetched whole, whatever its validators said.
ALTER TABLE document_state ADD COLUMN fetched_whole_at INTEGER;
-- The console's jobs view reads the first ready jobs in the order of a claim.
CREATE INDEX IF NOT EXISTS jobs_order ON jobs (class, vtime, id) WHERE state = 'ready';
