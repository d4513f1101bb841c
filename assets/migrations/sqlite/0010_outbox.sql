-- Messages to subscribers that have not arrived yet: written with the outcome that they are about, removed when they are
-- delivered.
ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber TEXT NOT NULL,
    -- The receiver can tell a repeated delivery by it.
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Deliveries that were begun.
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    UNIQUE (subscriber, key)
);
CREATE INDEX outbox_due ON outbox (subscriber, next_at);
-- Until now Chatwoot's FAQ job was the only one.
INSERT INTO outbox (id, subscriber, key, payload, created_at, next_at)
    SELECT id, 'chatwoot_faq', jid, '{"document_id":' || document_id || ',"account_id":' || account_id || '}',
        created_at, created_at FROM outbox_before ORDER BY id;
DROP TABLE outbox_before;
