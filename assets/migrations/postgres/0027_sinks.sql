-- Sinks: the webhooks and commands that are notified of outcomes and conditions, by their names in the settings.
CREATE TABLE quarterdeck.sinks (
    name text PRIMARY KEY,
    kind text NOT NULL,
    -- Filters and conditions, as a JSON array.
    triggers text NOT NULL,
    registered_at bigint NOT NULL,
    -- Set when the receiver wanted nothing more.
    disabled_at bigint,
    disabled_reason text,
    delivered_at bigint,
    delivered bigint NOT NULL DEFAULT 0,
    -- Until then what happens is gathered.
    quiet_until bigint NOT NULL DEFAULT 0
);
-- Conditions of which a sink was notified and that still hold; `subject` is a host, or empty.
CREATE TABLE quarterdeck.sink_conditions (
    sink text NOT NULL,
    condition text NOT NULL,
    subject text NOT NULL,
    began_at bigint NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (sink, condition, subject)
);
-- When the delivery of a message was tried first.
ALTER TABLE quarterdeck.outbox ADD COLUMN tried_at bigint;
