-- Batches: acts of a person on many documents, which can be undone, paused, resumed and stopped as a whole.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    act TEXT NOT NULL,
    origin TEXT NOT NULL,
    -- How the documents were selected, and the filter if one did.
    selection TEXT NOT NULL,
    filter TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    -- Until then nothing is done, and the batch can be undone.
    begins_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    -- The process that acts on the members, and the end of its lease.
    holder TEXT,
    held_until INTEGER NOT NULL DEFAULT 0,
    -- Set once nothing of it waits or runs, with the counts of its members at that time, as a JSON object.
    ended_at INTEGER,
    counts TEXT NOT NULL DEFAULT '{}',
    total INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX batches_open ON batches (id) WHERE ended_at IS NULL;
-- The documents of batches, with a code of their state.
CREATE TABLE batch_members (
    batch_id INTEGER NOT NULL,
    document_id INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    -- The job that the batch has found: what it was then, so that it can be given back. NULL if the batch made the job.
    before_class INTEGER,
    before_run_at INTEGER,
    before_attempt INTEGER,
    PRIMARY KEY (batch_id, document_id)
) WITHOUT ROWID;
CREATE INDEX batch_members_state ON batch_members (batch_id, state, document_id);
-- The batch that requested the job last; NULL for a job without one.
ALTER TABLE jobs ADD COLUMN batch_id INTEGER;
CREATE INDEX jobs_batch ON jobs (batch_id, state) WHERE batch_id IS NOT NULL;
-- A job is removed when its document gets a new one; the member of its batch keeps its result.
CREATE TRIGGER batch_job_removed AFTER DELETE ON jobs WHEN OLD.batch_id IS NOT NULL BEGIN
    UPDATE batch_members SET state = CASE OLD.state WHEN 'done' THEN 2 WHEN 'failed' THEN 3 ELSE 4 END
        WHERE batch_id = OLD.batch_id AND document_id = OLD.document_id AND state = 1;
END;
