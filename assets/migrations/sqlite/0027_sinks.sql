-- Sinks: the webhooks and commands that are notified of outcomes and conditions, by their names in the settings.
CREATE TABLE sinks (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Filters and conditions, as a JSON array.
    triggers TEXT NOT NULL,
    registered_at INTEGER NOT NULL,
    -- Set when the receiver wanted nothing more.
    disabled_at INTEGER,
    disabled_reason TEXT,
    delivered_at INTEGER,
    delivered INTEGER NOT NULL DEFAULT 0,
    -- Until then what happens is gathered.
    quiet_until INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- Conditions of which a sink was notified and that still hold; `subject` is a host, or empty.
CREATE TABLE sink_conditions (
    sink TEXT NOT NULL,
    condition TEXT NOT NULL,
    subject TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (sink, condition, subject)
) WITHOUT ROWID;
-- When the delivery of a message was tried first.
ALTER TABLE outbox ADD COLUMN tried_at INTEGER;
