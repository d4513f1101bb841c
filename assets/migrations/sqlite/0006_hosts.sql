-- What is known of a host beyond its documents: until when it is left alone, and why.
CREATE TABLE IF NOT EXISTS hosts_sched (
    host TEXT PRIMARY KEY,
    -- Nothing of this host is claimed before.
    held_until INTEGER,
    -- In plain language, for people.
    held_because TEXT,
    -- When a job of it was claimed last, and when the next one may be, where claims are spaced.
    asked_at INTEGER,
    spaced_until INTEGER,
    -- Times in a row that it was left alone without having answered since: one job at a time finds out.
    cool_downs INTEGER NOT NULL DEFAULT 0,
    -- The documents behind such a decision, as JSON.
    notes TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
-- When the page was last fetched whole, whatever its validators said.
ALTER TABLE document_state ADD COLUMN fetched_whole_at INTEGER;
-- The fingerprint of the text that the validators came with: another program's text is not what they speak of.
ALTER TABLE document_state ADD COLUMN validated TEXT;
-- The whole page is wanted, whatever the server would say of it (sync --force).
ALTER TABLE jobs ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;
-- The console's jobs view reads the first ready jobs in the order of a claim.
CREATE INDEX IF NOT EXISTS jobs_order ON jobs (class, vtime, id) WHERE state = 'ready';
