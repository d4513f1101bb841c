-- Retention. One row: the lease of the process that removes what is old, the number of the last outcome that was removed
-- (all with higher numbers are kept), and when all jobs and earlier texts were checked the last time.
CREATE TABLE retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    holder TEXT,
    held_until INTEGER NOT NULL DEFAULT 0,
    pruned_up_to INTEGER NOT NULL DEFAULT 0,
    swept_at INTEGER
);
INSERT INTO retention (id) VALUES (1);
-- The newest outcome of each document whose outcomes were all removed, with the columns of `outcomes`.
CREATE TABLE last_outcomes (
    document_id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    assistant_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    job_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    token INTEGER,
    queue INTEGER NOT NULL,
    result TEXT NOT NULL,
    error_code TEXT,
    exception_class TEXT,
    duration_ms INTEGER,
    http_status INTEGER,
    detail TEXT,
    content TEXT,
    bytes INTEGER,
    next_attempt_at INTEGER,
    worker TEXT,
    requested_by TEXT,
    stages INTEGER
);
-- The outcome that a message is about: it is kept until the message is delivered. NULL for a message that a person
-- requested. Of the messages so far it is not known, so nothing is removed until they are delivered.
ALTER TABLE outbox ADD COLUMN outcome_seq INTEGER;
UPDATE outbox SET outcome_seq = 1;
CREATE INDEX outbox_outcome ON outbox (outcome_seq) WHERE outcome_seq IS NOT NULL;
-- The text of an earlier version, compressed (a frame of Zstandard); `content` is then empty. NULL until it is compressed.
ALTER TABLE document_versions ADD COLUMN packed BLOB;
CREATE INDEX versions_unpacked ON document_versions (document_id, version) WHERE packed IS NULL;
