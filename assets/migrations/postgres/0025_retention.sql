-- Retention. One row: the lease of the process that removes what is old, the number of the last outcome that was removed
-- (all with higher numbers are kept), and when all jobs and earlier texts were checked the last time.
CREATE TABLE quarterdeck.retention (
    id bigint PRIMARY KEY CHECK (id = 1),
    holder text,
    held_until bigint NOT NULL DEFAULT 0,
    pruned_up_to bigint NOT NULL DEFAULT 0,
    swept_at bigint
);
INSERT INTO quarterdeck.retention (id) VALUES (1);
-- The newest outcome of each document whose outcomes were all removed, with the columns of `outcomes`.
CREATE TABLE quarterdeck.last_outcomes (
    document_id bigint PRIMARY KEY,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    account_id bigint NOT NULL,
    assistant_id bigint NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    host text NOT NULL,
    job_id bigint NOT NULL,
    attempt bigint NOT NULL,
    token bigint,
    queue bigint NOT NULL,
    result text NOT NULL,
    error_code text,
    exception_class text,
    duration_ms bigint,
    http_status bigint,
    detail text,
    content text,
    bytes bigint,
    next_attempt_at bigint,
    worker text,
    requested_by text,
    stages bigint
);
-- The outcome that a message is about: it is kept until the message is delivered. NULL for a message that a person
-- requested. Of the messages so far it is not known, so nothing is removed until they are delivered.
ALTER TABLE quarterdeck.outbox ADD COLUMN outcome_seq bigint;
UPDATE quarterdeck.outbox SET outcome_seq = 1;
CREATE INDEX outbox_outcome ON quarterdeck.outbox (outcome_seq) WHERE outcome_seq IS NOT NULL;
-- The text of an earlier version, compressed (a frame of Zstandard); `content` is then empty. NULL until it is compressed.
ALTER TABLE quarterdeck.document_versions ADD COLUMN packed bytea;
-- The server need not try to compress it once more.
ALTER TABLE quarterdeck.document_versions ALTER COLUMN packed SET STORAGE EXTERNAL;
CREATE INDEX versions_unpacked ON quarterdeck.document_versions (document_id, version) WHERE packed IS NULL;
