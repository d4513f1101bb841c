-- Messages to subscribers that have not arrived yet: written with the outcome that they are about, removed when they are
-- delivered. The table is altered in place, so that rights that were granted on it stay.
ALTER TABLE quarterdeck.outbox ADD COLUMN subscriber text;
-- The receiver can tell a repeated delivery by it.
ALTER TABLE quarterdeck.outbox RENAME COLUMN jid TO key;
ALTER TABLE quarterdeck.outbox ADD COLUMN payload text;
-- Deliveries that were begun.
ALTER TABLE quarterdeck.outbox ADD COLUMN attempts bigint NOT NULL DEFAULT 0;
ALTER TABLE quarterdeck.outbox ADD COLUMN next_at bigint;
ALTER TABLE quarterdeck.outbox ADD COLUMN last_error text;
-- Until now Chatwoot's FAQ job was the only one.
UPDATE quarterdeck.outbox SET subscriber = 'chatwoot_faq', next_at = created_at,
    payload = '{"document_id":' || document_id || ',"account_id":' || account_id || '}';
ALTER TABLE quarterdeck.outbox ALTER COLUMN subscriber SET NOT NULL, ALTER COLUMN payload SET NOT NULL,
    ALTER COLUMN next_at SET NOT NULL, DROP COLUMN document_id, DROP COLUMN account_id,
    DROP CONSTRAINT outbox_jid_key, ADD UNIQUE (subscriber, key);
CREATE INDEX outbox_due ON quarterdeck.outbox (subscriber, next_at);
