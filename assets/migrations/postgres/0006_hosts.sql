-- What is known of a host beyond its documents: until when it is left alone, and why.
CREATE TABLE quarterdeck.hosts_sched (
    host text PRIMARY KEY,
    -- Nothing of this host is claimed before.
    held_until bigint,
    -- In plain language, for people.
    held_because text,
    -- When a job of it was claimed last, and when the next one may be, where claims are spaced.
    asked_at bigint,
    spaced_until bigint,
    -- Times in a row that it was left alone without having answered since: one job at a time finds out.
    cool_downs bigint NOT NULL DEFAULT 0,
    -- The documents behind such a decision, as JSON.
    notes text NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);
-- When the page was last fetched whole, whatever its validators said.
ALTER TABLE quarterdeck.document_state ADD COLUMN fetched_whole_at bigint;
-- The fingerprint of the text that the validators came with: another program's text is not what they speak of.
ALTER TABLE quarterdeck.document_state ADD COLUMN validated text;
-- The whole page is wanted, whatever the server would say of it (sync --force).
ALTER TABLE quarterdeck.jobs ADD COLUMN whole boolean NOT NULL DEFAULT false;
-- The console's jobs view reads the first ready jobs in the order of a claim.
CREATE INDEX jobs_order ON quarterdeck.jobs (class, vtime, id) WHERE state = 'ready';
