-- Sources: listings of pages (sitemaps, feeds, pages of links), which are read at their times. A row is also the read that
-- waits or runs.
CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    assistant_id INTEGER NOT NULL,
    -- Patterns, times and limits, as a JSON object.
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    -- Time of the next read; NULL: on request only.
    next_at INTEGER,
    -- Person who requested the read that waits or runs, and whether a much smaller one is believed.
    requested_by TEXT,
    allows_smaller INTEGER NOT NULL DEFAULT 0,
    -- Failures in a row, and workers lost in a row.
    attempts INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    -- Number of the last read that was begun: its token.
    read INTEGER NOT NULL DEFAULT 0,
    -- The process that reads, with its name for people, and the end of its lease.
    holder TEXT,
    worker TEXT,
    held_until INTEGER,
    started_at INTEGER,
    -- The last read that ended.
    ended_at INTEGER,
    result TEXT,
    detail TEXT,
    counts TEXT NOT NULL DEFAULT '{}',
    -- The last complete read.
    complete_at INTEGER,
    pages INTEGER
);
-- Reads that ended, the newest of each source.
CREATE TABLE source_reads (
    source_id INTEGER NOT NULL,
    read INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    result TEXT NOT NULL,
    counts TEXT NOT NULL,
    detail TEXT,
    worker TEXT,
    requested_by TEXT,
    PRIMARY KEY (source_id, read)
) WITHOUT ROWID;
-- The pages of each source, by a digest of their URLs, with the last read that had them.
CREATE TABLE source_pages (
    source_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    url TEXT NOT NULL,
    read INTEGER NOT NULL,
    -- Last change of the page, as the source has it.
    lastmod INTEGER,
    -- First complete read without the page.
    missing_since INTEGER,
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
-- What a person decides about. `key` identifies what is proposed, so that nothing is proposed twice.
CREATE TABLE proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    target TEXT,
    document_id INTEGER,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    UNIQUE (source_id, key)
);
CREATE INDEX proposals_open ON proposals (source_id, id) WHERE state = 'open';
-- Last change of the page as the source has it that lists it.
ALTER TABLE document_state ADD COLUMN lastmod INTEGER;
-- Commits that changed sources.
ALTER TABLE commit_counts ADD COLUMN sources INTEGER NOT NULL DEFAULT 0;
