-- A fetched text that was not trusted and waits for a person; at most one a document.
CREATE TABLE quarterdeck.held_contents (
    document_id bigint PRIMARY KEY,
    -- The job whose attempt brought it.
    job_id bigint NOT NULL,
    held_at bigint NOT NULL,
    reason text NOT NULL,
    fingerprint text NOT NULL,
    converter bigint,
    title text,
    content text NOT NULL,
    -- A person said no to this very text: it is not asked about again.
    rejected_at bigint
);
-- The converter that made the stored text: a newer one's other words are no change of the page.
ALTER TABLE quarterdeck.document_state ADD COLUMN converter bigint;
