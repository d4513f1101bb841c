-- What is to be told to another program because a document changed: written with the change, gone once it is told.
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The job's id there, 24 hexadecimal digits: by it a second telling is known.
    jid TEXT NOT NULL UNIQUE,
    document_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
