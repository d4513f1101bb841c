-- What an account's plan gives it, as the scheduler read it last; NULL: not known, or no cadence (microseconds).
ALTER TABLE accounts_sched ADD COLUMN plan TEXT;
ALTER TABLE accounts_sched ADD COLUMN cadence INTEGER;
-- Running jobs of the account, over all workers; NULL: no cap of its own.
ALTER TABLE accounts_sched ADD COLUMN max_running INTEGER;

-- One scheduler acts at a time, and the next pass goes on after the account that was served last.
CREATE TABLE IF NOT EXISTS scheduler (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    holder TEXT,
    held_until INTEGER NOT NULL,
    last_account INTEGER NOT NULL,
    passed_at INTEGER
);
INSERT OR IGNORE INTO scheduler VALUES (1, NULL, 0, 0, NULL);

-- Permanent failures in a row: the distance to the next look grows with them.
ALTER TABLE document_state ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
-- The link for which it was said that it is no page's address; told once, until the link is another.
ALTER TABLE document_state ADD COLUMN unfit_link TEXT;

-- The status asks for the account's cadence, too, and counts still never read the table itself.
DROP INDEX documents_status;
CREATE INDEX documents_status ON captain_documents (sync_status, last_sync_attempted_at, last_synced_at, account_id);
