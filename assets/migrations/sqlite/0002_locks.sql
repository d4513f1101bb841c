-- Who this store is to other programs: the locks that its workers set in Redis name it. A random UUID (version 4).
CREATE TABLE IF NOT EXISTS store_identity (id INTEGER PRIMARY KEY CHECK (id = 1), uuid TEXT NOT NULL);
INSERT OR IGNORE INTO store_identity VALUES (1, lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
    || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
));

-- Who has the document's lock while the job waits for it, for people; NULL when it does not.
ALTER TABLE jobs ADD COLUMN lock_holder TEXT;
-- The hold for which already_syncing was recorded last.
ALTER TABLE jobs ADD COLUMN lock_value TEXT;
