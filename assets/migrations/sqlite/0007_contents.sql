-- A fetched text that was not trusted and waits for a person; at most one a document.
CREATE TABLE IF NOT EXISTS held_contents (
    document_id INTEGER PRIMARY KEY,
    -- The job whose attempt brought it.
    job_id INTEGER NOT NULL,
    held_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    converter INTEGER,
    title TEXT,
    content TEXT NOT NULL,
    -- A person said no to this very text: it is not asked about again.
    rejected_at INTEGER
);
-- The converter that made the stored text: a newer one's other words are no change of the page.
ALTER TABLE document_state ADD COLUMN converter INTEGER;
